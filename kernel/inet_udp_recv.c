/* SPDX-License-Identifier: MIT */
/* Datagram sockets: receiving. */
#include <kernel/clock.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "inet_udp.h"

struct awaiting {
    struct udp_sock *u;
    uint64_t seen; /* arrivals */
};

static bool news(void *arg) {
    const struct awaiting *a = arg;
    struct udp_sock *u = a->u;
    const struct socket *s = &u->in.sock;

    if (u->in.host != NULL && (hostnet_poll(u->in.host) & (POLLIN | POLLERR))) return true;
    return u->arrivals != a->seen || s->error != 0 || (s->shutdown & SOCK_SHUT_RECV);
}

/* Gives the receiver what is in d: bytes or -errno. */
static int64_t give(struct sock_msg *m, const struct udp_datagram *d) {
    uint32_t n = (uint32_t)min((uint64_t)d->len, m->data->len);

    if (uio_fill(m->data, 0, d->data, n)) return -EFAULT;
    if (n < d->len) m->result_flags |= MSG_TRUNC;
    return m->flags & MSG_TRUNC ? d->len : n;
}

/* A ping that comes back has the number that the host gave it. */
static void set_ping_id(struct udp_sock *u, struct sock_msg *m, int64_t bytes) {
    uint16_t id = net16(u->in.at.local.port);

    if (udp_is_ping(u) && bytes >= 8 && m->data->len >= 8) uio_fill(m->data, 4, &id, sizeof(id));
}

/* The control messages of what the host's socket says about it. */
static void put_control(struct udp_sock *u, struct sock_msg *m, const struct inet_end *from,
                        const struct hostnet_arrival *a) {
    struct udp_datagram d = {.from = *from, .ttl = a->has_ttl ? a->ttl : 64, .tos = a->tos};

    d.time_ns = a->time_ns != 0 ? a->time_ns : clock_realtime_ns();
    d.to.port = u->in.at.local.port;
    if (a->has_to)
        memcpy(d.to.ip.b, a->to, sizeof(d.to.ip.b));
    else
        d.to.ip = inet_source(&from->ip);
    d.device = ip_is_loopback(&d.to.ip) ? INET_LO : inet_iface_count();
    udp_control_put(u, m, &d);
}

/* SO_TIMESTAMP*: what has waited already counts from now on, as on Linux. */
static void stamp(struct udp_sock *u) {
    int on = 1;

    if (u->host_stamps || !udp_control_stamps(u)) return;
    u->host_stamps = true;
    hostnet_setopt(u->in.host, SOL_SOCKET, SO_TIMESTAMPNS_OLD, &on, sizeof(on));
}

static int64_t recv_outside(struct udp_sock *u, struct sock_msg *m) {
    struct inet_sock as = {.sock = {.type = SOCK_DGRAM, .family = u->host_family}};
    bool error = m->flags & MSG_ERRQUEUE;
    struct hostnet_arrival arrival;
    struct sock_msg in = *m;
    struct sock_addr from = {0};
    struct inet_end end = {0};
    int64_t r;

    in.addr = &from;
    in.flags |= MSG_DONTWAIT;
    if (!error && m->control_room > 0 && udp_control_wanted(u)) {
        in.arrival = &arrival;
        stamp(u);
    }
    r = hostnet_recv(u->in.host, &in);
    if (r < 0) return r;
    m->control_at = in.control_at;
    m->control_room = in.control_room;
    m->result_flags = in.result_flags;
    set_ping_id(u, m, r);
    if (inet_end_get(&as, &from, &end) == 0 && m->addr != NULL)
        inet_end_put(u->in.sock.family, &end, m->addr);
    if (in.arrival != NULL) put_control(u, m, &end, &arrival);
    return r;
}

static int64_t recv_error(struct udp_sock *u, struct sock_msg *m) {
    struct udp_datagram *d = TAILQ_FIRST(&u->errors);
    int64_t r;

    if (d == NULL) {
        if (u->in.host == NULL) return -EAGAIN;
        return recv_outside(u, m);
    }
    TAILQ_REMOVE(&u->errors, d, link);
    if (TAILQ_EMPTY(&u->errors)) u->in.sock.error = 0;
    r = give(m, d);
    m->result_flags |= MSG_ERRQUEUE;
    if (m->addr != NULL) inet_end_put(u->in.sock.family, &d->to, m->addr);
    udp_control_put_error(u, m, d);
    udp_datagram_free(u, d);
    return r;
}

static int64_t recv_inside(struct udp_sock *u, struct sock_msg *m, struct udp_datagram *d) {
    int64_t r;

    if (!(m->flags & MSG_PEEK)) TAILQ_REMOVE(&u->queue, d, link);
    r = give(m, d);
    if (r >= 0) {
        if (m->addr != NULL) inet_end_put(u->in.sock.family, &d->from, m->addr);
        udp_control_put(u, m, d);
    }
    if (!(m->flags & MSG_PEEK)) udp_datagram_free(u, d);
    return r;
}

int64_t udp_recv(struct socket *s, struct sock_msg *m) {
    struct udp_sock *u = udp_of(s);
    int64_t deadline_ns = socket_deadline(s->recv_timeout_ns, m->flags & MSG_DONTWAIT), r;
    struct awaiting a = {.u = u};

    if (m->flags & MSG_ERRQUEUE) return recv_error(u, m);
    if (udp_is_ping(u) && (m->flags & MSG_OOB)) return -EOPNOTSUPP;
    for (;;) {
        struct udp_datagram *d;

        if (s->ops->refresh) s->ops->refresh(s);
        r = socket_take_error(s);
        if (r) return r;
        d = TAILQ_FIRST(&u->queue);
        if (d != NULL) return recv_inside(u, m, d);
        if (u->in.host != NULL) {
            r = recv_outside(u, m);
            if (r != -EAGAIN) return r;
        }
        if ((s->shutdown & SOCK_SHUT_RECV) && deadline_ns != 0) return 0;
        a.seen = u->arrivals;
        r = socket_wait(&s->waitq, news, &a, deadline_ns);
        if (r) return r;
    }
}
