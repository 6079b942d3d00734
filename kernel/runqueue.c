/* SPDX-License-Identifier: MIT */
/* The run queues, one a CPU, and which one a thread goes to.  Owns percpu.runnable.
 *
 * Real-time threads come first, by priority.  Among the others, fair queueing: the thread that has
 * had the least time is next.  One that comes back from a wait counts as little behind the others,
 * so it gets the CPU soon, but not for long. */
#include <kernel/clock.h>
#include <kernel/smp.h>

#include "sched_internal.h"

#define CATCH_UP_MS 5 /* what a thread keeps of the time it did not use */
#define PREEMPT_MS 1  /* so far behind, it need not wait for the end of the slice */
/* What a thread gets before another takes its place: one that sleeps for microseconds, again and
 * again, must not use up all of another's time with switches and timers. */
#define LEAST_RUN_US 500

#define ORDER_MIDDLE (1ULL << 62)

/* Of two threads one nice level apart the lower gets 1.25 times as much; 1024 is nice 0. */
static const uint32_t nice_weights[40] = {
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904,
    3906,  3121,  2501,  1991,  1586,  1277,  1024,  820,   655,   526,   423,  335,  272,  215,
    172,   137,   110,   87,    70,    56,    45,    36,    29,    23,    18,   15,
};
#define WEIGHT_NICE_0 1024
#define WEIGHT_IDLE 3 /* SCHED_IDLE */

static uint64_t next_order = ORDER_MIDDLE, first_order = ORDER_MIDDLE;

static uint32_t weight(const struct thread *t) {
    return t->sched.policy == SCHED_IDLE ? WEIGHT_IDLE : nice_weights[t->sched.nice + 20];
}

static int64_t behind(const struct thread *a, const struct thread *b) {
    return (int64_t)(b->vruntime - a->vruntime);
}

static int run_compare(const struct thread *a, const struct thread *b) {
    if (a->sched.priority != b->sched.priority)
        return a->sched.priority > b->sched.priority ? -1 : 1;
    int64_t d = a->sched.priority > 0 ? 0 : behind(a, b);
    if (d == 0) d = (int64_t)(b->queue_order - a->queue_order);
    return d > 0 ? -1 : d < 0;
}

RB_PROTOTYPE(run_tree, thread, run_node, run_compare)
RB_GENERATE(run_tree, thread, run_node, run_compare)

static uint64_t cycles(uint64_t ms) { return ms * clock_tsc_khz(); }
static uint64_t least_run(void) { return cycles(LEAST_RUN_US) / 1000; }

static bool allowed(const struct thread *t, const struct percpu *cpu) {
    return t->affinity == 0 || (t->affinity >> cpu->id & 1);
}

/* The time that t has had, as it counts on `cpu`. */
static void place(struct percpu *cpu, struct thread *t) {
    if (t->cpu != cpu->id) {
        const struct percpu *from = cpu_get(t->cpu);
        t->vruntime += cpu->min_vruntime - from->min_vruntime;
        t->cpu = cpu->id;
    }
    uint64_t least = cpu->min_vruntime - cycles(CATCH_UP_MS);
    if ((int64_t)(t->vruntime - least) < 0) t->vruntime = least;
}

static void insert_at(struct percpu *cpu, struct thread *t, uint64_t order) {
    t->state = THREAD_RUNNABLE;
    place(cpu, t);
    t->queue_order = order;
    RB_INSERT(run_tree, &cpu->runnable, t);
    cpu->queued++;
}

static void insert(struct percpu *cpu, struct thread *t) { insert_at(cpu, t, next_order++); }

static void take_out(struct percpu *cpu, struct thread *t) {
    RB_REMOVE(run_tree, &cpu->runnable, t);
    cpu->queued--;
}

static uint32_t load(const struct percpu *cpu) { return cpu->queued + (cpu->idle == CPU_BUSY); }

static bool outranks(const struct thread *t, const struct thread *running) {
    return t->sched.priority > running->sched.priority;
}

/* Must the running thread make room for t, which has just become ready? */
static bool preempts(const struct thread *t, const struct thread *running) {
    if (t->sched.priority > 0 || running->sched.priority > 0) return outranks(t, running);
    return behind(t, running) > (int64_t)cycles(PREEMPT_MS);
}

/* Ends the slice; for the sake of an ordinary thread not before the running one has got somewhere.
 */
static void preempt(struct percpu *cpu, bool at_once) {
    uint64_t least = cpu->slice_start + least_run();
    cpu->slice_end = at_once ? 0 : min(cpu->slice_end, least);
    cpu_kick(cpu); /* to leave, or to arm the timer for then */
}

