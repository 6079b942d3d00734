/* SPDX-License-Identifier: MIT */
/* Assembly entry points, for the C files of this directory. */
#ifndef KERNEL_ARCH_CPU_H
#define KERNEL_ARCH_CPU_H

#include <kernel/process.h>

#define KERNEL_SLOT 255 /* of the top-level table: the kernel window */

/* The operations of ring 0. */
void monitor_set_cr3(gpa_t root);
/* Also forgets all that is cached of higher tables. */
void monitor_flush_page(gva_t page);
/* Halts until an interrupt comes, unless percpu()->pending is set. */
void monitor_halt(void);
/* Labels of the way out: see entry.S. */
extern const char exit_to_user[], exit_to_user_end[];
/* What is before it in the kernel's text counts as the program's: see door.S. */
extern const char kernel_code[];

/* The direct map's entry for the GiB around gpa. */
uint64_t *paging_direct_entry(gpa_t gpa);
/* Fills pd with the 2 MiB pages of the GiB at `gib` and links it into the direct map. */
void paging_link_direct(uint64_t *pd, gpa_t pd_gpa, gpa_t gib);

/* Called from entry.S. */
void trap_dispatch(struct regs *regs, uint64_t vector, uint64_t error, gva_t cr2);
void exit_work(struct regs *regs);
void kernel_main(gpa_t boot, gpa_t pvh_info);

#endif
