/* SPDX-License-Identifier: MIT */
/* The switch between threads, slices and the account of CPU time.  Everything here belongs to the
 * CPU that runs it (struct percpu).  Each CPU has a thread of its own for being idle, which never
 * leaves the kernel and is in no run queue. */
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/clock.h>
#include <kernel/cpu_timer.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/mm.h>
#include <kernel/rseq.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/smp.h>
#include <kernel/vvar.h>
#include <kernel/xstate.h>

#include "sched_internal.h"

void switch_stacks(uint64_t *save_rsp, uint64_t rsp);

void sched_account(void) {
    struct percpu *cpu = percpu();
    uint64_t now = arch_tsc();
    cpu->thread->cpu_cycles += now - cpu->since;
    if (cpu->thread != cpu->idle_thread) cpu->busy_cycles += now - cpu->since;
    runqueue_account(cpu, cpu->thread, now - cpu->since);
    cpu->since = now;
}

int64_t sched_cpu_ns(const struct thread *t) {
    uint64_t cycles = t->cpu_cycles;
    const struct percpu *cpu = cpu_get(t->cpu);
    uint64_t now = arch_tsc();
    if (cpu->thread == t && now > cpu->since) cycles += now - cpu->since;
    return clock_cycles_ns(cycles);
}

uint64_t sched_affinity(const struct thread *t) {
    return t->affinity != 0 ? t->affinity : cpu_possible_mask();
}

uint32_t sched_last_cpu(const struct thread *t) { return t->cpu; }

int64_t sched_cpu_busy_ns(uint32_t id) {
    const struct percpu *cpu = cpu_get(id);
    if (cpu == NULL) return 0; /* not started yet */
    uint64_t cycles = cpu->busy_cycles, now = arch_tsc();
    if (cpu->thread != cpu->idle_thread && now > cpu->since) cycles += now - cpu->since;
    return clock_cycles_ns(cycles);
}

bool sched_others_runnable(void) { return !runqueue_empty(); }

void sched_enqueue(struct thread *t) {
    runqueue_add(t);
    if (timer_outdated()) percpu()->pending = 1;
}

void sched_wake(struct thread *t) {
    if (t->state != THREAD_WAITING) return;
    wait_remove(t);
    sched_enqueue(t);
}

static bool is_idle_thread(const struct thread *t) { return t->tid == 0; }

/* The vector registers stay in the CPU while it idles; who returns to the same CPU finds them. */
static void switch_vectors(struct percpu *cpu, struct thread *prev, struct thread *next) {
    if (!is_idle_thread(prev) && prev->state != THREAD_ZOMBIE && prev->xstate != NULL)
        xstate_switch_save(prev->xstate);
    if (is_idle_thread(next)) return;
    if (cpu->vectors == next && next->vectors_cpu == cpu->id) return;
    cpu->vectors = next;
    next->vectors_cpu = cpu->id;
    xstate_switch_restore(next->xstate);
}

static void switch_to(struct thread *prev, struct thread *next) {
    struct percpu *cpu = percpu();
    kassert(prev->kstack == NULL || *(uint64_t *)prev->kstack == KSTACK_MAGIC);
    switch_vectors(cpu, prev, next);
    __asm__ volatile("rdfsbase %0" : "=r"(prev->fs_base));
    prev->full_restore = cpu->full_restore;
    __asm__ volatile("wrfsbase %0" : : "r"(next->fs_base) : "memory");
    cpu->full_restore = next->full_restore;
    cpu->kstack_top = next->kstack_top;
    cpu->thread = next;
    next->cpu = cpu->id;
    if (!is_idle_thread(next)) {
        paging_activate(next->process->mm->root);
        leaf_switched(cpu, next);
    }
    switch_stacks(&prev->kernel_rsp, next->kernel_rsp);
    sched_switched();
}

/* On the stack of the thread that now runs. */
void sched_switched(void) {
    thread_reap();
    if (is_idle_thread(current_thread())) return;
    rseq_switched(current_thread());
    cpu_timer_switched();
    if (signal_pending() || current_process()->stopped || timer_outdated()) percpu()->pending = 1;
}

