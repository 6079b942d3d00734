/* SPDX-License-Identifier: MIT */
/* Set-up of the frame allocator, for kernel_main only. */
#ifndef KERNEL_FRAME_INIT_H
#define KERNEL_FRAME_INIT_H

#include <kernel/types.h>

/* RAM in [free_gpa, end) is unused; limit: bytes that RAM may ever grow to; zeroed: what was never
 * used reads as zero (QEMU's firmware and loader leave things behind). */
void frame_init(gpa_t free_gpa, gpa_t end, uint64_t limit, bool zeroed);

#endif
