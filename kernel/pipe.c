/* SPDX-License-Identifier: MIT */
/* Pipes: a ring of slots, each a page frame that is taken when data comes and given back once it
 * is read.  Small writes join the last slot; a packet (O_DIRECT) has its own. */
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "pipe_internal.h"

static uint64_t next_ino = 4096;

struct pipe *pipe_new(void) {
    struct pipe *p = kzalloc(sizeof(*p));

    if (!p) return NULL;
    p->count = PIPE_SLOTS;
    p->slots = kzalloc(p->count * sizeof(p->slots[0]));
    if (!p->slots) {
        kfree(p);
        return NULL;
    }
    waitq_init(&p->waitq);
    p->ino = next_ino++;
    p->atime = p->mtime = p->ctime = clock_realtime_ns();
    return p;
}

void pipe_attach(struct pipe *p, uint32_t flags) {
    if (pipe_reads(flags)) p->readers++, p->reader_opens++;
    if (pipe_writes(flags)) p->writers++, p->writer_opens++;
    waitq_wake(&p->waitq, 0);
}

bool pipe_detach(struct pipe *p, uint32_t flags) {
    if (pipe_reads(flags)) p->readers--;
    if (pipe_writes(flags)) p->writers--;
    if (p->readers || p->writers) {
        waitq_wake(&p->waitq, 0);
        return false;
    }
    while (p->used)
        pipe_drop_first(p);
    if (p->spare) frame_put(p->spare);
    kfree(p->slots);
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
    struct opening o = {.opens = pipe_reads(flags) ? &p->writer_opens : &p->reader_opens};
    bool both = pipe_reads(flags) && pipe_writes(flags);
    bool alone = pipe_reads(flags) ? !p->writers : !p->readers;

    if (!pipe_reads(flags) && alone && pipe_nonblock(flags)) return -ENXIO;
    o.seen = *o.opens;
    pipe_attach(p, flags);
    if (both || !alone || pipe_nonblock(flags)) return 0;
    return wait_for(p, other_end_came, &o);
}

/* Slots. */

static gpa_t take_frame(struct pipe *p) {
    gpa_t frame = p->spare;

    p->spare = 0;
    return frame ? frame : frame_alloc_raw(0);
}

/* The last frame to become free is kept: a pipe that is drained after each write needs no other. */
static void give_frame(struct pipe *p, gpa_t frame) {
    if (!p->spare && frame_refs(frame) == 1)
        p->spare = frame;
    else
        frame_put(frame);
}

void pipe_drop_first(struct pipe *p) {
    struct pipe_slot *s = pipe_slot(p, 0);

    give_frame(p, s->frame);
    p->head = (p->head + 1) & (p->count - 1);
    p->used--;
}

void pipe_push(struct pipe *p, gpa_t frame, uint32_t offset, uint32_t len, bool packet) {
    struct pipe_slot *s = pipe_slot(p, p->used++);

    kassert(p->used <= p->count);
    *s = (struct pipe_slot){frame, (uint16_t)offset, (uint16_t)len, packet};
}

static bool has_data(void *arg) {
    const struct pipe *p = arg;

    return p->used > 0 || p->writers == 0;
}

int pipe_wait_data(struct pipe *p, bool nonblock) {
    if (p->used > 0) return 1;
    if (p->writers == 0) return 0;
    if (nonblock) return -EAGAIN;
    int r = wait_for(p, has_data, p);
    return r ? r : p->used > 0;
}

static bool has_room(void *arg) {
    const struct pipe *p = arg;

    return p->used < p->count || p->readers == 0;
}

int pipe_wait_room(struct pipe *p, bool nonblock) {
    for (;;) {
        int r;

        if (p->readers == 0) {
            signal_send_thread(current_thread(), SIGPIPE, NULL);
            return -EPIPE;
        }
        if (p->used < p->count) return 0;
        r = nonblock ? -EAGAIN : wait_for(p, has_room, p);
        if (r) return r;
    }
}

void pipe_changed(struct pipe *p, bool took) {
    if (took)
        p->atime = clock_realtime_ns();
    else
        p->mtime = p->ctime = clock_realtime_ns();
    waitq_wake(&p->waitq, took ? POLLOUT | POLLWRNORM : POLLIN | POLLRDNORM);
}

int64_t pipe_read(struct pipe *p, uint32_t flags, const struct uio *u) {
    uint64_t done = 0;
    bool packet = false, was_full;
    int r;

    if (u->len == 0) return 0;
    do { /* another reader may have been faster */
        r = pipe_wait_data(p, pipe_nonblock(flags));
        if (r < 0) return r;
    } while (r == 0 && p->writers > 0);
    was_full = p->used == p->count;
    while (done < u->len && p->used > 0 && !packet) {
        struct pipe_slot *s = pipe_slot(p, 0);
        uint32_t n = (uint32_t)min(u->len - done, (uint64_t)s->len);

        r = uio_fill(u, done, (char *)frame_ptr(s->frame) + s->offset, n);
        if (r) return done ? (int64_t)done : r;
        done += n;
        s->offset += (uint16_t)n;
        s->len -= (uint16_t)n;
        packet = s->packet; /* what does not fit is lost with it */
        if (s->len == 0 || packet) pipe_drop_first(p);
    }
    /* Nobody waits for room, or can see more of it, while there is some. */
    if (was_full && p->used < p->count)
        pipe_changed(p, true);
    else
        p->atime = clock_realtime_ns();
    return (int64_t)done;
}

