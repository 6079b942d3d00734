/* SPDX-License-Identifier: MIT */
/* The CPUID that the guest sees: what user mode on this host can really use. */
#ifndef LOADER_CPUID_H
#define LOADER_CPUID_H

#include <stdint.h>

/* Sets the CPUID of virtual CPU `id` of `cpus`; exits 125 on failure. */
void cpuid_apply(int kvm_fd, int vcpu_fd, uint32_t id, uint32_t cpus);
/* XCR0 of the host, 0 if the CPU has no XSAVE. */
uint64_t cpuid_host_xcr0(void);

#endif
