/* SPDX-License-Identifier: MIT */
/* Time values between the program and the kernel: checked, in nanoseconds, saturating. */
#ifndef SYSCALL_USER_TIME_H
#define SYSCALL_USER_TIME_H

#include <kernel/types.h>

/* Nanoseconds of a struct timespec; -EFAULT or -EINVAL (negative, nanoseconds >= 1 s). */
int user_timespec(gva_t from, int64_t *ns);
/* Of a copy that is the kernel's: -EINVAL as above. */
struct timespec;
int timespec_ns(const struct timespec *ts, int64_t *ns);
int put_timespec(gva_t to, int64_t ns);
/* Likewise for a struct timeval. */
int user_timeval(gva_t from, int64_t *ns);
int put_timeval(gva_t to, int64_t ns);
/* CLOCK_MONOTONIC at ns >= 0 from now; never negative, so not WAIT_FOREVER. */
int64_t deadline_after(int64_t ns);
/* From now until a deadline of deadline_after(); 0 if it has passed. */
int64_t time_left(int64_t deadline_ns);

#endif