/* The start of a write goes into the last slot if the odd bytes of it fit there: as in Linux, so
 * that as much fits into a pipe as there. */
static int64_t merge(struct pipe *p, uint32_t flags, const struct uio *u) {
    uint32_t odd = u->len & PAGE_MASK;
    struct pipe_slot *s = p->used ? pipe_slot(p, p->used - 1) : NULL;
    uint32_t end = s ? s->offset + s->len : 0;
    int r;

    if (!s || !odd || s->packet || (flags & O_DIRECT) || end + odd > PAGE_SIZE) return 0;
    if (frame_refs(s->frame) != 1) return 0; /* tee(2): another pipe's data too */
    r = uio_drain(u, 0, (char *)frame_ptr(s->frame) + end, odd);
    if (r) return r;
    s->len += (uint16_t)odd;
    return odd;
}

int64_t pipe_put(struct pipe *p, uint32_t flags, const struct uio *u, uint64_t at) {
    uint64_t done = 0;
    int64_t r = at == 0 ? merge(p, flags, u) : 0;

    if (r < 0) return r;
    done = (uint64_t)r;
    while (at + done < u->len && p->used < p->count) {
        uint64_t n = min(u->len - at - done, (uint64_t)PAGE_SIZE);
        gpa_t frame = take_frame(p);

        r = frame ? uio_drain(u, at + done, frame_ptr(frame), n) : -ENOMEM;
        if (r) {
            if (frame) give_frame(p, frame);
            break;
        }
        pipe_push(p, frame, 0, (uint32_t)n, flags & O_DIRECT);
        done += n;
    }
    return done ? (int64_t)done : r;
}

int64_t pipe_write(struct pipe *p, uint32_t flags, const struct uio *u) {
    uint64_t done = 0;
    int64_t r = 0;

    if (u->len == 0) return 0;
    while (done < u->len) {
        /* Odd bytes may fit into a pipe whose slots are all in use. */
        r = p->readers > 0 && p->used == p->count && done == 0 ? pipe_put(p, flags, u, 0) : 0;
        if (r == 0) {
            r = pipe_wait_room(p, pipe_nonblock(flags));
            if (!r) r = pipe_put(p, flags, u, done);
        }
        if (r < 0) break;
        done += (uint64_t)r;
        pipe_changed(p, false);
    }
    return done ? (int64_t)done : r;
}

uint32_t pipe_poll(struct pipe *p, uint32_t flags) {
    uint32_t events = 0;

    if (pipe_reads(flags)) {
        if (p->used > 0) events |= POLLIN | POLLRDNORM;
        if (p->writers == 0 && p->writer_opens > 0) events |= POLLHUP;
    }
    if (pipe_writes(flags)) {
        if (p->used < p->count) events |= POLLOUT | POLLWRNORM;
        if (p->readers == 0) events |= POLLERR;
    }
    return events;
}

struct waitq *pipe_waitq(struct pipe *p) {
    return &p->waitq;
}

int64_t pipe_ioctl(struct pipe *p, uint32_t request, gva_t arg) {
    int32_t bytes = 0;

    if (request != FIONREAD) return -ENOTTY;
    for (uint32_t i = 0; i < p->used; i++)
        bytes += pipe_slot(p, i)->len;
    return put_user(bytes, arg);
}

int64_t pipe_capacity(const struct pipe *p) { return (int64_t)p->count * PAGE_SIZE; }

int64_t pipe_resize(struct pipe *p, uint32_t bytes) {
    uint32_t count = 1;
    struct pipe_slot *slots;

    if (bytes > 1u << 31) return -EINVAL;
    while ((uint64_t)count * PAGE_SIZE < bytes)
        count *= 2;
    if (count > p->count && (uint64_t)count * PAGE_SIZE > PIPE_MAX_BYTES &&
        !process_capable(CAP_SYS_RESOURCE))
        return -EPERM;
    if (count < p->used) return -EBUSY;
    slots = kzalloc(count * sizeof(slots[0]));
    if (!slots) return -ENOMEM;
    for (uint32_t i = 0; i < p->used; i++)
        slots[i] = *pipe_slot(p, i);
    kfree(p->slots);
    p->slots = slots;
    p->count = count;
    p->head = 0;
    waitq_wake(&p->waitq, POLLOUT | POLLWRNORM);
    return pipe_capacity(p);
}
