/* SPDX-License-Identifier: MIT */
/* Extended attributes: xattr(7). */
#ifndef KERNEL_XATTR_H
#define KERNEL_XATTR_H

#include <kernel/types.h>

struct file;
struct mount;

#define XATTR_MAX_NAME 255
#define XATTR_MAX_SIZE 65536 /* bytes of a value or a list */

/* What file_ops.xattr is asked to do.  GET and LIST answer the size of the value or list; with
 * room for less: -ERANGE, with room 0: just the size.  -ENODATA: there is no such attribute. */
struct xattr_call {
    uint32_t what;    /* enum hc_xattr_what */
    uint32_t flags;   /* SET: XATTR_CREATE, XATTR_REPLACE */
    const char *name; /* heap memory; LIST: NULL */
    void *value;      /* heap memory of `size` bytes; NULL with size 0 */
    uint64_t size;
};

/* May the program see and change the attributes trusted.* of files there? */
bool xattr_trusted(const struct mount *m);
/* Checks name space, permissions and read-only mounts, then asks the file system. */
int64_t file_xattr(struct file *f, const struct xattr_call *c);

#endif
