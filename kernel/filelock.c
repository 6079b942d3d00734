/* SPDX-License-Identifier: MIT */
/* Files that have locks, and flock(2).  Owns the table of such files. */
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/wait.h>

#include "filelock_internal.h"

#define BUCKETS 64u /* a power of two */
#define FIRST_PAUSE_NS 500000
#define LAST_PAUSE_NS 20000000

static LIST_HEAD(, lock_node) table[BUCKETS];

static struct lock_node *node_new(const struct hc_attr *attr, const struct fs_ops *fs) {
    struct lock_node *n = kzalloc(sizeof(*n));
    if (n == NULL) return NULL;
    waitq_init(&n->waitq);
    n->fs = fs;
    n->dev = attr->dev;
    n->ino = attr->ino;
    LIST_INSERT_HEAD(&table[attr->ino & (BUCKETS - 1)], n, link);
    return n;
}

struct lock_node *lock_node_get(struct file *f, bool create) {
    if (f->locks != NULL) return f->locks;
    const struct fs_ops *fs = f->mnt != NULL ? f->mnt->ops : NULL;
    struct hc_attr attr;
    struct lock_node *n;
    if (file_getattr(f, &attr) != 0) return NULL;
    LIST_FOREACH(n, &table[attr.ino & (BUCKETS - 1)], link) {
        if (n->ino == attr.ino && n->dev == attr.dev && n->fs == fs) break;
    }
    if (!create) return n;
    if (n == NULL) n = node_new(&attr, fs);
    if (n == NULL) return NULL;
    n->refs++;
    f->locks = n;
    return n;
}

int64_t lock_pause(int64_t *pause_ns) {
    *pause_ns = *pause_ns == 0 ? FIRST_PAUSE_NS : min(*pause_ns * 2, (int64_t)LAST_PAUSE_NS);
    int r = wait_until_woken(NULL, NULL, clock_monotonic_ns() + *pause_ns);
    return r == -EINTR ? -ERESTARTSYS : 0;
}

static struct whole_lock *whole_of(const struct lock_node *n, const struct file *f) {
    struct whole_lock *l;
    LIST_FOREACH(l, &n->wholes, link) {
        if (l->owner == f) return l;
    }
    return NULL;
}

static void whole_drop(struct lock_node *n, struct whole_lock *l) {
    LIST_REMOVE(l, link);
    kfree(l);
    waitq_wake(&n->waitq, 0);
}

struct whole_request {
    const struct lock_node *node;
    const struct file *file;
    bool exclusive;
};

static bool whole_free(void *arg) {
    const struct whole_request *q = arg;
    const struct whole_lock *l;
    LIST_FOREACH(l, &q->node->wholes, link) {
        if (l->owner != q->file && (l->exclusive || q->exclusive)) return false;
    }
    return true;
}

static int64_t host_flock(struct file *f, uint32_t type) {
    struct host_lock call = {.what = HC_LOCK_WHOLE, .type = type};
    return lock_on_host(f, &call);
}

static int64_t flock_wait(struct file *f, struct lock_node *n, struct whole_request *q,
                          bool nonblock) {
    int64_t pause_ns = 0;
    for (;;) {
        int64_t r = 0;
        if (!whole_free(q)) {
            if (nonblock) return -EWOULDBLOCK;
            r = waitq_wait(&n->waitq, whole_free, q, WAIT_FOREVER);
            if (r != 0) return r == -EINTR ? -ERESTARTSYS : r;
            continue;
        }
        r = host_flock(f, q->exclusive ? F_WRLCK : F_RDLCK);
        if (r != -EWOULDBLOCK || nonblock) return r;
        r = lock_pause(&pause_ns);
        if (r != 0) return r;
    }
}

int64_t filelock_flock(struct file *f, int operation) {
    int kind = operation & ~LOCK_NB;
    struct lock_node *n = lock_node_get(f, kind != LOCK_UN);
    struct whole_request q = {n, f, kind == LOCK_EX};
    if (n == NULL) return kind == LOCK_UN ? 0 : -ENOLCK;
    struct whole_lock *l = whole_of(n, f);
    if (l != NULL && kind != LOCK_UN && l->exclusive == q.exclusive) return 0;
    /* A lock that changes its kind is given up first: flock(2), "not guaranteed to be atomic". */
    if (l != NULL) {
        whole_drop(n, l);
        host_flock(f, F_UNLCK);
    }
    if (kind == LOCK_UN) return 0;
    l = kzalloc(sizeof(*l));
    if (l == NULL) return -ENOLCK;
    int64_t r = flock_wait(f, n, &q, (operation & LOCK_NB) != 0);
    struct whole_lock *other = whole_of(n, f); /* another thread's, on the same open file */
    if (r != 0 || other != NULL) {
        if (r == 0) other->exclusive = q.exclusive;
        kfree(l);
        return r;
    }
    l->owner = f;
    l->exclusive = q.exclusive;
    LIST_INSERT_HEAD(&n->wholes, l, link);
    return 0;
}

static void drop_hosts(struct lock_node *n, const struct process *process) {
    struct host_owner *h, *next;
    LIST_FOREACH_SAFE(h, &n->hosts, link, next) {
        if (process != NULL && h->process != process) continue;
        hostfs_close_handle(h->handle);
        LIST_REMOVE(h, link);
        kfree(h);
    }
}

void filelock_fd_closed(struct file *f) {
    if (!range_any_posix() || (f->flags & O_PATH) != 0) return;
    struct lock_node *n = lock_node_get(f, false);
    if (n == NULL) return;
    range_drop_owner(n, current_process());
    drop_hosts(n, current_process()); /* which ends the locks there */
}

/* The host's part ends with the handle. */
void filelock_file_gone(struct file *f) {
    struct lock_node *n = f->locks;
    if (n == NULL) return;
    f->locks = NULL;
    struct whole_lock *l = whole_of(n, f);
    if (l != NULL) whole_drop(n, l);
    range_drop_owner(n, f);
    if (--n->refs > 0) return;
    drop_hosts(n, NULL);
    LIST_REMOVE(n, link);
    kfree(n);
}
