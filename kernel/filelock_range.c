/* SPDX-License-Identifier: MIT */
/* Record locks: fcntl(2)'s F_SETLK and F_OFD_SETLK families.  Owns the list of those who wait, for
 * the detection of deadlocks. */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>

#include "filelock_internal.h"

#define DEADLOCK_DEPTH 10 /* as Linux: longer chains are not looked through */

/* What is asked for; while it waits, an entry of `waiting`. */
struct range_request {
    LIST_ENTRY(range_request) link;
    struct lock_node *node;
    struct range_lock want;
};

static LIST_HEAD(, range_request) waiting;
static uint32_t posix_locks;

bool range_any_posix(void) { return posix_locks > 0; }

static void range_insert(struct lock_node *n, struct range_lock *l) {
    LIST_INSERT_HEAD(&n->ranges, l, link);
    if (!l->ofd) posix_locks++;
}

static void range_remove(struct range_lock *l) {
    LIST_REMOVE(l, link);
    if (!l->ofd) posix_locks--;
    kfree(l);
}

void range_drop_owner(struct lock_node *n, const void *owner) {
    struct range_lock *l, *next;
    LIST_FOREACH_SAFE(l, &n->ranges, link, next) {
        if (l->owner == owner) range_remove(l);
    }
    waitq_wake(&n->waitq, 0);
}

static const struct range_lock *conflict_of(const struct range_request *q) {
    const struct range_lock *l, *w = &q->want;
    LIST_FOREACH(l, &q->node->ranges, link) {
        if (l->owner == w->owner || l->end < w->start || l->start > w->end) continue;
        if (l->type == F_WRLCK || w->type == F_WRLCK) return l;
    }
    return NULL;
}

static bool range_free(void *arg) { return conflict_of(arg) == NULL; }

/* Would waiting for `l` wait for the owner of `q` itself? */
static bool deadlocks(const struct range_request *q, const struct range_lock *l) {
    for (int depth = 0; l != NULL && !l->ofd && depth < DEADLOCK_DEPTH; depth++) {
        const struct range_request *w;
        if (l->owner == q->want.owner) return true;
        LIST_FOREACH(w, &waiting, link) {
            if (w->want.owner == l->owner) break;
        }
        l = w != NULL ? conflict_of(w) : NULL;
    }
    return false;
}

/* Cuts [want.start, want.end] out of l, which overlaps it; *spare takes the second half. */
static void cut(struct lock_node *n, struct range_lock *l, const struct range_lock *want,
                struct range_lock **spare) {
    if (l->start >= want->start && l->end <= want->end) {
        range_remove(l);
    } else if (l->start >= want->start) {
        l->start = want->end + 1;
    } else {
        if (l->end > want->end) {
            struct range_lock *right = *spare;
            *spare = NULL;
            *right = *l;
            right->start = want->end + 1;
            range_insert(n, right);
        }
        l->end = want->start - 1;
    }
}

/* The owner's locks become as if `fresh` were laid over them; both blocks are used or freed. */
static void lay_over(struct lock_node *n, struct range_lock *fresh, struct range_lock *spare) {
    struct range_lock *l, *next;
    LIST_FOREACH_SAFE(l, &n->ranges, link, next) {
        if (l->owner != fresh->owner) continue;
        if (l->type == fresh->type) {
            bool apart = (fresh->end < INT64_MAX && l->start > fresh->end + 1) ||
                         (l->end < INT64_MAX && l->end + 1 < fresh->start);
            if (apart) continue;
            fresh->start = min(fresh->start, l->start);
            fresh->end = max(fresh->end, l->end);
            range_remove(l);
        } else if (l->start <= fresh->end && l->end >= fresh->start) {
            cut(n, l, fresh, &spare);
        }
    }
    if (fresh->type == F_UNLCK)
        kfree(fresh);
    else
        range_insert(n, fresh);
    kfree(spare);
    waitq_wake(&n->waitq, 0);
}

static struct host_owner *host_of(struct lock_node *n) {
    const struct process *process = current_process();
    struct host_owner *h;
    LIST_FOREACH(h, &n->hosts, link) {
        if (h->process == process) return h;
    }
    h = kzalloc(sizeof(*h));
    if (h == NULL) return NULL;
    h->process = process;
    h->handle = NO_HANDLE;
    LIST_INSERT_HEAD(&n->hosts, h, link);
    return h;
}

static int64_t host_range(struct file *f, struct lock_node *n, struct range_lock *l, bool query,
                          int32_t *pid) {
    struct host_lock call = {
        .what = query ? HC_LOCK_QUERY : HC_LOCK_RANGE,
        .type = (uint32_t)l->type,
        .start = l->start,
        .len = l->end == INT64_MAX ? 0 : l->end - l->start + 1,
    };
    if (f->ops->lock == NULL) return 0;
    if (!l->ofd) {
        struct host_owner *h = host_of(n);
        if (h == NULL) return -ENOLCK;
        call.owner = &h->handle;
    }
    int64_t r = f->ops->lock(f, &call);
    if (r != 0 || !query || call.type == F_UNLCK) return r;
    l->type = (int16_t)call.type;
    l->start = call.start;
    l->end = call.len == 0 ? INT64_MAX : call.start + call.len - 1;
    *pid = call.pid;
    return 1;
}

