/* SPDX-License-Identifier: MIT */
/* Private to pipe*.c: what a pipe is made of. */
#ifndef PIPE_INTERNAL_H
#define PIPE_INTERNAL_H

#include <kernel/wait.h>
#include <kernel/waitq.h>

#include "pipe.h"

#define PIPE_SLOTS 16u            /* of a new pipe: 64 KiB */
#define PIPE_MAX_BYTES (1u << 20) /* /proc/sys/fs/pipe-max-size: without privilege no more */

/* Bytes of one page frame, of which the slot has a reference. */
struct pipe_slot {
    gpa_t frame;
    uint16_t offset, len; /* bytes */
    bool packet;          /* one read takes no more than this */
};

struct pipe {
    struct waitq waitq;      /* of both ends */
    struct pipe_slot *slots; /* a ring, owned */
    uint32_t count;          /* a power of two */
    uint32_t head, used;
    gpa_t spare; /* a frame without data, 0: none */
    uint32_t readers, writers;
    uint32_t reader_opens, writer_opens; /* ever: an opener waits for one to come, even briefly */
    uint64_t ino;
    int64_t atime, mtime, ctime;
};

static inline bool pipe_reads(uint32_t flags) { return (flags & O_ACCMODE) != O_WRONLY; }
static inline bool pipe_writes(uint32_t flags) { return (flags & O_ACCMODE) != O_RDONLY; }
static inline bool pipe_nonblock(uint32_t flags) { return flags & O_NONBLOCK; }
/* Slot i of those in use, or, with i == used, the next to be used. */
static inline struct pipe_slot *pipe_slot(const struct pipe *p, uint32_t i) {
    return &p->slots[(p->head + i) & (p->count - 1)];
}

void pipe_drop_first(struct pipe *p);
/* Takes over a reference to frame; there must be room. */
void pipe_push(struct pipe *p, gpa_t frame, uint32_t offset, uint32_t len, bool packet);
/* Wakes the other side: data was taken, or put. */
void pipe_changed(struct pipe *p, bool took);

#endif