void sched_first_run(void) {
    sched_switched();
    kernel_leave();
}

static void begin_slice(struct percpu *cpu, const struct thread *t) {
    uint64_t ms = t->sched.policy == SCHED_RR ? SCHED_RR_SLICE_MS : SLICE_MS;
    cpu->slice_start = cpu->since;
    cpu->slice_end = cpu->since + clock_tsc_khz() * ms;
}

void sched_switch_away(void) {
    struct percpu *cpu = percpu();
    sched_account();
    struct thread *prev = cpu->thread, *next = runqueue_take();
    if (next == NULL) next = cpu->idle_thread;
    begin_slice(cpu, next);
    if (next != prev)
        switch_to(prev, next);
    else
        sched_switched();
}

/* Runs whoever can run, else sleeps; on the idle thread's stack. */
static void idle_loop(void) {
    for (;;) {
        struct percpu *cpu = percpu();
        struct thread *next = runqueue_take();
        if (next == NULL) {
            cpu->idle = CPU_HALTED;
            wait_idle();
            cpu->idle = CPU_BUSY;
            cpu->since = arch_tsc();
            continue;
        }
        begin_slice(cpu, next);
        switch_to(cpu->idle_thread, next);
    }
}

static void idle_thread_main(void) {
    sched_switched();
    idle_loop();
}

bool sched_cpu_init(struct percpu *cpu) {
    RB_INIT(&cpu->runnable);
    cpu->idle_thread = thread_create_idle(cpu, idle_thread_main);
    cpu->thread = cpu->idle_thread;
    return cpu->idle_thread != NULL;
}

void sched_cpu_discard(struct percpu *cpu) { thread_discard(cpu->idle_thread); }

void sched_cpu_main(void) {
    smp_acquire();
    percpu()->since = arch_tsc();
    idle_loop();
    __builtin_unreachable();
}

uint64_t sched_slice_left(const struct percpu *cpu) {
    uint64_t now = arch_tsc();
    return now < cpu->slice_end ? cpu->slice_end - now : 0;
}

void sched_yield(void) {
    if (!sched_others_runnable()) return;
    sched_account();
    runqueue_yield(current_thread());
    sched_switch_away();
}

/* Slices of all CPUs end with the one timer, which interrupts the first: it tells the others. */
void sched_tick(void) {
    struct percpu *self = percpu(), *cpu;
    for (uint32_t i = 0; (cpu = cpu_get(i)) != NULL; i++) {
        if (cpu != self && cpu->queued > 0 && sched_slice_left(cpu) == 0) cpu_kick(cpu);
    }
    runqueue_balance();
}

void sched_interrupt(struct thread *t) {
    struct percpu *cpu = cpu_get(t->cpu);
    if (cpu->thread == t) cpu_kick(cpu);
}

int sched_set_affinity(struct thread *t, uint64_t mask) {
    uint64_t before = 0;
    while (!(mask & cpu_online_mask()) && before != cpu_online_mask()) {
        before = cpu_online_mask();
        cpu_start_next();
    }
    if (!(mask & cpu_online_mask())) return -ENOMEM;
    /* A program's only thread has nothing yet to leave its vector registers in. */
    if (t->xstate == NULL && (t->xstate = xstate_alloc()) == NULL) return -ENOMEM;
    t->affinity = mask;
    runqueue_moved(t);
    return 0;
}

void sched_leave_kernel(void) {
    struct thread *t = current_thread();
    if (t->killed) thread_exit(0);
    bool tick = timer_take_tick();
    wait_check(tick);
    if (tick && smp_active) sched_tick();
    if (!runqueue_belongs_here(t)) {
        sched_enqueue(t);
        sched_switch_away();
    } else if (sched_slice_left(percpu()) == 0 && runqueue_slice_counts()) {
        t->preemptions++;
        sched_account();
        runqueue_preempted(t);
        sched_switch_away();
    }
    if (t->killed) thread_exit(0);
    signal_wait_while_stopped();
    timer_update();
}
