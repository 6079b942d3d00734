/* SPDX-License-Identifier: MIT */
/* pthread_cancel(3): where a thread ends, and where it must not. */
#include "thread.h"

#include <poll.h>
#include <semaphore.h>
#include <signal.h>

static int fds[2];
static sem_t ready, go;
static _Atomic int tid;
static int cleaned;

static void clean(void *arg) {
    (void)arg;
    cleaned++;
}

static void fresh(void) {
    CHECK_OK(pipe(fds));
    CHECK_OK(sem_init(&ready, 0, 0));
    CHECK_OK(sem_init(&go, 0, 0));
    tid = 0;
    cleaned = 0;
}

static void done(void) {
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
}

static void block_in(const char *how) {
    char c;
    struct timespec hour = {.tv_sec = 3600};
    tid = gettid_();
    if (strcmp(how, "read") == 0) CHECK_EQ(read(fds[0], &c, 1), 1);
    if (strcmp(how, "poll") == 0)
        CHECK_EQ(poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, -1), 1);
    if (strcmp(how, "nanosleep") == 0) CHECK_OK(nanosleep(&hour, NULL));
    if (strcmp(how, "sem_wait") == 0) CHECK_OK(sem_wait(&go));
    if (strcmp(how, "pause") == 0) pause();
}

static void *blocked(void *how) {
    pthread_cleanup_push(clean, NULL);
    block_in(how);
    pthread_cleanup_pop(0);
    return NULL;
}

static void test_blocked(void) {
    static const char *const how[] = {"read", "poll", "nanosleep", "sem_wait", "pause"};
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        fresh();
        pthread_t t = spawn(blocked, (void *)(uintptr_t)how[i]);
        wait_until_asleep(&tid);
        CHECK_OK(pthread_cancel(t));
        CHECK(join(t) == PTHREAD_CANCELED);
        CHECK_EQ(cleaned, 1);
        done();
    }
    ok("a blocked thread ends, and cleans up");
}

/* Cancelled while it may not be: the next cancellation point ends it, and takes no data. */
static void *pending(void *arg) {
    char c;
    (void)arg;
    CHECK_OK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL));
    CHECK_OK(sem_post(&ready));
    CHECK_OK(sem_wait(&go));
    CHECK_OK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL));
    read(fds[0], &c, 1);
    return NULL;
}

static void test_pending(void) {
    char c = 0;
    fresh();
    pthread_t t = spawn(pending, NULL);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_OK(sem_wait(&ready));
    CHECK_OK(pthread_cancel(t));
    CHECK_OK(sem_post(&go));
    CHECK(join(t) == PTHREAD_CANCELED);
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_EQ(c, 'x');
    done();
    ok("a pending request acts before the next call does anything");
}

/* The request interrupts the call of a thread that may not be cancelled: it goes on. */
static void *disabled(void *arg) {
    char c = 0;
    (void)arg;
    CHECK_OK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL));
    tid = gettid_();
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK_EQ(c, 'y');
    CHECK_OK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL));
    pthread_testcancel();
    return NULL;
}

static void test_disabled(void) {
    fresh();
    pthread_t t = spawn(disabled, NULL);
    wait_until_asleep(&tid);
    CHECK_OK(pthread_cancel(t));
    wait_until_asleep(&tid);
    CHECK_EQ(write(fds[1], "y", 1), 1);
    CHECK(join(t) == PTHREAD_CANCELED);
    done();
    ok("a thread that may not be cancelled finishes its call");
}

/* Handlers with SA_RESTART run before the request comes: it finds the restarted call. */
static _Atomic int handled;

static void on_signal(int sig) {
    (void)sig;
    handled++;
}

static void test_restarted(void) {
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    CHECK_OK(sigaction(SIGUSR1, &a, NULL));
    fresh();
    pthread_t t = spawn(blocked, (void *)(uintptr_t) "read");
    for (int i = 0; i < 20; i++) {
        wait_until_asleep(&tid);
        CHECK_OK(pthread_kill(t, SIGUSR1));
        while (handled <= i)
            sched_yield();
    }
    wait_until_asleep(&tid);
    CHECK_OK(pthread_cancel(t));
    CHECK(join(t) == PTHREAD_CANCELED);
    CHECK_EQ(cleaned, 1);
    done();
    ok("a call that was restarted can be cancelled");
}

static void *asynchronous(void *arg) {
    (void)arg;
    CHECK_OK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL));
    CHECK_OK(sem_post(&ready));
    for (;;)
        __asm__ volatile("pause");
    return NULL;
}

static void test_asynchronous(void) {
    fresh();
    pthread_t t = spawn(asynchronous, NULL);
    CHECK_OK(sem_wait(&ready));
    CHECK_OK(pthread_cancel(t));
    CHECK(join(t) == PTHREAD_CANCELED);
    done();
    ok("an asynchronous request ends a thread that computes");
}

int main(void) {
    test_blocked();
    test_pending();
    test_disabled();
    test_restarted();
    test_asynchronous();
    return 0;
}
