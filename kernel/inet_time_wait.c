/* SPDX-License-Identifier: MIT */
/* Connections that have ended on this side first: their address and port stay taken for a minute,
 * for bind(2) without SO_REUSEADDR.  Owns the list of them. */
#include <kernel/clock.h>
#include <kernel/heap.h>

#include "inet_tcp.h"

#define SECONDS 60
#define MOST 4096u /* connections: the oldest make room */

struct ended {
    struct inet_holder at;
    struct ktimer timer;
    TAILQ_ENTRY(ended) link;
};

static TAILQ_HEAD(, ended) all = TAILQ_HEAD_INITIALIZER(all); /* by age */
static uint32_t count;

static void forget(struct ended *e) {
    ktimer_cancel(&e->timer);
    inet_port_release(&e->at);
    TAILQ_REMOVE(&all, e, link);
    count--;
    kfree(e);
}

static void expire(struct ktimer *timer) { forget(container_of(timer, struct ended, timer)); }

void tcp_time_wait(const struct tcp_sock *t) {
    const struct inet_sock *s = &t->in;
    struct ended *e;

    if (s->at.port == NULL) return;
    if (count >= MOST) forget(TAILQ_FIRST(&all));
    e = kzalloc(sizeof(*e));
    if (e == NULL) return; /* Linux does without, too */
    e->at.local = s->at.local;
    e->at.peer = s->at.peer;
    e->at.reuse_addr = socket_has(&s->sock, SO_REUSEADDR);
    e->at.reuse_port = socket_has(&s->sock, SO_REUSEPORT);
    inet_port_join(&e->at, (struct inet_holder *)&s->at);
    TAILQ_INSERT_TAIL(&all, e, link);
    count++;
    e->timer.fire = expire;
    ktimer_set(&e->timer, clock_monotonic_ns() + SECONDS * NSEC_PER_SEC);
}
