/* SPDX-License-Identifier: MIT */
/* Ports: who holds them, and who may hold them together.  Owns the tables of ports; a port exists
 * while somebody holds it. bind(2), ip(7). */
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/random.h>

#include "inet.h"

#define BUCKETS 512u

struct inet_port {
    LIST_ENTRY(inet_port) link;
    struct inet_port_table *table;
    TAILQ_HEAD(, inet_holder) holders;
    uint16_t number;
};

struct inet_port_table {
    LIST_HEAD(, inet_port) buckets[BUCKETS];
    uint16_t next; /* where the search for a free one goes on */
};

struct inet_port_table inet_tcp_ports, inet_udp_ports, inet_udplite_ports, inet_ping_ports;

static struct inet_port *find_port(struct inet_port_table *t, uint16_t number) {
    struct inet_port *p;

    LIST_FOREACH(p, &t->buckets[number % BUCKETS], link) {
        if (p->number == number) return p;
    }
    return NULL;
}

struct inet_holder *inet_port_first(struct inet_port_table *t, uint16_t number) {
    const struct inet_port *p = find_port(t, number);

    return p != NULL ? TAILQ_FIRST(&p->holders) : NULL;
}

static int hold(struct inet_sock *s, uint16_t number) {
    struct inet_port *p = find_port(s->ports, number);

    if (p == NULL) {
        p = kmalloc(sizeof(*p));
        if (p == NULL) return -ENOMEM;
        p->table = s->ports;
        p->number = number;
        TAILQ_INIT(&p->holders);
        LIST_INSERT_HEAD(&s->ports->buckets[number % BUCKETS], p, link);
    }
    s->at.port = p;
    s->at.local.port = number;
    TAILQ_INSERT_TAIL(&p->holders, &s->at, link);
    return 0;
}

void inet_port_join(struct inet_holder *h, struct inet_holder *with) {
    h->port = with->port;
    if (h->port != NULL) TAILQ_INSERT_TAIL(&h->port->holders, h, link);
}

void inet_port_release(struct inet_holder *h) {
    struct inet_port *p = h->port;

    if (p == NULL) return;
    h->port = NULL;
    TAILQ_REMOVE(&p->holders, h, link);
    if (!TAILQ_EMPTY(&p->holders)) return;
    LIST_REMOVE(p, link);
    kfree(p);
}

void inet_port_front(struct inet_holder *h) {
    TAILQ_REMOVE(&h->port->holders, h, link);
    TAILQ_INSERT_HEAD(&h->port->holders, h, link);
}

static bool v6only(const struct inet_holder *h) { return h->sock != NULL && h->sock->v6only; }

static bool reuses(const struct inet_holder *h, int option) {
    if (h->sock != NULL) return socket_has(&h->sock->sock, option);
    return option == SO_REUSEADDR ? h->reuse_addr : h->reuse_port;
}

/* Would one address take the packets of the other? */
static bool overlaps(const struct inet_holder *a, const struct inet_holder *b) {
    const union ip *ip = &a->local.ip, *other = &b->local.ip;
    bool any = ip_is_any(ip), other_any = ip_is_any(other);
    bool v4 = ip_is_v4(ip), other_v4 = ip_is_v4(other);

    if (v4 && other_v4) return any || other_any || ip->w[3] == other->w[3];
    if (any && !v4 && other_any && !other_v4) return true;
    if (other_any && !other_v4 && !(v6only(b) && v4)) return true;
    if (any && !v4 && !(v6only(a) && other_v4)) return true;
    return ip_equal(ip, other);
}

static bool conflicts(const struct inet_sock *s, const struct inet_holder *h) {
    const struct inet_sock *other = h->sock;
    bool listens = other != NULL && other->sock.listening;

    if (other == s) return false;
    if (other != NULL && s->device != 0 && other->device != 0 && s->device != other->device)
        return false;
    if (socket_has(&s->sock, SO_REUSEADDR) && reuses(h, SO_REUSEADDR) && !listens) return false;
    if (socket_has(&s->sock, SO_REUSEPORT) && reuses(h, SO_REUSEPORT)) return false;
    return overlaps(&s->at, h);
}

