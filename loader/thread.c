/* SPDX-License-Identifier: MIT */
/* See thread.h.  Owns nothing. */
#include <loader/thread.h>

#include <pthread.h>
#include <signal.h>

#include <loader/event.h>

#define STACK_BYTES (256u << 10) /* handlers keep paths and segment lists there */

int thread_start(void *(*main)(void *), void *arg) {
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t old;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_BLOCK, event_signals(), &old);
    int r = pthread_create(&thread, &attr, main, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return -r;
}
