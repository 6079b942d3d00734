/* SPDX-License-Identifier: MIT */
/* Shared by sched.c, thread.c, wait.c and timer.c only. */
#ifndef SCHED_INTERNAL_H
#define SCHED_INTERNAL_H

#include <kernel/sched.h>

#define KSTACK_MAGIC 0x68657265656e6473ULL /* at the far end of every kernel stack */
#define SLICE_MS 10

/* sched.c */
/* The running thread's time begins now. */
void sched_start_clock(void);
/* Cycles that are left of the current slice. */
uint64_t sched_slice_left(void);
/* The second half of a switch, on the new thread's stack. */
void sched_switched(void);
/* Gives the CPU away: t, the current thread, is no longer in the run queue.  Returns when
 * somebody has put it back and its turn comes. */
void sched_switch_away(void);
/* Puts t at the end of the run queue. */
void sched_enqueue(struct thread *t);
/* Time asleep is nobody's CPU time. */
void sched_account(void);

/* thread.c */
/* Frees the thread that ended last, once another one runs. */
void thread_reap(void);

/* wait.c */
/* Waits until the run queue has a thread. */
void wait_idle(void);
/* Takes a waiting thread off its list. */
void wait_remove(struct thread *t);
/* Fires timers, wakes the threads whose deadline has passed and, on a tick, those whose host files
 * are ready. */
void wait_check(bool tick);
/* Earliest deadline of a waiting thread or a timer, or a time before it; WAIT_FOREVER: none. */
int64_t wait_next_deadline(void);
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
