/* SPDX-License-Identifier: MIT */
/* inotify(7): instances, their watches and queues of events. */
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>

#include "inotify_internal.h"

#define MAX_INSTANCES 128 /* Linux's defaults of /proc/sys/fs/inotify */
#define MAX_QUEUED 16384
#define MAX_WATCHES 65536
#define KEPT_FLAGS (IN_EXCL_UNLINK | IN_ONESHOT)
#define ANON_DEV 0x0e /* st_dev of files without a name */

struct event {
    TAILQ_ENTRY(event) link;
    struct inotify_event head; /* len: the name's, padded */
    char name[];
};

struct inotify {
    struct waitq waitq;
    struct watch_list watches;
    TAILQ_HEAD(event_tail, event) events;
    uint32_t count, bytes; /* of events */
    int32_t last_wd;
};

uint32_t notify_watches;
static uint32_t instances;

static uint32_t event_size(const struct event *e) {
    return (uint32_t)sizeof(e->head) + e->head.len;
}

static bool repeats_last(const struct inotify *in, const struct event *e) {
    const struct event *last = TAILQ_LAST(&in->events, event_tail);
    return last != NULL && memcmp(&last->head, &e->head, sizeof(e->head)) == 0 &&
           memcmp(last->name, e->name, e->head.len) == 0;
}

static void queue(struct inotify *in, int32_t wd, uint32_t mask, uint32_t cookie,
                  const char *name) {
    size_t len = strlen(name), padded = len != 0 ? (len + sizeof(struct inotify_event)) &
                                                       ~(sizeof(struct inotify_event) - 1)
                                                 : 0;
    if (in->count == MAX_QUEUED) wd = -1, mask = IN_Q_OVERFLOW, cookie = 0, padded = len = 0;
    struct event *e = kzalloc(sizeof(*e) + padded);
    if (e == NULL) return;
    e->head = (struct inotify_event){wd, mask, cookie, (uint32_t)padded};
    memcpy(e->name, name, len);
    if (in->count > MAX_QUEUED || repeats_last(in, e)) {
        kfree(e);
        return;
    }
    TAILQ_INSERT_TAIL(&in->events, e, link);
    in->count++;
    in->bytes += event_size(e);
    waitq_wake(&in->waitq, POLLIN | POLLRDNORM);
}

void watch_end(struct watch *w) {
    queue(w->instance, w->wd, IN_IGNORED, 0, "");
    LIST_REMOVE(w, by_path);
    LIST_REMOVE(w, in_instance);
    notify_watches--;
    kfree(w->path);
    kfree(w);
}

void watch_event(struct watch *w, uint32_t mask, uint32_t cookie, const char *name) {
    bool last = (w->mask & IN_ONESHOT) != 0;
    queue(w->instance, w->wd, mask, cookie, name);
    if (last) watch_end(w);
}

static bool has_event(void *arg) {
    const struct inotify *in = arg;
    return in->count > 0;
}

static int64_t inotify_read(struct file *f, const struct uio *u, int64_t *pos) {
    struct inotify *in = f->priv;
    uint64_t done = 0;
    if (in->count == 0) {
        if ((f->flags & O_NONBLOCK) != 0) return -EAGAIN;
        int r = waitq_wait(&in->waitq, has_event, in, WAIT_FOREVER);
        if (r != 0) return r == -EINTR ? -ERESTARTSYS : r;
    }
    while (in->count > 0) {
        struct event *e = TAILQ_FIRST(&in->events);
        uint32_t size = event_size(e);
        if (size > u->len - done) return done > 0 ? (int64_t)done : -EINVAL;
        if (uio_fill(u, done, &e->head, size) != 0) return done > 0 ? (int64_t)done : -EFAULT;
        TAILQ_REMOVE(&in->events, e, link);
        in->count--;
        in->bytes -= size;
        kfree(e);
        done += size;
    }
    return (int64_t)done;
}

static uint32_t inotify_poll(struct file *f) {
    return has_event(f->priv) ? POLLIN | POLLRDNORM : 0;
}

static struct waitq *inotify_waitq(struct file *f) {
    struct inotify *in = f->priv;
    return &in->waitq;
}

static int64_t inotify_ioctl(struct file *f, uint32_t request, gva_t arg) {
    const struct inotify *in = f->priv;
    int32_t bytes = (int32_t)in->bytes;
    return request == FIONREAD ? put_user(bytes, arg) : -ENOTTY;
}

