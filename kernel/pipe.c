/* SPDX-License-Identifier: MIT */
/* Pipes: a 64 KiB ring of bytes in page frames, which are taken when data first reaches them and
 * given back with the pipe. */
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>
#include <kernel/waitq.h>

#include "pipe.h"

#define PIPE_PAGES 16u
#define PIPE_BYTES (PIPE_PAGES * PAGE_SIZE)
#define PIPE_DEV 0x0d /* st_dev of pipes without a name */

struct pipe {
    struct waitq waitq; /* of both ends */
    gpa_t pages[PIPE_PAGES];
    uint32_t start, used; /* bytes */
    uint32_t readers, writers;
    uint32_t reader_opens, writer_opens; /* ever: an opener waits for one to come, even briefly */
    uint64_t ino;
    int64_t atime, mtime, ctime;
};

static uint64_t next_ino = 4096;

static bool reads(uint32_t flags) { return (flags & O_ACCMODE) != O_WRONLY; }
static bool writes(uint32_t flags) { return (flags & O_ACCMODE) != O_RDONLY; }
static bool nonblock(uint32_t flags) { return flags & O_NONBLOCK; }

struct pipe *pipe_new(void) {
    struct pipe *p = kzalloc(sizeof(*p));

    if (!p) return NULL;
    waitq_init(&p->waitq);
    p->ino = next_ino++;
    p->atime = p->mtime = p->ctime = clock_realtime_ns();
    return p;
}

void pipe_attach(struct pipe *p, uint32_t flags) {
    if (reads(flags)) p->readers++, p->reader_opens++;
    if (writes(flags)) p->writers++, p->writer_opens++;
    waitq_wake(&p->waitq, 0);
}

static void drop_pages(struct pipe *p) {
    for (uint32_t i = 0; i < PIPE_PAGES; i++) {
        if (p->pages[i]) frame_put(p->pages[i]);
        p->pages[i] = 0;
    }
}

bool pipe_detach(struct pipe *p, uint32_t flags) {
    if (reads(flags)) p->readers--;
    if (writes(flags)) p->writers--;
    if (p->readers || p->writers) {
        waitq_wake(&p->waitq, 0);
        return false;
    }
    drop_pages(p);
    kfree(p);
    return true;
}

/* A signal ends the wait; whether the call starts over is decided where it is delivered. */
static int wait_for(struct pipe *p, bool (*ready)(void *), void *arg) {
    int r = waitq_wait(&p->waitq, ready, arg, WAIT_FOREVER);

    return r == -EINTR ? -ERESTARTSYS : r;
}

struct opening {
    const uint32_t *opens;
    uint32_t seen;
};

static bool other_end_came(void *arg) {
    const struct opening *o = arg;

    return *o->opens != o->seen;
}

int pipe_open(struct pipe *p, uint32_t flags) {
    struct opening o = {.opens = reads(flags) ? &p->writer_opens : &p->reader_opens};
    bool both = reads(flags) && writes(flags);
    bool alone = reads(flags) ? !p->writers : !p->readers;

    if (!reads(flags) && alone && nonblock(flags)) return -ENXIO;
    o.seen = *o.opens;
    pipe_attach(p, flags);
    if (both || !alone || nonblock(flags)) return 0;
    return wait_for(p, other_end_came, &o);
}

/* The bytes at ring position `at` up to the end of their page; *len is what may be used. */
static char *ring(struct pipe *p, uint32_t at, uint64_t *len) {
    uint32_t page = at / PAGE_SIZE % PIPE_PAGES, in_page = at % PAGE_SIZE;

    if (!p->pages[page]) p->pages[page] = frame_alloc_raw(0);
    if (!p->pages[page]) return NULL;
    *len = min(*len, (uint64_t)(PAGE_SIZE - in_page));
    return (char *)frame_ptr(p->pages[page]) + in_page;
}

static bool can_take(void *arg) {
    const struct pipe *p = arg;

    return p->used > 0 || p->writers == 0;
}

int64_t pipe_read(struct pipe *p, uint32_t flags, const struct uio *u) {
    uint64_t done = 0, n;
    bool was_full;
    int r;

    if (u->len == 0) return 0;
    if (p->used == 0) {
        if (p->writers == 0) return 0;
        if (nonblock(flags)) return -EAGAIN;
        r = wait_for(p, can_take, p);
        if (r) return r;
    }
    was_full = PIPE_BYTES - p->used < PIPE_BUF;
    while (done < u->len && p->used > 0) {
        char *from;

        n = min(u->len - done, (uint64_t)p->used);
        from = ring(p, p->start, &n);
        if (!from) break;
        r = uio_fill(u, done, from, n);
        if (r) return done ? (int64_t)done : r;
        p->start = (p->start + (uint32_t)n) % PIPE_BYTES;
        p->used -= (uint32_t)n;
        done += n;
    }
    if (p->used == 0) p->start = 0; /* small messages keep to the first page */
    p->atime = clock_realtime_ns();
    /* Nobody waits for room, or can see more of it, while there is enough for any write. */
    if (was_full) waitq_wake(&p->waitq, POLLOUT | POLLWRNORM);
    return (int64_t)done;
}

struct writing {
    struct pipe *pipe;
    uint32_t need; /* bytes of room */
};

