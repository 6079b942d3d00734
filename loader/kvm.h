/* SPDX-License-Identifier: MIT */
/* The KVM engine. */
#ifndef LOADER_KVM_H
#define LOADER_KVM_H

#include <stdint.h>

#include <hermit/hypercall.h>

/* NULL if /dev/kvm can be used, or what is wrong and how to mend it. */
const char *kvm_unusable(void);
/* Creates the VM and its first virtual CPU, of at most `cpus`.  Exits 125 on failure. */
void kvm_create(uint32_t cpus);
/* Adds a memory slot; 0 or -errno. */
int kvm_add_slot(gpa_t gpa, uint64_t bytes, void *host);

#endif
