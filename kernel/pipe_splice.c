/* SPDX-License-Identifier: MIT */
/* Moving whole frames through pipes: what splice(2) and tee(2) are made of. */
#include <hermit/linux_abi.h>
#include <kernel/frame.h>
#include <kernel/uaccess.h>

#include "pipe_internal.h"

int64_t pipe_copy(struct pipe *from, struct pipe *to, uint64_t len, bool tee) {
    uint64_t done = 0;

    for (uint32_t i = 0; done < len && i < from->used && to->used < to->count;) {
        struct pipe_slot *s = pipe_slot(from, i);
        uint32_t n = (uint32_t)min(len - done, (uint64_t)s->len);

        frame_ref(s->frame);
        pipe_push(to, s->frame, s->offset, n, s->packet);
        done += n;
        if (tee) {
            i++;
            continue;
        }
        s->offset += (uint16_t)n;
        s->len -= (uint16_t)n;
        if (s->len == 0) pipe_drop_first(from);
    }
    if (done && !tee) pipe_changed(from, true);
    if (done) pipe_changed(to, false);
    return (int64_t)done;
}

/* Frames for a read of up to len bytes: how many, with iov describing them. */
static uint32_t get_frames(const struct pipe *p, uint64_t len, gpa_t *frames, struct iovec *iov) {
    uint64_t want = min(page_up(len) / PAGE_SIZE, (uint64_t)(p->count - p->used));
    uint32_t n = 0;

    while (n < min(want, (uint64_t)PIPE_SLOTS)) {
        frames[n] = frame_alloc_raw(0);
        if (!frames[n]) break;
        iov[n] = (struct iovec){frame_ptr(frames[n]), min(len, (uint64_t)PAGE_SIZE)};
        len -= iov[n++].iov_len;
    }
    return n;
}

int64_t pipe_fill(struct pipe *p, struct file *in, int64_t *pos, uint64_t len) {
    gpa_t frames[PIPE_SLOTS];
    struct iovec iov[PIPE_SLOTS];
    struct uio u = {.iov = iov, .kernel = true};
    int64_t got, left;

    u.count = get_frames(p, len, frames, iov);
    for (uint32_t i = 0; i < u.count; i++)
        u.len += iov[i].iov_len;
    if (u.count == 0) return p->used < p->count ? -ENOMEM : 0;
    got = pos ? file_pread(in, &u, *pos) : file_read(in, &u);
    if (got > 0 && pos) *pos += got;
    left = got;
    for (uint32_t i = 0; i < u.count; i++) {
        uint32_t n = left > 0 ? (uint32_t)min((uint64_t)left, iov[i].iov_len) : 0;

        /* A read that waited may have let others fill the pipe. */
        while (n && p->used == p->count && p->readers > 0)
            if (pipe_wait_room(p, false)) break;
        if (n && p->used < p->count)
            pipe_push(p, frames[i], 0, n, false);
        else
            frame_put(frames[i]);
        left -= n;
    }
    if (got > 0) pipe_changed(p, false);
    return got;
}

int64_t pipe_drain(struct pipe *p, struct file *out, int64_t *pos, uint64_t len) {
    uint64_t done = 0;
    int64_t r = 0;

    while (done < len && p->used > 0) {
        struct pipe_slot s = *pipe_slot(p, 0), *now;
        struct iovec iov = {(char *)frame_ptr(s.frame) + s.offset,
                            min(len - done, (uint64_t)s.len)};
        struct uio u = {.iov = &iov, .count = 1, .kernel = true, .len = iov.iov_len};

        frame_ref(s.frame); /* the write may wait, and others read */
        r = pos ? file_pwrite(out, &u, *pos) : file_write(out, &u);
        frame_put(s.frame);
        if (r <= 0) break;
        if (pos) *pos += r;
        done += (uint64_t)r;
        now = pipe_slot(p, 0);
        if (p->used == 0 || now->frame != s.frame || now->offset != s.offset) break;
        now->offset += (uint16_t)r;
        now->len -= (uint16_t)r;
        if (now->len == 0) pipe_drop_first(p);
    }
    if (done) pipe_changed(p, true);
    return done ? (int64_t)done : r;
}
