/* SPDX-License-Identifier: MIT */
/* eventfd(2): a counter that threads wait for.  Owns the counters. */
#include <hermit/linux_abi.h>
#include <kernel/anon_file.h>
#include <kernel/heap.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>
#include <kernel/waitq.h>

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
    struct waitq waitq;
    uint64_t count;
    bool semaphore;
};

struct adding {
    const struct eventfd *e;
    uint64_t value;
};

static bool can_take(void *arg) { return ((const struct eventfd *)arg)->count > 0; }

static bool can_add(void *arg) {
    const struct adding *a = arg;
    return COUNT_MAX - a->e->count >= a->value;
}

static int wait_for(struct file *f, bool (*ready)(void *), void *arg) {
    struct eventfd *e = f->priv;
    if (ready(arg)) return 0;
    if (f->flags & O_NONBLOCK) return -EAGAIN;
    int r = waitq_wait(&e->waitq, ready, arg, WAIT_FOREVER);
    return r == -EINTR ? -ERESTARTSYS : r;
}

static int64_t eventfd_read(struct file *f, const struct uio *u, int64_t *pos) {
    struct eventfd *e = f->priv;
    uint64_t value;
    if (u->len < sizeof(value)) return -EINVAL;
    int r = wait_for(f, can_take, e);
    if (r != 0) return r;
    value = e->semaphore ? 1 : e->count;
    e->count -= value;
    waitq_wake(&e->waitq, POLLOUT);
    r = uio_fill(u, 0, &value, sizeof(value));
    return r != 0 ? r : (int64_t)sizeof(value);
}

static int64_t eventfd_write(struct file *f, const struct uio *u, int64_t *pos) {
    struct eventfd *e = f->priv;
    struct adding a = {.e = e};
    if (u->len < sizeof(a.value)) return -EINVAL;
    int r = uio_drain(u, 0, &a.value, sizeof(a.value));
    if (r != 0) return r;
    if (a.value == UINT64_MAX) return -EINVAL;
    r = wait_for(f, can_add, &a);
    if (r != 0) return r;
    e->count += a.value;
    waitq_wake(&e->waitq, POLLIN);
    return sizeof(a.value);
}

static uint32_t eventfd_poll(struct file *f) {
    const struct eventfd *e = f->priv;
    return (e->count > 0 ? POLLIN : 0u) | (e->count < COUNT_MAX ? POLLOUT : 0u);
}

static struct waitq *eventfd_waitq(struct file *f) { return &((struct eventfd *)f->priv)->waitq; }

static void eventfd_release(struct file *f) { kfree(f->priv); }

static const struct file_ops eventfd_ops = {
    .kind = "[eventfd]",
    .read = eventfd_read,
    .write = eventfd_write,
    .seek = anon_seek,
    .getattr = anon_getattr,
    .poll = eventfd_poll,
    .waitq = eventfd_waitq,
    .release = eventfd_release,
};

struct file *eventfd_create(uint64_t count, bool semaphore, uint32_t flags) {
    struct eventfd *e = kzalloc(sizeof(*e));
    if (e == NULL) return NULL;
    waitq_init(&e->waitq);
    e->count = count;
    e->semaphore = semaphore;
    return anon_file(&eventfd_ops, flags, e);
}

bool eventfd_is(const struct file *f) { return f->ops == &eventfd_ops; }

void eventfd_signal(struct file *f, uint64_t n) {
    struct eventfd *e = f->priv;
    uint64_t room = UINT64_MAX - e->count;
    e->count += min(n, room);
    waitq_wake(&e->waitq, POLLIN);
}
