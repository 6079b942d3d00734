/* SPDX-License-Identifier: MIT */
/* Serialises what the kernel must know of the command line and the view (hermit/boot.h). */
#ifndef LOADER_BOOT_BLOCK_H
#define LOADER_BOOT_BLOCK_H

#include <stddef.h>

#include <hermit/boot.h>
#include <loader/cache.h>
#include <loader/options.h>
#include <loader/view.h>

/* Bytes that boot_block_write needs, a multiple of 8.  cached: what the cache has for the program,
 * or NULL. */
size_t boot_block_size(const struct options *o, const struct view *v,
                       const union cache_head *cached);
/* Fills the block at dst (8-byte aligned, `size` from boot_block_size).  The caller fills comm,
 * ram_*, free_gpa, tsc_*, the clocks, prog_gpa, prog_cached_gpa, prog_cached_handle and seed, which
 * are zero here. */
void boot_block_write(void *dst, size_t size, const struct options *o, const struct view *v,
                      enum hermit_engine engine, uint32_t prog_handle,
                      const union cache_head *cached);

#endif