static int inotify_getattr(struct file *f, struct hc_attr *attr) {
    *attr = (struct hc_attr){.ino = 1, .dev = ANON_DEV, .nlink = 1, .mode = 0600};
    attr->blksize = PAGE_SIZE;
    return 0;
}

static int64_t inotify_seek(struct file *f, int64_t offset, int whence) { return -ESPIPE; }

static void inotify_release(struct file *f) {
    struct inotify *in = f->priv;
    while (!LIST_EMPTY(&in->watches))
        watch_end(LIST_FIRST(&in->watches));
    while (!TAILQ_EMPTY(&in->events)) {
        struct event *e = TAILQ_FIRST(&in->events);
        TAILQ_REMOVE(&in->events, e, link);
        kfree(e);
    }
    kfree(in);
    instances--;
}

static const struct file_ops inotify_ops = {
    .async = true,
    .read = inotify_read,
    .poll = inotify_poll,
    .waitq = inotify_waitq,
    .ioctl = inotify_ioctl,
    .getattr = inotify_getattr,
    .seek = inotify_seek,
    .release = inotify_release,
};

int inotify_create(uint32_t flags, struct file **out) {
    if (instances == MAX_INSTANCES) return -EMFILE;
    struct inotify *in = kzalloc(sizeof(*in));
    struct file *f = in != NULL ? file_new(&inotify_ops, O_RDONLY | (flags & O_NONBLOCK), 0) : NULL;
    if (f == NULL) {
        kfree(in);
        return -ENOMEM;
    }
    waitq_init(&in->waitq);
    TAILQ_INIT(&in->events);
    f->priv = in;
    instances++;
    *out = f;
    return 0;
}

static struct watch *watch_of(const struct inotify *in, const struct hc_attr *attr,
                              const struct fs_ops *fs) {
    struct watch *w;
    LIST_FOREACH(w, &in->watches, in_instance) {
        if (w->ino == attr->ino && w->dev == attr->dev && w->fs == fs) return w;
    }
    return NULL;
}

static int64_t watch_new(struct inotify *in, const struct vpath *p, const struct hc_attr *attr,
                         uint32_t mask) {
    if (notify_watches == MAX_WATCHES) return -ENOSPC;
    struct watch *w = kzalloc(sizeof(*w));
    char *path = kstrdup(p->text);
    if (w == NULL || path == NULL) {
        kfree(w);
        kfree(path);
        return -ENOMEM;
    }
    w->instance = in;
    w->path = path;
    w->fs = p->mnt->ops;
    w->dev = attr->dev;
    w->ino = attr->ino;
    w->mask = mask & (IN_ALL_EVENTS | KEPT_FLAGS);
    w->wd = ++in->last_wd;
    LIST_INSERT_HEAD(&in->watches, w, in_instance);
    LIST_INSERT_HEAD(notify_bucket(path, strlen(path)), w, by_path);
    notify_watches++;
    return w->wd;
}

int64_t inotify_add(struct file *f, struct vpath *p, uint32_t mask) {
    struct hc_attr attr;
    if (f->ops != &inotify_ops) return -EINVAL;
    bool follow = (mask & IN_DONT_FOLLOW) == 0;
    int r = vfs_stat(p, follow, &attr);
    if (r != 0) return r;
    if ((mask & IN_ONLYDIR) != 0 && !S_ISDIR(attr.mode)) return -ENOTDIR;
    r = vfs_permission(&attr, 4);
    if (r != 0) return r;
    struct watch *w = watch_of(f->priv, &attr, p->mnt->ops);
    if (w == NULL) return watch_new(f->priv, p, &attr, mask);
    if ((mask & IN_MASK_CREATE) != 0) return -EEXIST;
    uint32_t old = (mask & IN_MASK_ADD) != 0 ? w->mask : 0;
    w->mask = old | (mask & (IN_ALL_EVENTS | KEPT_FLAGS));
    return w->wd;
}

int64_t inotify_remove(struct file *f, int32_t wd) {
    struct inotify *in = f->priv;
    struct watch *w;
    if (f->ops != &inotify_ops) return -EINVAL;
    LIST_FOREACH(w, &in->watches, in_instance) {
        if (w->wd != wd) continue;
        watch_end(w);
        return 0;
    }
    return -EINVAL;
}
