/* SPDX-License-Identifier: MIT */
/* Advisory locks on files: flock(2), and the record locks of fcntl(2), POSIX and OFD.
 *
 * The guest's table decides between the program's own descriptors.  Where the file lies on a
 * writable share, every lock is taken on the host as well (file_ops.lock), so that it also holds
 * against other processes there; on a read-only share the host's files are nobody's to lock. */
#ifndef KERNEL_FILELOCK_H
#define KERNEL_FILELOCK_H

#include <kernel/types.h>

struct file;

/* What file_ops.lock is asked to do on the host; never blocks. */
struct host_lock {
    uint32_t what;   /* enum hc_lock_what */
    uint32_t type;   /* F_RDLCK, F_WRLCK, F_UNLCK; OUT for HC_LOCK_QUERY */
    int64_t start;   /* bytes */
    int64_t len;     /* 0: to the end */
    int32_t pid;     /* OUT for HC_LOCK_QUERY: -1: an open file description's, else 0 */
    uint32_t *owner; /* record locks of the process: the handle that holds them on the host, opened
                      * when it is NO_HANDLE; NULL: the open file itself holds the lock */
};

/* flock(2): 0, -EWOULDBLOCK, -ERESTARTSYS, -ENOLCK. */
int64_t filelock_flock(struct file *f, int operation);
/* fcntl(2) with F_[OFD_]{GETLK,SETLK,SETLKW}; `at`: struct flock. */
int64_t filelock_fcntl(struct file *f, int fd, int cmd, gva_t at);
/* A descriptor of f is being closed: the process's record locks on that file end. */
void filelock_fd_closed(struct file *f);
/* The open file goes: its flock and OFD locks end. */
void filelock_file_gone(struct file *f);

#endif
