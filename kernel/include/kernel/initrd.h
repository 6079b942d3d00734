/* SPDX-License-Identifier: MIT */
/* The initial RAM disk of a kernel without a loader: a cpio archive in the "newc" format. */
#ifndef KERNEL_INITRD_H
#define KERNEL_INITRD_H

#include <kernel/types.h>

/* Says where it is; it is read by initrd_unpack and must not move. */
void initrd_set(const void *image, uint64_t bytes);
/* Creates its files below "/". Panics if it is damaged: there is nothing else to run. */
void initrd_unpack(void);

#endif
