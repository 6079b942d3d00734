/* SPDX-License-Identifier: MIT */
/* Waiting for the readiness of several files: what poll(2) and select(2) have in common. */
#ifndef POLL_WAIT_H
#define POLL_WAIT_H

#include <kernel/process.h>
#include <kernel/waitq.h>

/* One file and what is asked of it. */
struct poll_item {
    struct file *file; /* holds a reference; NULL: never ready */
    uint32_t want;     /* POLL* */
    uint32_t got;      /* OUT: of `want`, or POLLNVAL set by the caller beforehand */
    int32_t fd;
    int32_t slot; /* in the array for the loader, -1: asked by file_poll only */
    bool dropped; /* the loader cannot watch it: asked now and then */
    struct waitq_entry entry;
    struct poll_set *set;
};

/* Items by number, in chunks: there may be as many as descriptors (RLIMIT_NOFILE's limit), which no
 * piece of memory holds. */
#define POLL_CHUNK 16384u
#define POLL_CHUNKS 64u /* 1,048,576 items */
struct poll_items {
    uint32_t count;
    struct poll_item *chunks[POLL_CHUNKS];
};
static inline struct poll_item *poll_item(const struct poll_items *items, uint32_t i) {
    return &items->chunks[i / POLL_CHUNK][i % POLL_CHUNK];
}
/* Makes `count` empty items: 0 or -ENOMEM; poll_put() is due in any case. */
int poll_get(struct poll_items *items, uint32_t count);
/* Drops the files and frees the items. */
void poll_put(struct poll_items *items);

/* Waits until an item is ready: number of ready items, 0 at the deadline, -EINTR or -ENOMEM.
 * deadline_ns 0: does not wait.  Items with `got` set count as ready. */
int64_t poll_wait(struct poll_items *items, int64_t deadline_ns);

/* A timeout of ppoll, select, pselect6: where it is, its layout and the deadline. */
struct poll_timeout {
    gva_t at; /* 0: forever */
    bool timeval;
    bool zero;
    int64_t deadline_ns;
};
int poll_timeout_get(struct poll_timeout *t, gva_t at, bool timeval);
/* Swaps in the mask at `mask` (0: none) for the call. */
int poll_mask_get(gva_t mask, uint64_t size);
/* The end of a call with a timeout and a mask: restores the mask and writes the time that is left,
 * unless a handler is about to see the one and a restart will use the other. */
int64_t poll_finish(const struct poll_timeout *t, int64_t result);

#endif
