/* SPDX-License-Identifier: MIT */
/* Private to filelock*.c: the locks of one file. */
#ifndef FILELOCK_INTERNAL_H
#define FILELOCK_INTERNAL_H

#include <bsd/sys/queue.h>
#include <kernel/filelock.h>
#include <kernel/vfs.h>
#include <kernel/waitq.h>

struct process;

/* A record lock on bytes [start, end]. */
struct range_lock {
    LIST_ENTRY(range_lock) link;
    const void *owner; /* struct process, or struct file for OFD locks */
    bool ofd;
    int16_t type; /* F_RDLCK, F_WRLCK */
    int64_t start, end;
};

/* The lock that flock(2) gives an open file. */
struct whole_lock {
    LIST_ENTRY(whole_lock) link;
    const struct file *owner;
    bool exclusive;
};

/* What one process holds on the host. */
struct host_owner {
    LIST_ENTRY(host_owner) link;
    const struct process *process;
    uint32_t handle;
};

LIST_HEAD(range_list, range_lock);
LIST_HEAD(whole_list, whole_lock);

/* A file that somebody locked, while an open file that was used for that lives. */
struct lock_node {
    LIST_ENTRY(lock_node) link;
    const struct fs_ops *fs; /* with dev and ino: which file it is */
    uint64_t dev, ino;
    uint32_t refs; /* open files that point here */
    struct waitq waitq;
    struct range_list ranges;
    struct whole_list wholes;
    LIST_HEAD(, host_owner) hosts;
};

/* The node of f, made if `create`; NULL: none, or no memory. */
struct lock_node *lock_node_get(struct file *f, bool create);
/* filelock_range.c: */
void range_drop_owner(struct lock_node *n, const void *owner);
bool range_any_posix(void);

/* Runs the host's part: 0 where there is none. */
static inline int64_t lock_on_host(struct file *f, struct host_lock *call) {
    return f->ops->lock ? f->ops->lock(f, call) : 0;
}
/* A pause between two tries on the host, which tells nobody of an unlock: 0 or -ERESTARTSYS. */
int64_t lock_pause(int64_t *pause_ns);

#endif
