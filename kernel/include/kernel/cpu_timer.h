/* SPDX-License-Identifier: MIT */
/* Timers on CPU-time clocks: of the process or of one thread.  While one is set, the time used so
 * far is looked at often enough; a process that waits costs nothing. */
#ifndef KERNEL_CPU_TIMER_H
#define KERNEL_CPU_TIMER_H

#include <kernel/process.h>

/* cpu_timer_switched() has something to do. */
extern bool cpu_timer_parked;

void cpu_timer_unpark(void);
/* A thread got a CPU. */
static inline void cpu_timer_switched(void) {
    if (unlikely(cpu_timer_parked)) cpu_timer_unpark();
}

/* Sets the timer for deadline_ns of its clock, whether it was set or not.  fire() may set it again;
 * it must not wait or use current_thread(). */
void cpu_timer_set(struct cpu_timer *t, int64_t deadline_ns);
void cpu_timer_cancel(struct cpu_timer *t);
/* What the timer's clock says; that of a thread that has ended stands still at 0. */
int64_t cpu_timer_now(const struct cpu_timer *t);
/* The timers of a thread that ends never fire. */
void cpu_timer_thread_exit(const struct thread *t);

/* ITIMER_VIRTUAL and ITIMER_PROF (all CPU time is the program's): nanoseconds left (0: off) and the
 * interval. */
void cpu_itimer_get(int which, int64_t *left_ns, int64_t *interval_ns);
void cpu_itimer_set(int which, int64_t value_ns, int64_t interval_ns);
/* RLIMIT_CPU was changed. */
void cpu_limit_changed(void);
/* clock_nanosleep(2): sleeps until the clock of `of` (NULL: the process's) shows deadline_ns: 0 or
 * -EINTR. */
int cpu_timer_sleep(struct thread *of, int64_t deadline_ns);

#endif
