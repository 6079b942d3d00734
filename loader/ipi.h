/* SPDX-License-Identifier: MIT */
/* Interrupts from one virtual CPU to another that do not leave the host's kernel. */
#ifndef LOADER_IPI_H
#define LOADER_IPI_H

#include <stdbool.h>
#include <stdint.h>

/* Before the first virtual CPU of a VM with several is created: gives it local APICs and has writes
 * to HERMIT_PORT_IPI raise HERMIT_VEC_IPI.  False if KVM cannot; HERMIT_PORT_KICK does it then. */
bool ipi_create(int kvm, int vm, uint32_t cpus);
/* Whether that is so. */
bool ipi_available(void);
/* Makes a CPU's APIC take them.  NULL, or what failed. */
const char *ipi_prepare_cpu(int vcpu_fd);

#endif
