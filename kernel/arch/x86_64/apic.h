/* SPDX-License-Identifier: MIT */
/* The local APIC of a CPU under QEMU (Intel SDM vol. 3, chapter 11). */
#ifndef KERNEL_ARCH_APIC_H
#define KERNEL_ARCH_APIC_H

#include <kernel/process.h>

/* Starts another CPU with INIT and start-up IPIs; false if it does not answer. */
bool apic_boot_cpu(struct percpu *cpu, gva_t tss);
/* Raises HERMIT_VEC_IPI there. */
void apic_interrupt(uint32_t id);
/* Ring 0: lets interrupts through on this CPU.  extint: those of the 8259A, too. */
void apic_enable(bool extint);

#endif
