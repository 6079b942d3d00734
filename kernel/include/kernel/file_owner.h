/* SPDX-License-Identifier: MIT */
/* Who hears by a signal that a file is ready: F_SETOWN, F_SETSIG and O_ASYNC of fcntl(2). */
#ifndef KERNEL_FILE_OWNER_H
#define KERNEL_FILE_OWNER_H

#include <kernel/vfs.h>

/* fcntl(2)'s F_SETOWN, F_GETOWN, F_SETOWN_EX, F_GETOWN_EX, F_SETSIG, F_GETSIG. */
int64_t file_owner_fcntl(struct file *f, int cmd, uint64_t arg);
/* Sets or clears O_ASYNC, for the sake of this descriptor: 0 or -ENOMEM.  Files that never tell
 * (regular ones) ignore it, as in Linux. */
int file_owner_async(struct file *f, int fd, bool on);
/* Urgent data has come: SIGURG for whom F_SETOWN names, O_ASYNC or not. */
void file_owner_urgent(struct file *f);
/* A file of the host was read from: what comes next is news again. */
void file_owner_read(struct file *f);
/* The last reference is gone. */
void file_owner_release(struct file *f);

#endif
