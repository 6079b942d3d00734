/* SPDX-License-Identifier: MIT */
/* Sleeping until something happens. */
#ifndef KERNEL_WAIT_H
#define KERNEL_WAIT_H

#include <kernel/types.h>

#define WAIT_FOREVER (-1)
#define NO_HANDLE 0xffffffffu

/* Sleeps until ready(arg) is true (0; NULL: never), deadline_ns (CLOCK_MONOTONIC) passes
 * (-ETIMEDOUT) or a signal is pending (-EINTR).  fds: host handles whose readiness can make
 * ready() true; their revents tell which are, from the second call of ready() on. */
int wait_until(bool (*ready)(void *arg), void *arg, struct hc_wait_fd *fds, uint32_t count,
               int64_t deadline_ns);
/* Nanoseconds spent asleep so far. */
int64_t wait_total_ns(void);

#endif
