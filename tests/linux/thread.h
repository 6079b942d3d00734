/* SPDX-License-Identifier: MIT */
/* Raw futex calls and small thread helpers for the thread tests. */
#ifndef TESTS_LINUX_THREAD_H
#define TESTS_LINUX_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "check.h"

/* <linux/futex.h> and <linux/sched.h> are not there for every libc. */
enum {
    F_WAIT = 0,
    F_WAKE = 1,
    F_REQUEUE = 3,
    F_CMP_REQUEUE = 4,
    F_WAKE_OP = 5,
    F_LOCK_PI = 6,
    F_UNLOCK_PI = 7,
    F_TRYLOCK_PI = 8,
    F_WAIT_BITSET = 9,
    F_WAKE_BITSET = 10,
    F_PRIVATE = 128,
    F_REALTIME = 256
};
#define F_WAITERS 0x80000000u
#define F_OWNER_DIED 0x40000000u
#define F_TID_MASK 0x3fffffffu

static inline long futex(void *addr, int op, uint32_t value, const void *timeout, void *addr2,
                         uint32_t value3) {
    return syscall(SYS_futex, addr, op, value, timeout, addr2, value3);
}

static inline int64_t now_ns(clockid_t clock) {
    struct timespec t;
    CHECK_OK(clock_gettime(clock, &t));
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline struct timespec timespec_of(int64_t ns) {
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

static inline void sleep_ms(int ms) {
    struct timespec t = timespec_of(ms * 1000000LL);
    while (nanosleep(&t, &t) != 0)
        CHECK_EQ(errno, EINTR);
}

static inline pthread_t spawn(void *(*run)(void *), void *arg) {
    pthread_t t;
    CHECK_OK(pthread_create(&t, NULL, run, arg));
    return t;
}

static inline void *join(pthread_t t) {
    void *result;
    CHECK_OK(pthread_join(t, &result));
    return result;
}

static inline int gettid_(void) { return (int)syscall(SYS_gettid); }

/* The letter behind the name in /proc/self/task/TID/stat: R, S, ... */
static inline char thread_state(int tid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    const char *text = get_file(path), *end = strrchr(text, ')');
    CHECK(end != NULL);
    return end[2];
}

static inline void wait_until_asleep(_Atomic int *tid) {
    while (*tid == 0 || thread_state(*tid) != 'S')
        sleep_ms(1);
}

#endif
