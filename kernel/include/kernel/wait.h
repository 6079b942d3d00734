/* SPDX-License-Identifier: MIT */
/* Waiting until something happens, while other threads run. */
#ifndef KERNEL_WAIT_H
#define KERNEL_WAIT_H

#include <bsd/sys/queue.h>
#include <kernel/types.h>

#define WAIT_FOREVER (-1)
#define NO_HANDLE 0xffffffffu

/* Waits until ready(arg) is true (0; NULL: never), deadline_ns (CLOCK_MONOTONIC) passes
 * (-ETIMEDOUT) or a signal is pending (-EINTR).  fds: host handles whose readiness can make
 * ready() true; their revents tell which are, from the second call of ready() on.  Whoever makes
 * ready() true otherwise calls wait_poke(); ready() may run in any thread. */
int wait_until(bool (*ready)(void *arg), void *arg, struct hc_wait_fd *fds, uint32_t count,
               int64_t deadline_ns);
/* As wait_until, but ready() is looked at when somebody calls sched_wake(), and by the waiting
 * thread only. */
int wait_until_woken(bool (*ready)(void *arg), void *arg, int64_t deadline_ns);
/* Waits for sched_wake() and nothing else. */
void wait_sleep(void);
/* The state of something that threads wait for in wait_until() has changed. */
void wait_poke(void);

/* A host file that is watched although no thread waits for it. */
struct wait_async {
    LIST_ENTRY(wait_async) link;
    uint32_t handle;
    uint16_t events; /* POLL* */
    bool armed;
    uint32_t watched_at; /* of wait.c */
    /* The file is ready; it is not watched any more. */
    void (*ready)(struct wait_async *w);
};

/* Watches w's file until it is ready once; nothing if it is being watched. */
void wait_async_arm(struct wait_async *w);
void wait_async_disarm(struct wait_async *w);

#endif
