/* SPDX-License-Identifier: MIT */
/* The run queue and the switch between threads.  Owns the run queue, the current slice and the
 * account of CPU time.  Everything here belongs to one CPU: a second one gets a second queue. */
#include <kernel/arch.h>
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/vvar.h>
#include <kernel/xstate.h>

#include "sched_internal.h"

static struct {
    struct thread_list runnable; /* without the running one */
    uint64_t since;              /* TSC when the running thread got the CPU or was accounted for */
    uint64_t slice_end;          /* TSC */
} queue = {.runnable = TAILQ_HEAD_INITIALIZER(queue.runnable)};

void switch_stacks(uint64_t *save_rsp, uint64_t rsp);

void sched_start_clock(void) { queue.since = arch_tsc(); }

void sched_account(void) {
    uint64_t now = arch_tsc();
    current_thread()->cpu_cycles += now - queue.since;
    queue.since = now;
}

int64_t sched_cpu_ns(const struct thread *t) {
    uint64_t cycles = t->cpu_cycles;
    if (t == current_thread()) cycles += arch_tsc() - queue.since;
    return clock_cycles_ns(cycles);
}

bool sched_others_runnable(void) { return !TAILQ_EMPTY(&queue.runnable); }

void sched_enqueue(struct thread *t) {
    t->state = THREAD_RUNNABLE;
    TAILQ_INSERT_TAIL(&queue.runnable, t, queued);
}

void sched_wake(struct thread *t) {
    if (t->state != THREAD_WAITING) return;
    wait_remove(t);
    sched_enqueue(t);
    if (timer_outdated()) percpu()->pending = 1;
}

static void switch_to(struct thread *prev, struct thread *next) {
    struct percpu *cpu = percpu();
    kassert(prev->kstack == NULL || *(uint64_t *)prev->kstack == KSTACK_MAGIC);
    if (prev->state != THREAD_ZOMBIE) {
        xstate_switch_save(prev->xstate);
        __asm__ volatile("rdfsbase %0" : "=r"(prev->fs_base));
        prev->full_restore = cpu->full_restore;
    }
    xstate_switch_restore(next->xstate);
    __asm__ volatile("wrfsbase %0" : : "r"(next->fs_base) : "memory");
    cpu->full_restore = next->full_restore;
    cpu->kstack_top = next->kstack_top;
    cpu->thread = next;
    switch_stacks(&prev->kernel_rsp, next->kernel_rsp);
    sched_switched();
}

/* On the stack of the thread that now runs. */
void sched_switched(void) {
    thread_reap();
    if (signal_pending() || current_process()->stopped || timer_outdated()) percpu()->pending = 1;
}

void sched_switch_away(void) {
    struct thread *prev = current_thread();
    sched_account();
    if (TAILQ_EMPTY(&queue.runnable)) {
        wait_idle();
        queue.since = arch_tsc();
    }
    struct thread *next = TAILQ_FIRST(&queue.runnable);
    TAILQ_REMOVE(&queue.runnable, next, queued);
    queue.slice_end = queue.since + clock_tsc_khz() * SLICE_MS;
    if (next != prev)
        switch_to(prev, next);
    else
        sched_switched();
}

uint64_t sched_slice_left(void) {
    uint64_t now = arch_tsc();
    return now < queue.slice_end ? queue.slice_end - now : 0;
}

void sched_yield(void) {
    if (!sched_others_runnable()) return;
    sched_enqueue(current_thread());
    sched_switch_away();
}

void sched_leave_kernel(void) {
    struct thread *t = current_thread();
    if (t->killed) thread_exit(0);
    wait_check(timer_take_tick());
    if (sched_others_runnable() && sched_slice_left() == 0) {
        t->preemptions++;
        sched_yield();
        if (t->killed) thread_exit(0);
    }
    signal_wait_while_stopped();
    timer_update();
}
