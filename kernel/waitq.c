/* SPDX-License-Identifier: MIT */
/* Wait queues.  Owns nothing: queues belong to their objects, entries to who waits. */
#include <kernel/sched.h>
#include <kernel/wait.h>
#include <kernel/waitq.h>

void waitq_init(struct waitq *q) { TAILQ_INIT(&q->entries); }

void waitq_add(struct waitq *q, struct waitq_entry *e) {
    e->queue = q;
    TAILQ_INSERT_TAIL(&q->entries, e, link);
}

void waitq_remove(struct waitq_entry *e) {
    if (e->queue == NULL) return;
    TAILQ_REMOVE(&e->queue->entries, e, link);
    e->queue = NULL;
}

void waitq_wake(struct waitq *q, uint32_t events) {
    struct waitq_entry *e, *next;
    TAILQ_FOREACH_SAFE(e, &q->entries, link, next) { e->wake(e, events); }
}

/* A thread in waitq_wait(). */
struct waiter {
    struct waitq_entry entry;
    struct thread *thread;
    bool (*ready)(void *arg);
    void *arg;
};

/* The condition is looked at here: a switch to a thread that goes back to sleep costs more. */
static void wake_waiter(struct waitq_entry *e, uint32_t events) {
    struct waiter *w = (struct waiter *)e;
    if (w->ready(w->arg)) sched_wake(w->thread);
}

int waitq_wait(struct waitq *q, bool (*ready)(void *arg), void *arg, int64_t deadline_ns) {
    if (ready(arg)) return 0;
    struct waiter w = {
        .entry.wake = wake_waiter, .thread = current_thread(), .ready = ready, .arg = arg};
    waitq_add(q, &w.entry);
    int r = wait_until_woken(ready, arg, deadline_ns);
    waitq_remove(&w.entry);
    return r;
}
