/* SPDX-License-Identifier: MIT */
/* Small helpers for tests with signals and times. */
#ifndef TESTS_LINUX_SIGNALS_H
#define TESTS_LINUX_SIGNALS_H

#include <signal.h>
#include <time.h>

#include "check.h"

/* How often count_signal() ran. */
static volatile sig_atomic_t signals_seen;

static inline void count_signal(int sig) {
    (void)sig;
    signals_seen++;
}

/* Installs a handler; the count starts again. */
static inline void handle_signal(int sig, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    CHECK_OK(sigaction(sig, &action, NULL));
    signals_seen = 0;
}

/* SIG_BLOCK or SIG_UNBLOCK for one signal of the calling thread. */
static inline void mask_signal(int how, int sig) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    CHECK_OK(sigprocmask(how, &set, NULL));
}

static inline int is_pending(int sig) {
    sigset_t set;
    CHECK_OK(sigpending(&set));
    return sigismember(&set, sig);
}

static inline int64_t now_ms(void) {
    struct timespec ts;
    CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &ts));
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#endif