static int64_t wait_for_range(struct range_request *q, const struct range_lock *conflict) {
    if (!q->want.ofd && deadlocks(q, conflict)) return -EDEADLK;
    if (!q->want.ofd) LIST_INSERT_HEAD(&waiting, q, link);
    int r = waitq_wait(&q->node->waitq, range_free, q, WAIT_FOREVER);
    if (!q->want.ofd) LIST_REMOVE(q, link);
    return r == -EINTR ? -ERESTARTSYS : r;
}

static int64_t acquire(struct file *f, struct range_request *q, bool wait) {
    int64_t pause_ns = 0, r = 0;
    while (r == 0) {
        const struct range_lock *conflict = q->want.type == F_UNLCK ? NULL : conflict_of(q);
        if (conflict == NULL) {
            r = host_range(f, q->node, &q->want, false, NULL);
            if (r != -EAGAIN || !wait) return r;
            r = lock_pause(&pause_ns);
        } else {
            r = wait ? wait_for_range(q, conflict) : -EAGAIN;
        }
    }
    return r;
}

static int64_t range_set(struct file *f, int fd, struct range_request *q, bool wait) {
    struct range_lock *fresh = kzalloc(sizeof(*fresh)), *spare = kzalloc(sizeof(*spare));
    int64_t r = fresh != NULL && spare != NULL ? acquire(f, q, wait) : -ENOLCK;
    if (r != 0) {
        kfree(fresh);
        kfree(spare);
        return r;
    }
    *fresh = q->want;
    lay_over(q->node, fresh, spare);
    if (q->want.ofd || q->want.type == F_UNLCK) return 0;
    /* Closed by another thread meanwhile: nobody would release the lock. */
    struct file *now = fd_get(fd);
    if (now != f) filelock_fd_closed(f);
    if (now != NULL) file_put(now);
    return now == f ? 0 : -EBADF;
}

/* The struct flock of a conflicting lock, or F_UNLCK; l_pid as Linux has it. */
static int64_t range_query(struct file *f, struct range_request *q, struct flock *out) {
    const struct range_lock *l = conflict_of(q);
    struct range_lock found = q->want;
    int32_t pid = 0;
    if (l != NULL) {
        found = *l;
        pid = l->ofd ? -1 : ((const struct process *)l->owner)->pid;
    } else {
        int64_t r = host_range(f, q->node, &found, true, &pid);
        if (r < 0) return r;
        if (r == 0) {
            out->l_type = F_UNLCK;
            return 0;
        }
    }
    out->l_type = found.type;
    out->l_whence = SEEK_SET;
    out->l_start = found.start;
    out->l_len = found.end == INT64_MAX ? 0 : found.end - found.start + 1;
    out->l_pid = pid;
    return 0;
}

/* [start, end] of a struct flock: 0 or -errno. */
static int range_of(struct file *f, const struct flock *in, int64_t *start, int64_t *end) {
    struct hc_attr attr;
    int64_t base = 0;
    if (in->l_whence == SEEK_CUR) {
        base = f->pos;
    } else if (in->l_whence == SEEK_END) {
        int r = file_getattr(f, &attr);
        if (r != 0) return r;
        base = (int64_t)attr.size;
    } else if (in->l_whence != SEEK_SET) {
        return -EINVAL;
    }
    if (__builtin_add_overflow(base, in->l_start, start)) return -EOVERFLOW;
    if (*start < 0) return -EINVAL;
    *end = INT64_MAX;
    if (in->l_len > 0) {
        if (__builtin_add_overflow(*start, in->l_len - 1, end)) return -EOVERFLOW;
    } else if (in->l_len < 0) {
        if (*start + in->l_len < 0) return -EINVAL;
        *end = *start - 1;
        *start += in->l_len;
    }
    return in->l_type == F_RDLCK || in->l_type == F_WRLCK || in->l_type == F_UNLCK ? 0 : -EINVAL;
}

int64_t filelock_fcntl(struct file *f, int fd, int cmd, gva_t at) {
    bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
    bool query = cmd == F_GETLK || cmd == F_OFD_GETLK;
    struct range_request q;
    struct flock lock;
    if (get_user(lock, at) != 0) return -EFAULT;
    if (query && lock.l_type != F_RDLCK && lock.l_type != F_WRLCK) return -EINVAL;
    q.want = (struct range_lock){
        .owner = ofd ? (const void *)f : current_process(), .ofd = ofd, .type = lock.l_type};
    int64_t r = range_of(f, &lock, &q.want.start, &q.want.end);
    if (r != 0) return r;
    uint32_t access = f->flags & O_ACCMODE;
    if (!query && lock.l_type == F_RDLCK && access == O_WRONLY) return -EBADF;
    if (!query && lock.l_type == F_WRLCK && access == O_RDONLY) return -EBADF;
    if (ofd && lock.l_pid != 0) return -EINVAL;
    q.node = lock_node_get(f, true);
    if (q.node == NULL) return -ENOLCK;
    if (!query) return range_set(f, fd, &q, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
    r = range_query(f, &q, &lock);
    return r != 0 ? r : put_user(lock, at);
}