static bool can_put(void *arg) {
    const struct writing *w = arg;

    return PIPE_BYTES - w->pipe->used >= w->need || w->pipe->readers == 0;
}

/* Moves what fits; bytes or -errno. */
static int64_t put(struct pipe *p, const struct uio *u, uint64_t at) {
    uint64_t done = 0, n;

    while (at + done < u->len && p->used < PIPE_BYTES) {
        char *to;
        int r;

        n = min(u->len - at - done, (uint64_t)(PIPE_BYTES - p->used));
        to = ring(p, (p->start + p->used) % PIPE_BYTES, &n);
        r = to ? uio_drain(u, at + done, to, n) : -ENOMEM;
        if (r) return done ? (int64_t)done : r;
        p->used += (uint32_t)n;
        done += n;
    }
    return (int64_t)done;
}

int64_t pipe_write(struct pipe *p, uint32_t flags, const struct uio *u) {
    /* Up to PIPE_BUF bytes go in one piece, more goes as room appears. */
    struct writing w = {.pipe = p, .need = u->len <= PIPE_BUF ? (uint32_t)u->len : 1};
    uint64_t done = 0;
    int64_t r = 0;

    if (u->len == 0) return 0;
    while (done < u->len) {
        if (p->readers == 0) {
            signal_send_thread(current_thread(), SIGPIPE, NULL);
            r = -EPIPE;
            break;
        }
        if (PIPE_BYTES - p->used < w.need) {
            r = nonblock(flags) ? -EAGAIN : wait_for(p, can_put, &w);
            if (r) break;
            continue;
        }
        r = put(p, u, done);
        if (r < 0) break;
        done += (uint64_t)r;
        w.need = 1;
        waitq_wake(&p->waitq, POLLIN | POLLRDNORM);
    }
    if (done) p->mtime = p->ctime = clock_realtime_ns();
    return done ? (int64_t)done : r;
}

uint32_t pipe_poll(struct pipe *p, uint32_t flags) {
    uint32_t events = 0;

    if (reads(flags)) {
        if (p->used > 0) events |= POLLIN | POLLRDNORM;
        if (p->writers == 0 && p->writer_opens > 0) events |= POLLHUP;
    }
    if (writes(flags)) {
        if (PIPE_BYTES - p->used >= PIPE_BUF) events |= POLLOUT | POLLWRNORM;
        if (p->readers == 0) events |= POLLERR;
    }
    return events;
}

struct waitq *pipe_waitq(struct pipe *p) {
    return &p->waitq;
}

int64_t pipe_ioctl(struct pipe *p, uint32_t request, gva_t arg) {
    int32_t bytes = (int32_t)p->used;

    if (request != FIONREAD) return -ENOTTY;
    return put_user(bytes, arg);
}

/* An end of a pipe without a name. */

static int64_t end_read(struct file *f, const struct uio *u, int64_t *pos) {
    return pipe_read(f->priv, f->flags, u);
}

static int64_t end_write(struct file *f, const struct uio *u, int64_t *pos) {
    return pipe_write(f->priv, f->flags, u);
}

static struct waitq *end_waitq(struct file *f) { return pipe_waitq(f->priv); }

static uint32_t end_poll(struct file *f) { return pipe_poll(f->priv, f->flags); }

static int64_t end_ioctl(struct file *f, uint32_t request, gva_t arg) {
    return pipe_ioctl(f->priv, request, arg);
}

static int end_getattr(struct file *f, struct hc_attr *attr) {
    const struct pipe *p = f->priv;

    *attr = (struct hc_attr){
        .ino = p->ino,
        .dev = PIPE_DEV,
        .nlink = 1,
        .mode = S_IFIFO | 0600,
        .uid = current_process()->fsuid,
        .gid = current_process()->fsgid,
        .blksize = PAGE_SIZE,
        .atime_ns = p->atime,
        .mtime_ns = p->mtime,
        .ctime_ns = p->ctime,
    };
    return 0;
}

static void end_release(struct file *f) { pipe_detach(f->priv, f->flags); }
static int end_reopen(struct file *f, struct file *out);

static const struct file_ops pipe_ops = {
    .read = end_read,
    .write = end_write,
    .poll = end_poll,
    .waitq = end_waitq,
    .ioctl = end_ioctl,
    .getattr = end_getattr,
    .reopen = end_reopen,
    .release = end_release,
};

static int end_reopen(struct file *f, struct file *out) {
    struct pipe *p = f->priv;
    int r = pipe_open(p, out->flags);

    if (r) {
        if (r != -ENXIO) pipe_detach(p, out->flags);
        return r;
    }
    out->ops = &pipe_ops;
    out->priv = p;
    out->mode = S_IFIFO;
    return 0;
}

int pipe_create(struct file *ends[2], uint32_t flags) {
    struct pipe *p = pipe_new();

    if (!p) return -ENFILE;
    for (int i = 0; i < 2; i++) {
        ends[i] = file_new(&pipe_ops, (flags & O_NONBLOCK) | (i ? O_WRONLY : O_RDONLY), S_IFIFO);
        if (!ends[i]) {
            if (i)
                file_put(ends[0]);
            else
                kfree(p);
            return -ENFILE;
        }
        ends[i]->priv = p;
        pipe_attach(p, ends[i]->flags);
    }
    return 0;
}
