/* SPDX-License-Identifier: MIT */
/* The bytes that wait in a stream socket.  Nothing is kept for a socket without any. */
#include <kernel/heap.h>

#include "inet_tcp.h"

#define HEADER sizeof(struct tcp_chunk)
#define LARGEST (32768u - 32u) /* blocks of the heap that fill their frames */

/* Small messages take small pieces; a queue that grows takes larger ones. */
static uint32_t chunk_bytes(uint64_t want, uint64_t queued) {
    uint32_t size = queued == 0 ? 512 : 2032;

    if (queued >= 8192) size = 16384 - 32;
    if (want + HEADER > 2032 && size < 4096 - 32) size = 4096 - 32;
    while (size < want + HEADER && size < LARGEST)
        size = size < 4064 ? 4096 - 32 : (size + 32) * 2 - 32;
    return min(size, LARGEST);
}

static struct tcp_chunk *add_chunk(struct tcp_queue *q, uint64_t want) {
    uint32_t bytes = chunk_bytes(want, tcp_queued(q));
    struct tcp_chunk *c = kmalloc(bytes);

    if (c == NULL) return NULL;
    *c = (struct tcp_chunk){.size = bytes - (uint32_t)HEADER};
    if (q->last != NULL)
        q->last->next = c;
    else
        q->first = c;
    q->last = c;
    return c;
}

/* Drops a piece at the end that nothing was put into. */
static void drop_empty_last(struct tcp_queue *q) {
    struct tcp_chunk *c = q->last, *before = q->first;

    if (c == NULL || c->end > c->start) return;
    if (before == c) {
        q->first = q->last = NULL;
    } else {
        while (before->next != c)
            before = before->next;
        before->next = NULL;
        q->last = before;
    }
    kfree(c);
}

int64_t tcp_queue_put(struct tcp_queue *q, const struct uio *u, uint64_t at, uint64_t len) {
    uint64_t done = 0;
    int r = 0;

    while (done < len) {
        struct tcp_chunk *c = q->last;
        uint32_t n;

        if (c == NULL || c->end == c->size) c = add_chunk(q, len - done);
        if (c == NULL) {
            r = -ENOMEM;
            break;
        }
        n = (uint32_t)min(len - done, (uint64_t)(c->size - c->end));
        r = uio_drain(u, at + done, c->data + c->end, n);
        if (r) break;
        c->end += n;
        done += n;
        q->tail += n;
    }
    if (r) drop_empty_last(q);
    return done > 0 ? (int64_t)done : r;
}

int tcp_queue_copy(const struct tcp_queue *q, uint64_t skip, const struct uio *u, uint64_t at,
                   uint64_t n) {
    for (const struct tcp_chunk *c = q->first; n > 0; c = c->next) {
        uint64_t have = c->end - c->start, take;

        if (skip >= have) {
            skip -= have;
            continue;
        }
        take = min(n, have - skip);
        if (uio_fill(u, at, c->data + c->start + skip, take)) return -EFAULT;
        at += take;
        n -= take;
        skip = 0;
    }
    return 0;
}

uint8_t tcp_queue_byte(const struct tcp_queue *q, uint64_t skip) {
    const struct tcp_chunk *c = q->first;

    while (skip >= c->end - c->start) {
        skip -= c->end - c->start;
        c = c->next;
    }
    return c->data[c->start + skip];
}

void tcp_queue_drop(struct tcp_queue *q, uint64_t n) {
    q->head += n;
    while (n > 0) {
        struct tcp_chunk *c = q->first;
        uint64_t take = min(n, (uint64_t)(c->end - c->start));

        c->start += (uint32_t)take;
        n -= take;
        if (c->start < c->end) continue;
        q->first = c->next;
        if (q->first == NULL) q->last = NULL;
        kfree(c);
    }
}
