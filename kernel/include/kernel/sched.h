/* SPDX-License-Identifier: MIT */
/* Threads: creation, scheduling, end.  The kernel is not preemptive and runs under one lock
 * (smp.h): another thread is in the kernel only when the current one waits, yields, ends or leaves.
 */
#ifndef KERNEL_SCHED_H
#define KERNEL_SCHED_H

#include <kernel/process.h>

#define SCHED_SLICE_MS 10     /* how long a thread runs while others wait */
#define SCHED_RR_SLICE_MS 100 /* the same for SCHED_RR */

/* Makes t, which runs already on the boot stack, the first thread of p. */
void sched_init(struct process *p, struct thread *t);
/* A copy of the current thread that is not yet known to anyone, with a kernel stack and registers
 * of its own (rax is 0), or NULL when memory is exhausted. */
struct thread *thread_create(void);
/* Lets a thread of thread_create() loose. */
void thread_start(struct thread *t);
/* Frees a thread that was never started. */
void thread_discard(struct thread *t);
/* The thread of the current process with this number (0: the current one), or NULL. */
struct thread *thread_find(int32_t tid);
/* Ends the current thread: clears its tid, lets go of its robust futexes.  The last one takes the
 * process with it. */
_Noreturn void thread_exit(int status);
/* execve(2): ends all other threads and gives the current one the process's number. */
void thread_kill_others(void);

/* Makes a waiting thread look at its condition; nothing if it does not wait. */
void sched_wake(struct thread *t);
/* Makes a thread that runs, here or on another CPU, pass the way out of the kernel soon. */
void sched_interrupt(struct thread *t);
/* sched_setaffinity(2): moves t to a CPU of mask (not 0).  0 or -ENOMEM. */
int sched_set_affinity(struct thread *t, uint64_t mask);
/* Changes how t is scheduled; what it was is checked by the caller. */
void sched_set_policy(struct thread *t, const struct sched_policy *policy);
/* Runs the others first. */
void sched_yield(void);
/* The thread of this number, as thread_find(), or that of process 1, to be looked at only. */
const struct thread *thread_seen(int32_t tid);
/* The CPUs that a thread may run on. */
uint64_t sched_affinity(const struct thread *t);
/* The CPU that it runs on, or ran on last. */
uint32_t sched_last_cpu(const struct thread *t);
/* Time that a CPU did not sleep so far. */
int64_t sched_cpu_busy_ns(uint32_t cpu);
/* Load of the last 1, 5 and 15 minutes, LOAD_SHIFT bits behind the point. */
#define LOAD_SHIFT 11
void load_average(uint64_t load[3]);
/* The number that was given to a thread last. */
int32_t thread_last_tid(void);
/* Is somebody else ready to run? */
bool sched_others_runnable(void);
/* On the way out of the kernel: ends a killed thread, holds a stopped one, switches when the slice
 * is used up, arms the timer. */
void sched_leave_kernel(void);
/* CPU time of a thread so far. */
int64_t sched_cpu_ns(const struct thread *t);

#endif