static bool port_is_free(const struct inet_sock *s, uint16_t number) {
    struct inet_holder *h = inet_port_first(s->ports, number);

    for (; h != NULL; h = inet_port_next(h))
        if (conflicts(s, h)) return false;
    return true;
}

int inet_port_recheck(struct inet_sock *s) {
    return port_is_free(s, s->at.local.port) ? 0 : -EADDRINUSE;
}

/* Ports to try, from a place that nobody can guess. */
static uint16_t first_try(struct inet_port_table *t) {
    uint16_t seed;

    if (t->next == 0) {
        random_bytes(&seed, sizeof(seed));
        t->next = seed;
    }
    t->next = (uint16_t)(t->next + 2);
    return t->next;
}

#define EPHEMERAL (INET_EPHEMERAL_LAST - INET_EPHEMERAL_FIRST + 1)

int inet_port_bind(struct inet_sock *s, uint16_t number) {
    uint32_t start;

    if (number != 0) return port_is_free(s, number) ? hold(s, number) : -EADDRINUSE;
    start = first_try(s->ports);
    /* Nobody shares a port that was not asked for, unless there is no other. */
    for (uint32_t i = 0; i < EPHEMERAL; i++) {
        number = (uint16_t)(INET_EPHEMERAL_FIRST + (start + i) % EPHEMERAL);
        if (find_port(s->ports, number) == NULL) return hold(s, number);
    }
    for (uint32_t i = 0; i < EPHEMERAL; i++) {
        number = (uint16_t)(INET_EPHEMERAL_FIRST + (start + i) % EPHEMERAL);
        if (port_is_free(s, number)) return hold(s, number);
    }
    return -EADDRINUSE;
}

static bool same_end(const struct inet_end *a, const struct inet_end *b) {
    return a->port == b->port && ip_equal(&a->ip, &b->ip);
}

/* Is there a connection between these two ends, or was there one a moment ago? */
static bool connected(const struct inet_sock *s, uint16_t number) {
    struct inet_holder *h = inet_port_first(s->ports, number);

    for (; h != NULL; h = inet_port_next(h)) {
        if (h->sock == s) continue;
        /* A port that somebody bound is theirs. */
        if (s->at.port == NULL && h->sock != NULL && h->peer.port == 0) return true;
        if (same_end(&h->peer, &s->at.peer) && ip_equal(&h->local.ip, &s->at.local.ip))
            return h->sock != NULL; /* an old one makes room: tcp_tw_reuse */
    }
    return false;
}

int inet_port_connect(struct inet_sock *s) {
    uint32_t start;

    if (s->at.port != NULL) return connected(s, s->at.local.port) ? -EADDRNOTAVAIL : 0;
    start = first_try(s->ports);
    for (uint32_t i = 0; i < 2 * EPHEMERAL; i++) {
        uint16_t number = (uint16_t)(INET_EPHEMERAL_FIRST + (start + i) % EPHEMERAL);

        if (number == s->at.peer.port && ip_equal(&s->at.peer.ip, &s->at.local.ip)) continue;
        if (i < EPHEMERAL ? find_port(s->ports, number) == NULL : !connected(s, number))
            return hold(s, number);
    }
    return -EADDRNOTAVAIL;
}

int inet_match(const struct inet_holder *h, const struct inet_end *to, const struct inet_end *from,
               uint32_t device) {
    const struct inet_sock *s = h->sock;
    int score = 0;

    if (s == NULL) return -1;
    if (ip_is_any(&h->local.ip)) {
        bool v4 = ip_is_v4(&to->ip);

        if (s->sock.family == AF_INET ? !v4 : v4 && s->v6only) return -1;
        if (ip_is_v4(&h->local.ip) && !v4) return -1;
    } else {
        if (!ip_equal(&h->local.ip, &to->ip)) return -1;
        score += 4;
    }
    if (h->peer.port != 0) {
        if (!same_end(&h->peer, from)) return -1;
        score += 8;
    }
    if (s->device != 0) {
        if (s->device != device) return -1;
        score += 4;
    }
    return score + (ip_is_v4(&to->ip) == (s->sock.family == AF_INET));
}
