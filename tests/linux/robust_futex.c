/* SPDX-License-Identifier: MIT */
/* Robust locks: a thread ends while it holds them. */
#include <semaphore.h>

#include "thread.h"

static pthread_mutex_t make(int pi) {
    pthread_mutex_t m;
    pthread_mutexattr_t a;
    CHECK_OK(pthread_mutexattr_init(&a));
    CHECK_OK(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
    if (pi) CHECK_OK(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT));
    CHECK_OK(pthread_mutex_init(&m, &a));
    return m;
}

static void *lock_and_die(void *arg) {
    CHECK_OK(pthread_mutex_lock(arg));
    return NULL;
}

static sem_t locked;

static void *lock_sleep_and_die(void *arg) {
    CHECK_OK(pthread_mutex_lock(arg));
    CHECK_OK(sem_post(&locked));
    sleep_ms(20); /* the other usually waits by then; if not, it finds a dead owner */
    return NULL;
}

static void *lock_and_recover(void *arg) {
    CHECK_EQ(pthread_mutex_lock(arg), EOWNERDEAD);
    CHECK_OK(pthread_mutex_consistent(arg));
    CHECK_OK(pthread_mutex_unlock(arg));
    return NULL;
}

static void check_kind(int pi) {
    static pthread_mutex_t m;
    m = make(pi);
    join(spawn(lock_and_die, &m));
    CHECK_EQ(pthread_mutex_lock(&m), EOWNERDEAD);
    CHECK_OK(pthread_mutex_consistent(&m));
    CHECK_OK(pthread_mutex_unlock(&m));
    CHECK_OK(pthread_mutex_lock(&m));
    CHECK_OK(pthread_mutex_unlock(&m));

    if (!pi) {
        pthread_t owner = spawn(lock_sleep_and_die, &m);
        CHECK_OK(sem_wait(&locked));
        pthread_t waiter = spawn(lock_and_recover, &m);
        join(owner);
        join(waiter);
    }

    join(spawn(lock_and_die, &m));
    CHECK_EQ(pthread_mutex_lock(&m), EOWNERDEAD);
    CHECK_OK(pthread_mutex_unlock(&m)); /* not made consistent */
    CHECK_EQ(pthread_mutex_lock(&m), ENOTRECOVERABLE);
}

static void *die_with_many(void *arg) {
    pthread_mutex_t *m = arg;
    for (int i = 0; i < 50; i++)
        CHECK_OK(pthread_mutex_lock(&m[i]));
    return NULL;
}

static void several(void) {
    static pthread_mutex_t m[50];
    for (int i = 0; i < 50; i++)
        m[i] = make(0);
    join(spawn(die_with_many, m));
    for (int i = 0; i < 50; i++)
        CHECK_EQ(pthread_mutex_lock(&m[i]), EOWNERDEAD);
    ok("fifty locks");
}

/* The list itself, with raw calls: the kernel must not trust it. */
struct raw_list {
    void *next;
    long offset;
    void *pending;
};

static void *end_with_bad_list(void *arg) {
    syscall(SYS_set_robust_list, arg, sizeof(struct raw_list));
    syscall(SYS_exit, 0);
    return NULL;
}

static void bad_lists(void) {
    static struct raw_list loop[2], wild = {.next = (void *)0x123456789, .pending = (void *)8};
    loop[0] = (struct raw_list){.next = &loop[1]};
    loop[1] = (struct raw_list){.next = &loop[1]};
    CHECK_ERR(syscall(SYS_set_robust_list, loop, 8), EINVAL);
    void *lists[] = {loop, &wild, bad_pointer()};
    for (int i = 0; i < 3; i++) {
        pthread_t t = spawn(end_with_bad_list, lists[i]);
        CHECK_OK(pthread_detach(t));
    }
    for (int i = 0; i < 1000 && !strstr(get_file("/proc/self/status"), "Threads:\t1\n"); i++)
        sleep_ms(1);
    CHECK(strstr(get_file("/proc/self/status"), "Threads:\t1\n") != NULL);
    ok("bad lists");
}

int main(void) {
    CHECK_OK(sem_init(&locked, 0, 0));
    check_kind(0);
    ok("robust");
    check_kind(1);
    ok("robust with priority inheritance");
    several();
    bad_lists();
    return 0;
}
