/* SPDX-License-Identifier: MIT */
/* Wait queues: an object that threads wait for has one and calls waitq_wake() when it changes, so
 * that only those who wait for this object look again. */
#ifndef KERNEL_WAITQ_H
#define KERNEL_WAITQ_H

#include <bsd/sys/queue.h>
#include <kernel/types.h>

/* Somebody who wants to know.  Owned by who put it on the queue. */
struct waitq_entry {
    /* events: POLL* that may have become true, 0: anything.  Runs in the thread that changed the
     * object: it must not wait, and may take no entry but its own off the queue. */
    void (*wake)(struct waitq_entry *e, uint32_t events);
    struct waitq *queue; /* NULL: on none */
    TAILQ_ENTRY(waitq_entry) link;
};

struct waitq {
    TAILQ_HEAD(waitq_list, waitq_entry) entries; /* in order of arrival */
};

/* The queue is part of its object, which must outlive all entries (a waiting thread holds a
 * reference to the object). */
void waitq_init(struct waitq *q);
/* Puts an entry with `wake` set on the queue; it is on no other. */
void waitq_add(struct waitq *q, struct waitq_entry *e);
/* Takes it off; nothing if it is on none. */
void waitq_remove(struct waitq_entry *e);
/* The object has changed: the events (POLL*, 0: any) may be true now. */
void waitq_wake(struct waitq *q, uint32_t events);
/* Waits until ready(arg) is true (0), deadline_ns (CLOCK_MONOTONIC, WAIT_FOREVER) passes
 * (-ETIMEDOUT) or a signal is pending (-EINTR).  ready() runs first and after each wake-up of the
 * queue, in any thread: it must not use current_thread(). */
int waitq_wait(struct waitq *q, bool (*ready)(void *arg), void *arg, int64_t deadline_ns);

#endif
