/* SPDX-License-Identifier: MIT */
/* Interrupts from one virtual CPU to another through their local APICs. */
#ifndef LOADER_IPI_H
#define LOADER_IPI_H

#include <stdbool.h>
#include <stdint.h>

/* Before the first virtual CPU of a VM with several is created: gives it local APICs.  False if KVM
 * cannot; HERMIT_PORT_KICK does it then. */
bool ipi_create(int kvm, int vm);
/* Whether that is so. */
bool ipi_available(void);
/* Raises HERMIT_VEC_IPI on a CPU that runs. */
void ipi_raise(uint32_t cpu);
/* Makes a CPU's APIC take them.  NULL, or what failed. */
const char *ipi_prepare_cpu(int vcpu_fd);

#endif