/* A CPU where a real-time thread runs at once; an idle CPU, best the one where it ran last, whose
 * caches know it, or one that polls and needs no interrupt; else the one with the shortest queue.
 */
static struct percpu *choose(const struct thread *t) {
    struct percpu *best = NULL, *last = cpu_get(t->cpu), *cpu;
    if (allowed(t, last) && (load(last) == 0 || outranks(t, last->thread))) return last;
    for (uint32_t i = 0; (cpu = cpu_get(i)) != NULL; i++) {
        if (!allowed(t, cpu)) continue;
        if (load(cpu) == 0 && cpu->idle == CPU_POLLING) return cpu;
        if (outranks(t, cpu->thread)) return cpu;
        if (best == NULL || load(cpu) < load(best)) best = cpu;
    }
    if (best == NULL) return percpu(); /* its CPUs were not started: sched_set_affinity() did */
    return allowed(t, last) && load(last) == load(best) ? last : best;
}

void runqueue_add(struct thread *t) {
    struct percpu *self = percpu(), *cpu = smp_active ? choose(t) : self;
    insert(cpu, t);
    if (cpu->idle != CPU_BUSY) {
        if (cpu != self) cpu_kick(cpu);
    } else if (preempts(t, cpu->thread)) {
        preempt(cpu, t->sched.priority > 0);
    }
}

void runqueue_yield(struct thread *t) {
    struct percpu *self = percpu();
    const struct thread *last = RB_MAX(run_tree, &self->runnable);
    if (last != NULL && last->sched.priority == 0 && behind(t, last) > 0)
        t->vruntime = last->vruntime;
    insert(self, t);
}

/* SCHED_FIFO keeps its place. */
void runqueue_preempted(struct thread *t) {
    if (t->sched.policy == SCHED_FIFO)
        insert_at(percpu(), t, --first_order);
    else
        insert(percpu(), t);
}

static bool slice_counts(struct percpu *cpu) {
    const struct thread *first = RB_MIN(run_tree, &cpu->runnable), *t = cpu->thread;
    if (first == NULL) return false;
    if (first->sched.priority != t->sched.priority) return outranks(first, t);
    return t->sched.policy != SCHED_FIFO;
}

bool runqueue_slice_counts(void) { return slice_counts(percpu()); }

void sched_set_policy(struct thread *t, const struct sched_policy *policy) {
    struct percpu *cpu = cpu_get(t->cpu);
    bool running = cpu->thread == t, queued = !running && t->state == THREAD_RUNNABLE;
    if (queued) take_out(cpu, t);
    t->sched = *policy;
    if (queued) runqueue_add(t);
    if (running && cpu->queued > 0) preempt(cpu, true); /* it may have to make room now */
}

void runqueue_account(struct percpu *cpu, struct thread *t, uint64_t cycles_run) {
    if (t->sched.priority > 0) return;
    t->vruntime += cycles_run * WEIGHT_NICE_0 / weight(t);
    const struct thread *first = RB_MIN(run_tree, &cpu->runnable);
    if (first != NULL && first->sched.priority > 0) return;
    const struct thread *least = first != NULL && behind(first, t) > 0 ? first : t;
    if ((int64_t)(least->vruntime - cpu->min_vruntime) > 0) cpu->min_vruntime = least->vruntime;
}

/* A thread that waits for another CPU and may run on this one, from the longest queue. */
static struct thread *steal(struct percpu *self) {
    struct percpu *from = NULL, *cpu;
    for (uint32_t i = 0; (cpu = cpu_get(i)) != NULL; i++) {
        if (cpu != self && cpu->queued > 0 && (from == NULL || cpu->queued > from->queued))
            from = cpu;
    }
    struct thread *t;
    if (from == NULL) return NULL;
    RB_FOREACH(t, run_tree, &from->runnable) {
        if (!allowed(t, self)) continue;
        take_out(from, t);
        place(self, t);
        return t;
    }
    return NULL;
}

struct thread *runqueue_take(void) {
    struct percpu *self = percpu();
    struct thread *t = RB_MIN(run_tree, &self->runnable);
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

uint64_t runqueue_next_slice_end(void) {
    struct percpu *cpu;
    uint64_t left = SLICE_MS * clock_tsc_khz();
    for (uint32_t i = 0; (cpu = cpu_get(i)) != NULL; i++) {
        if (slice_counts(cpu)) left = min(left, sched_slice_left(cpu));
    }
    /* Where it is over, somebody is on the way: not at once again. */
    uint64_t least = least_run();
    return max(left, least);
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
