/* SPDX-License-Identifier: MIT */
/* The KVM engine. */
#ifndef LOADER_KVM_H
#define LOADER_KVM_H

#include <stdbool.h>
#include <stdint.h>

#include <hermit/hypercall.h>

/* NULL if /dev/kvm can be used, or what is wrong and how to mend it. */
const char *kvm_unusable(void);
/* Creates VM and virtual CPU; memory_init() has run. Exits 125 on failure. */
void kvm_create(void);
/* Adds a memory slot; 0 or -errno. */
int kvm_add_slot(gpa_t gpa, uint64_t bytes, void *host);
/* The guest's TSC and frequency now. */
uint64_t kvm_tsc(uint64_t *khz);
/* Runs the virtual CPU until the guest has ended (vm_exit.done). */
void kvm_run(gpa_t boot_block);
/* Makes a virtual CPU that is running leave the guest and look at events; async-signal-safe. */
void kvm_kick(void);

/* VM exits by cause, for --stats. */
struct kvm_exits {
    uint64_t doorbell, interrupted, injected, other;
};
extern struct kvm_exits kvm_exits;

#endif
