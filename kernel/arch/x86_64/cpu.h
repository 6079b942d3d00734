/* SPDX-License-Identifier: MIT */
/* Assembly entry points, for the C files of this directory. */
#ifndef KERNEL_ARCH_CPU_H
#define KERNEL_ARCH_CPU_H

#include <kernel/process.h>

/* Runs one privileged operation (GATE_*) in ring 0. */
void monitor_call(uint64_t arg, unsigned op);
/* Labels of the way out: see entry.S. */
extern const char exit_to_user[], exit_to_user_end[];

/* Called from entry.S. */
void trap_dispatch(struct regs *regs, uint64_t vector, uint64_t error, gva_t cr2);
void exit_work(struct regs *regs);
void kernel_main(gpa_t boot, gpa_t pvh_info);

#endif
