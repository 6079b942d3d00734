/* SPDX-License-Identifier: MIT */
/* The only file that turns guest-physical addresses into pointers. */
#ifndef LOADER_GUEST_MEM_H
#define LOADER_GUEST_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <hermit/hypercall.h>

/* Registers host memory [host, host+bytes) as guest RAM at gpa (page-aligned, not overlapping). */
int guest_mem_add(gpa_t gpa, uint64_t bytes, void *host);
/* Memory that the host may only read: the kernel's text, pages of this executable. */
int guest_mem_add_readonly(gpa_t gpa, uint64_t bytes, void *host);
/* A mapped host file at gpa: only a transfer (guest_iov) may touch it, because the file may shrink
 * under a direct access. */
int guest_mem_add_window(gpa_t gpa, uint64_t bytes, void *host);
/* Forgets the window that starts at gpa: 0 or -EINVAL. */
int guest_mem_remove_window(gpa_t gpa);
/* Pointer to [gpa, gpa+len), or NULL if any byte is not writable guest RAM of one
 * region. */
void *guest_ptr(gpa_t gpa, uint64_t len);
/* 0 or -EFAULT. */
int guest_copy_in(void *dst, gpa_t src, uint64_t len);
int guest_copy_out(gpa_t dst, const void *src, uint64_t len);
/* Copies `count` (<= HC_MAX_SEGS) segments in from gpa and turns them into iov; total bytes,
 * -EFAULT or -EINVAL. */
int64_t guest_iov(gpa_t segs, uint32_t count, struct iovec iov[HC_MAX_SEGS]);
/* Does a pointer of guest_iov() lie in RAM, and not in a file window, which may go away? */
bool guest_is_ram(const void *host);
/* Bytes of RAM registered. */
uint64_t guest_mem_bytes(void);

#endif
