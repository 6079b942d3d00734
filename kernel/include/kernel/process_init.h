/* SPDX-License-Identifier: MIT */
/* Set-up of the first process, for kernel_main only. */
#ifndef KERNEL_PROCESS_INIT_H
#define KERNEL_PROCESS_INIT_H

struct hermit_boot;
void process_init(const struct hermit_boot *boot);

#endif
