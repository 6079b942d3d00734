/* SPDX-License-Identifier: MIT */
/* The QEMU engine. */
#ifndef LOADER_QEMU_H
#define LOADER_QEMU_H

#include <stddef.h>

#include <hermit/boot.h>
#include <loader/options.h>

/* Runs the guest under qemu-system-x86_64 until it has ended.  block: the boot block, to be passed
 * as the initial RAM disk.  Exits 125 on failure. */
void qemu_run(const struct options *o, struct hermit_boot *block, size_t block_bytes);

#endif
