/* SPDX-License-Identifier: MIT */
/* Virtual CPUs of the KVM engine: CPU 0 runs on the main thread, each other one on a thread of its
 * own that HC_CPU_START makes. */
#ifndef LOADER_VCPU_H
#define LOADER_VCPU_H

#include <stdint.h>

#include <hermit/hypercall.h>

/* Where a virtual CPU begins, in ring 3. */
struct vcpu_start {
    gva_t rip, gs_base, tss;
    gpa_t cr3;
    uint64_t rdi;
};

/* How many there may be; before the first vcpu_create(). */
void vcpu_limit(uint32_t count);
/* Creates CPU 0 of the VM. Exits 125 on failure. */
void vcpu_create_first(int kvm_fd, int vm_fd);
/* Sets CPU 0's registers.  Exits 125 on failure. */
void vcpu_prepare_first(gpa_t boot_block);
/* Runs CPU 0 on the calling thread until the guest has ended (vm_exit.done). */
void vcpu_run_first(void);
/* CPU 0's TSC and its frequency now. */
uint64_t vcpu_tsc(uint64_t *khz);
/* Makes a CPU leave the guest and look at event_pending(); nothing for one that was not started.
 * Async-signal-safe. */
void vcpu_kick(uint32_t cpu);
/* CPUs started so far: calls[0] to calls[n - 1] may be in use. */
uint32_t vcpu_count(void);

/* VM exits by cause, of all CPUs, for --stats. */
struct vcpu_exits {
    uint64_t doorbell, interrupted, injected, kicks, lock, other;
};
struct vcpu_exits vcpu_exits(void);

#endif
