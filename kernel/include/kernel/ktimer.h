/* SPDX-License-Identifier: MIT */
/* Timers of the kernel: a function that runs once a time has come. */
#ifndef KERNEL_KTIMER_H
#define KERNEL_KTIMER_H

#include <bsd/sys/tree.h>
#include <kernel/types.h>

/* Part of the object that it is for; all zero with `fire` set is a timer that is not set. */
struct ktimer {
    /* Runs under the kernel lock at or after deadline_ns, in whichever thread leaves the kernel or
     * idles: it must not wait or use current_thread().  The timer is not set any more then; fire()
     * may set it again, cancel others or free its object. */
    void (*fire)(struct ktimer *t);
    int64_t deadline_ns; /* CLOCK_MONOTONIC; valid while set */
    bool set;
    RB_ENTRY(ktimer) node;
};

/* Sets the timer for deadline_ns (CLOCK_MONOTONIC; one that has passed fires on the way out of the
 * kernel), whether it was set or not.  A CLOCK_REALTIME deadline is converted by the caller. */
void ktimer_set(struct ktimer *t, int64_t deadline_ns);
/* fire() does not run any more; nothing if the timer is not set. */
void ktimer_cancel(struct ktimer *t);

/* For the scheduler: the earliest deadline, WAIT_FOREVER if there is none. */
int64_t ktimer_next(void);
/* Fires what is due. */
void ktimer_run(void);

#endif
