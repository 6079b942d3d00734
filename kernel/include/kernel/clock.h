/* SPDX-License-Identifier: MIT */
/* Time from the TSC. clock_gettime(2). */
#ifndef KERNEL_CLOCK_H
#define KERNEL_CLOCK_H

#include <kernel/types.h>

struct hermit_boot;
struct thread;
void clock_init(const struct hermit_boot *boot);
int64_t clock_monotonic_ns(void);
int64_t clock_realtime_ns(void);
/* CPU time of the process: time since it started minus time asleep in the loader. */
int64_t clock_cpu_ns(void);
/* Nanoseconds of one clock (CLOCK_*), or -EINVAL. */
int64_t clock_read(int clock, int64_t *ns);
/* A CPU-time clock: *of is the thread that it is of, NULL: all of the process.  -EINVAL: none. */
int clock_cpu_thread(int clock, struct thread **of);
uint64_t clock_tsc_khz(void);
/* Nanoseconds that so many TSC cycles take. */
int64_t clock_cycles_ns(uint64_t cycles);
/* Follows the host's clock if the last comparison is old; for callers that are slow anyway.
 * now: compare at once. */
void clock_follow_host(bool now);

#endif
