/* SPDX-License-Identifier: MIT */
/* Shared by sched.c, runqueue.c, thread.c, smp.c, wait.c and timer.c only. */
#ifndef SCHED_INTERNAL_H
#define SCHED_INTERNAL_H

#include <kernel/sched.h>

#define KSTACK_MAGIC 0x68657265656e6473ULL /* at the far end of every kernel stack */
#define SLICE_MS SCHED_SLICE_MS

/* sched.c */
/* Cycles that are left of a CPU's current slice. */
uint64_t sched_slice_left(const struct percpu *cpu);
/* The second half of a switch, on the new thread's stack. */
void sched_switched(void);
/* The same for a thread that runs for the first time, up to the way out. */
void sched_first_run(void);
/* Gives the CPU away: the current thread is in no run queue, or in another CPU's.  Returns when its
 * turn comes. */
void sched_switch_away(void);
/* Puts t into a run queue. */
void sched_enqueue(struct thread *t);
/* Adds the time until now to the current thread's. */
void sched_account(void);
/* The timer fired: tells the CPUs whose slice is over. */
void sched_tick(void);
/* Gives a new CPU its run queue and idle thread. */
bool sched_cpu_init(struct percpu *cpu);
void sched_cpu_discard(struct percpu *cpu);

/* runqueue.c */
/* Adds t to the best CPU for it, which is interrupted if it sleeps or runs somebody who has had
 * more time. */
void runqueue_add(struct thread *t);
/* Adds the current thread to this CPU's: behind all others (sched_yield(2)), or where its time puts
 * it. */
void runqueue_yield(struct thread *t);
void runqueue_preempted(struct thread *t);
/* Does the end of the slice make the running thread give way to a waiting one? */
bool runqueue_slice_counts(void);
/* t has had cycles_run more on `cpu`. */
void runqueue_account(struct percpu *cpu, struct thread *t, uint64_t cycles_run);
/* The next thread for this CPU, perhaps another CPU's, or NULL. */
struct thread *runqueue_take(void);
/* Has this CPU one waiting?  Has any? */
bool runqueue_empty(void);
bool runqueue_any_waiting(void);
/* Cycles until the first slice ends that somebody waits for; a whole slice if nobody does. */
uint64_t runqueue_next_slice_end(void);
/* May t run on this CPU? */
bool runqueue_belongs_here(const struct thread *t);
/* After a change of t's affinity. */
void runqueue_moved(struct thread *t);
/* Takes a thread from a CPU that has many more. */
void runqueue_balance(void);

/* thread.c */
/* Frees the thread that ended last, once another one runs. */
void thread_reap(void);
/* A thread that runs main() in the kernel only, as `cpu`'s idle thread, or NULL. */
struct thread *thread_create_idle(struct percpu *cpu, void (*main)(void));

/* wait.c */
/* Nothing can run on this CPU: takes events, then sleeps until something may have changed. */
void wait_idle(void);
/* A CPU sleeps in the loader on behalf of all that wait. */
bool wait_watched(void);
/* Takes a waiting thread off its list. */
void wait_remove(struct thread *t);
/* Fires timers, wakes the threads whose deadline has passed and, on a tick, those whose host files
 * are ready. */
void wait_check(bool tick);
/* Earliest deadline of a waiting thread or a timer, or a time before it; WAIT_FOREVER: none. */
int64_t wait_next_deadline(void);
/* A timer has been set: the CPU that sleeps in the loader may have to hear of it. */
void wait_deadline_set(int64_t deadline_ns);
/* Some thread waits for host files, which only a look can find ready. */
bool wait_for_host(void);

/* timer.c: the one event timer. */
/* Arms it for the earliest of ITIMER_REAL, the current slice and the deadlines of waiting
 * threads. */
void timer_update(void);
/* True if timer_update() has something to do. */
bool timer_outdated(void);
/* HC_EVENT_TIMER came. */
void timer_fired(void);
/* Has it come since this was asked last? */
bool timer_take_tick(void);

#endif
