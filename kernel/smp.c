/* SPDX-License-Identifier: MIT */
/* Several virtual CPUs: the kernel lock, starting, kicking and quieting them.  Owns the table of
 * CPUs and the lock, whose word lies in the page shared with the loader. */
#include <hermit/boot.h>
#include <kernel/arch.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/sched.h>
#include <kernel/smp.h>

#include "sched_internal.h"

#define SPIN_CYCLES 50000ULL /* then the holder has lost its CPU, or waits for the host */
#define QUIET_CYCLES 150000ULL
#define LOCK_FREE 0u
#define LOCK_TAKEN 1u
#define LOCK_AWAITED 2u /* somebody sleeps */

bool smp_active;
static struct percpu *cpus[HC_MAX_CPUS] = {&percpu0};
static uint32_t online = 1;
static uint32_t *lock_word; /* NULL: one CPU */

uint32_t cpu_count(void) { return max(boot_info()->cpus, 1u); }

static uint64_t first_cpus(uint32_t n) { return n >= 64 ? UINT64_MAX : (1ULL << n) - 1; }

uint64_t cpu_possible_mask(void) { return first_cpus(cpu_count()); }

uint64_t cpu_online_mask(void) { return first_cpus(online); }

struct percpu *cpu_get(uint32_t id) {
    return id < online ? cpus[id] : NULL;
}

uint32_t *smp_kicked(const struct percpu *cpu) { return &hypercall_comm()->kicked[cpu->id]; }

static bool try_lock(void) {
    uint32_t expected = LOCK_FREE;
    return __atomic_load_n(lock_word, __ATOMIC_RELAXED) == LOCK_FREE &&
           __atomic_compare_exchange_n(lock_word, &expected, LOCK_TAKEN, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static __attribute__((noinline)) void lock_slow(void) {
    for (;;) {
        uint64_t start = arch_tsc();
        while (arch_tsc() - start < SPIN_CYCLES) {
            if (try_lock()) return;
            arch_pause();
        }
        if (boot_info()->engine != HERMIT_ENGINE_KVM) continue;
        /* From here on whoever unlocks wakes one sleeper, who keeps the mark for the others. */
        while (__atomic_exchange_n(lock_word, LOCK_AWAITED, __ATOMIC_ACQUIRE) != LOCK_FREE)
            arch_outb(HERMIT_PORT_LOCK_WAIT, 0);
        return;
    }
}

void smp_acquire(void) {
    if (!smp_active) return;
    if (!try_lock()) lock_slow();
    struct percpu *cpu = percpu();
    __atomic_store_n(smp_kicked(cpu), 0, __ATOMIC_RELAXED);
    if (cpu->flush) {
        cpu->flush = 0;
        paging_reload();
    }
}

void smp_release(void) {
    if (!smp_active) return;
    if (__atomic_exchange_n(lock_word, LOCK_FREE, __ATOMIC_SEQ_CST) == LOCK_AWAITED)
        arch_outb(HERMIT_PORT_LOCK_WAKE, 0);
}

void smp_lock_from_user(void) {
    /* Before the lock: who holds it may be waiting for this in smp_quiesce(). */
    __atomic_store_n(&percpu()->in_user, 0, __ATOMIC_SEQ_CST);
    smp_acquire();
}

void smp_unlock_to_user(void) {
    __atomic_store_n(&percpu()->in_user, 1, __ATOMIC_SEQ_CST);
    smp_release();
}

void cpu_kick(struct percpu *cpu) {
    if (cpu == percpu()) {
        cpu->pending = 1;
        return;
    }
    __atomic_store_n(&cpu->pending, 1, __ATOMIC_SEQ_CST);
    bool busy_in_kernel = !cpu->in_user && cpu->idle != CPU_HALTED;
    if (busy_in_kernel || *smp_kicked(cpu)) return;
    __atomic_store_n(smp_kicked(cpu), 1, __ATOMIC_SEQ_CST);
    cpu_interrupt(cpu->id, cpu->in_user != 0);
}

static bool runs_program(const struct percpu *cpu) {
    return __atomic_load_n(&cpu->in_user, __ATOMIC_SEQ_CST) != 0;
}

static void await_kernel(const struct percpu *cpu) {
    uint64_t start = arch_tsc();
    while (runs_program(cpu)) {
        arch_pause();
        if (arch_tsc() - start < QUIET_CYCLES) continue;
        cpu_yield_host(); /* it may be waiting for the host's CPU that we are on */
        start = arch_tsc();
    }
}

void smp_quiesce(void) {
    struct percpu *self = percpu();
    if (!smp_active) return;
    for (uint32_t i = 0; i < online; i++)
        if (cpus[i] != self && runs_program(cpus[i])) cpu_kick(cpus[i]);
    for (uint32_t i = 0; i < online; i++)
        if (cpus[i] != self) await_kernel(cpus[i]);
}

void smp_flush_begin(gpa_t root) {
    struct percpu *self = percpu();
    for (uint32_t i = 0; smp_active && i < online; i++) {
        if (cpus[i] == self || cpus[i]->root != root) continue;
        __atomic_store_n(&cpus[i]->flush, 1, __ATOMIC_SEQ_CST);
        if (runs_program(cpus[i])) cpu_kick(cpus[i]);
    }
}

void smp_flush_end(gpa_t root) {
    struct percpu *self = percpu();
    for (uint32_t i = 0; smp_active && i < online; i++)
        if (cpus[i] != self && cpus[i]->root == root) await_kernel(cpus[i]);
}

void smp_flush(gpa_t root) {
    smp_flush_begin(root);
    smp_flush_end(root);
}

bool smp_root_in_use(gpa_t root) {
    struct percpu *self = percpu();
    for (uint32_t i = 0; smp_active && i < online; i++) {
        if (cpus[i] != self && cpus[i]->root == root) return true;
    }
    return false;
}

/* The lock is this CPU's from now on; until now it was nobody's. */
static void activate(void) {
    if (smp_active) return;
    lock_word = &hypercall_comm()->kernel_lock; /* without a loader there is one CPU */
    __atomic_store_n(lock_word, LOCK_TAKEN, __ATOMIC_SEQ_CST);
    smp_active = true;
}

void cpu_start_next(void) {
    if (online >= min(cpu_count(), HC_MAX_CPUS)) return;
    gva_t tss;
    struct percpu *cpu = cpu_area_create(online, &tss);
    if (cpu == NULL) return;
    if (!sched_cpu_init(cpu)) return cpu_area_free(cpu);
    cpu->root = percpu()->root;
    activate();
    cpus[online++] = cpu; /* before it runs: it may be kicked from now on */
    if (cpu_boot(cpu, tss)) return;
    online--; /* nothing knows it yet */
    sched_cpu_discard(cpu);
    cpu_area_free(cpu);
}
