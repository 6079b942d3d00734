/* SPDX-License-Identifier: MIT */
/* The only way to touch a program's memory.
 *
 * Every function checks the range against HERMIT_USER_TOP, survives a fault in the middle and
 * returns 0 or -EFAULT.  Program memory may be mapped on demand by the access itself. */
#ifndef KERNEL_UACCESS_H
#define KERNEL_UACCESS_H

#include <kernel/types.h>

struct iovec;

int copy_from_user(void *dst, gva_t src, uint64_t len);
int copy_to_user(gva_t dst, const void *src, uint64_t len);
int clear_user(gva_t dst, uint64_t len);
/* Length without NUL (< size), -ENAMETOOLONG if no NUL within size, or -EFAULT. */
int64_t strncpy_from_user(char *dst, gva_t src, uint64_t size);

/* One locked compare and exchange of an aligned word; *expected receives what was there. */
int cmpxchg_user(gva_t at, uint32_t *expected, uint32_t value);

#define get_user(var, gva) copy_from_user(&(var), (gva), sizeof(var))
#define put_user(var, gva) copy_to_user((gva), &(var), sizeof(var))

/* A scatter/gather transfer.  kernel: the vectors are kernel memory (exec reading a header). */
struct uio {
    const struct iovec *iov; /* kernel copy of the vector; each base is a gva */
    uint32_t count;
    bool kernel;
    uint64_t len; /* total bytes, <= MAX_RW_COUNT */
};

#define MAX_RW_COUNT 0x7ffff000ULL

/* Copies between buf and byte `at` of the transfer; 0 or -EFAULT.  at + n <= len. */
int uio_fill(const struct uio *u, uint64_t at, const void *src, uint64_t n);
int uio_drain(const struct uio *u, uint64_t at, void *dst, uint64_t n);
int uio_clear(const struct uio *u, uint64_t at, uint64_t n);
/* Describes bytes [at, at+want) as guest-physical segments, mapping program pages on demand
 * (for writing where to_user).  Returns the number of bytes described (may be less than want
 * when max segments or a fault end it; > 0) or -EFAULT; *nsegs receives the count. */
int64_t uio_segments(const struct uio *u, uint64_t at, uint64_t want, bool to_user,
                     struct hc_seg *segs, uint32_t max, uint32_t *nsegs);

#endif
