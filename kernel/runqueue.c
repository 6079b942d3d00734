/* SPDX-License-Identifier: MIT */
/* The run queues, one a CPU, and which one a thread goes to.  Owns percpu.runnable. */
#include <kernel/smp.h>

#include "sched_internal.h"

static bool allowed(const struct thread *t, const struct percpu *cpu) {
    return t->affinity == 0 || (t->affinity >> cpu->id & 1);
}

static void insert(struct percpu *cpu, struct thread *t) {
    t->state = THREAD_RUNNABLE;
    t->cpu = cpu->id;
    TAILQ_INSERT_TAIL(&cpu->runnable, t, queued);
    cpu->queued++;
}

static void take_out(struct percpu *cpu, struct thread *t) {
    TAILQ_REMOVE(&cpu->runnable, t, queued);
    cpu->queued--;
}

static uint32_t load(const struct percpu *cpu) { return cpu->queued + (cpu->idle == CPU_BUSY); }

/* An idle CPU, best the one where it ran last, whose caches know it, or one that polls and needs no
 * interrupt; else the one with the shortest queue. */
static struct percpu *choose(const struct thread *t) {
    struct percpu *best = NULL, *last = cpu_get(t->cpu), *cpu;
    if (allowed(t, last) && load(last) == 0) return last;
    for (uint32_t i = 0; (cpu = cpu_get(i)) != NULL; i++) {
        if (!allowed(t, cpu)) continue;
        if (load(cpu) == 0 && cpu->idle == CPU_POLLING) return cpu;
        if (best == NULL || load(cpu) < load(best)) best = cpu;
    }
    if (best == NULL) return percpu(); /* its CPUs were not started: sched_set_affinity() did */
    return allowed(t, last) && load(last) == load(best) ? last : best;
}

void runqueue_add(struct thread *t) {
    struct percpu *self = percpu(), *cpu = smp_active ? choose(t) : self;
    insert(cpu, t);
    if (cpu != self && cpu->idle != CPU_BUSY) cpu_kick(cpu);
}

void runqueue_add_here(struct thread *t) { insert(percpu(), t); }

/* A thread that waits for another CPU and may run on this one, from the longest queue. */
static struct thread *steal(struct percpu *self) {
    struct percpu *from = NULL, *cpu;
    for (uint32_t i = 0; (cpu = cpu_get(i)) != NULL; i++) {
        if (cpu != self && cpu->queued > 0 && (from == NULL || cpu->queued > from->queued))
            from = cpu;
    }
    struct thread *t;
    if (from == NULL) return NULL;
    TAILQ_FOREACH(t, &from->runnable, queued) {
        if (!allowed(t, self)) continue;
        take_out(from, t);
        t->cpu = self->id;
        return t;
    }
    return NULL;
}

struct thread *runqueue_take(void) {
    struct percpu *self = percpu();
    struct thread *t = TAILQ_FIRST(&self->runnable);
    if (t != NULL) take_out(self, t);
    return t != NULL || !smp_active ? t : steal(self);
}

bool runqueue_empty(void) { return percpu()->queued == 0; }

bool runqueue_any_waiting(void) {
    const struct percpu *cpu;
    for (uint32_t i = 0; (cpu = cpu_get(i)) != NULL; i++) {
        if (cpu->queued > 0) return true;
    }
    return false;
}

bool runqueue_belongs_here(const struct thread *t) { return allowed(t, percpu()); }

/* A queue that is longer by two than this CPU's gives one away. */
void runqueue_balance(void) {
    struct percpu *self = percpu(), *cpu;
    for (uint32_t i = 0; (cpu = cpu_get(i)) != NULL; i++) {
        if (cpu == self || load(cpu) < load(self) + 2) continue;
        struct thread *t = steal(self);
        if (t != NULL) insert(self, t);
        return;
    }
}

void runqueue_moved(struct thread *t) {
    struct percpu *cpu = cpu_get(t->cpu);
    if (cpu->thread == t) {
        if (!allowed(t, cpu)) cpu_kick(cpu); /* it leaves on its way out of the kernel */
    } else if (t->state == THREAD_RUNNABLE && !allowed(t, cpu)) {
        take_out(cpu, t);
        runqueue_add(t);
    }
}
