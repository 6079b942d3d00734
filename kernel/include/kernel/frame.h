/* SPDX-License-Identifier: MIT */
/* Page frames of guest RAM: allocation, reference counts, growth through the loader. */
#ifndef KERNEL_FRAME_H
#define KERNEL_FRAME_H

#include <kernel/types.h>

/* One zeroed frame with reference count 1, or 0 when -m is exhausted. */
gpa_t frame_alloc(void);
/* 2^order zeroed, contiguous, naturally aligned frames (order <= 10); each has its own count. */
gpa_t frame_alloc_order(unsigned order);
/* As frame_alloc_order, contents undefined: for memory that is overwritten at once. */
gpa_t frame_alloc_raw(unsigned order);
void frame_ref(gpa_t frame);
/* Drops a reference; the last one frees the frame. */
void frame_put(gpa_t frame);
uint32_t frame_refs(gpa_t frame);
/* True if gpa lies in guest RAM (not in a file window): only then do the calls above apply. */
bool frame_is_ram(gpa_t gpa);

/* Where the kernel sees guest-physical memory. */
static inline void *frame_ptr(gpa_t gpa) { return (void *)(HERMIT_DIRECT_GVA + gpa); }
/* The inverse, for direct-map and kernel-image addresses. */
gpa_t frame_gpa(const void *p);

/* Bytes: limit (-m), in use, peak. */
struct frame_usage {
    uint64_t limit, used, peak;
};
struct frame_usage frame_usage(void);
/* The peak starts again from what is in use. */
void frame_reset_peak(void);

#endif
