/* SPDX-License-Identifier: MIT */
/* The timers of a process. timer_create(2). */
#ifndef KERNEL_POSIX_TIMER_H
#define KERNEL_POSIX_TIMER_H

#include <kernel/process.h>

struct posix_timer;

/* A new timer on a clock; how it notifies is checked already.  *id is its number, which is also the
 * value that it sends if event is NULL.  -EINVAL, -EOPNOTSUPP (no timers on that clock) or
 * -EAGAIN. */
int posix_timer_create(int clock, const struct sigevent *event, int32_t *id);
/* The timer of the current process with this number, or NULL. */
struct posix_timer *posix_timer_find(int32_t id);
/* Nanoseconds until it expires (0: not set) and its interval. */
void posix_timer_get(struct posix_timer *t, int64_t *left_ns, int64_t *interval_ns);
/* value_ns 0: off; absolute: a time of its clock. */
void posix_timer_set(struct posix_timer *t, int64_t value_ns, int64_t interval_ns, bool absolute);
/* Expirations beyond the first that the last signal stands for. */
int32_t posix_timer_overrun(const struct posix_timer *t);
void posix_timer_delete(struct posix_timer *t);
/* execve. */
void posix_timers_delete_all(struct process *p);
/* Timers that notify t send nothing any more. */
void posix_timers_thread_exit(const struct thread *t);

#endif
