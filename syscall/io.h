/* SPDX-License-Identifier: MIT */
/* Transfers with the flags of pwritev2(2), for all who make them: sys_io.c. */
#ifndef SYSCALL_IO_H
#define SYSCALL_IO_H

#include <kernel/uaccess.h>
#include <kernel/vfs.h>

#define IO_RWF_KNOWN ((uint32_t)(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_APPEND))

/* Writes at `pos` if positioned, else where the file stands. */
int64_t io_write_flags(struct file *f, const struct uio *u, bool positioned, int64_t pos,
                       uint32_t flags);

#endif
