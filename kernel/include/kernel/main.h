/* SPDX-License-Identifier: MIT */
/* Boot, from the architecture's entry code. */
#ifndef KERNEL_MAIN_H
#define KERNEL_MAIN_H

#include <kernel/types.h>

struct hermit_boot;
/* Brings everything up and prepares the program's registers; returns to the exit path. */
void kernel_boot(const struct hermit_boot *boot, uint64_t tsc_start);

#endif
