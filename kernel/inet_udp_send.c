/* SPDX-License-Identifier: MIT */
/* Datagram sockets: sending, and who gets it. */
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "inet_udp.h"

#define RECORD 768u    /* what Linux counts for one besides its data, bytes */
#define MOST_V4 65507u /* bytes in one */
#define MOST_V6 65527u
#define MOST_SEGMENTS 128u /* UDP_MAX_SEGMENTS */

static struct udp_datagram *new_datagram(struct udp_sock *u, const struct udp_sending *how,
                                         uint32_t len) {
    uint32_t charge = RECORD + ((len + 63) & ~63u);
    struct udp_datagram *d;

    /* Linux asks whether the buffer was full before. */
    if (u->charged > 0 && u->charged + charge > u->in.sock.rcvbuf) return NULL;
    d = kmalloc(sizeof(*d) + len);
    if (d == NULL) return NULL;
    d->from = how->from;
    d->to = how->to;
    d->time_ns = clock_realtime_ns();
    d->len = len;
    d->charge = charge;
    d->device = how->device;
    d->ttl = how->ttl;
    d->tos = how->tos;
    u->charged += charge;
    return d;
}

void udp_datagram_free(struct udp_sock *u, struct udp_datagram *d) {
    u->charged -= d->charge;
    kfree(d);
}

int udp_enqueue(struct udp_sock *u, const struct udp_sending *how, const struct uio *data) {
    struct udp_datagram *d;

    if (u->in.sock.shutdown & SOCK_SHUT_RECV) return 0;
    d = new_datagram(u, how, (uint32_t)data->len);
    if (d == NULL) {
        u->dropped++;
        return 0;
    }
    if (uio_drain(data, 0, d->data, data->len)) {
        udp_datagram_free(u, d);
        return -EFAULT;
    }
    TAILQ_INSERT_TAIL(&u->queue, d, link);
    u->arrivals++;
    waitq_wake(&u->in.sock.waitq, POLLIN | POLLRDNORM);
    return 0;
}

void udp_unreachable(struct udp_sock *u, const struct udp_sending *how, const struct uio *data) {
    bool wants = inet_option_on(&u->in, u->in.sock.family == AF_INET ? OPT_RECVERR : OPT6_RECVERR);
    struct udp_datagram *d;

    if (u->in.at.peer.port == 0 && !wants) return;
    u->in.sock.error = ECONNREFUSED;
    d = wants ? new_datagram(u, how, (uint32_t)data->len) : NULL;
    if (d != NULL && uio_drain(data, 0, d->data, data->len)) {
        udp_datagram_free(u, d);
        d = NULL;
    }
    if (d != NULL) TAILQ_INSERT_TAIL(&u->errors, d, link);
    waitq_wake(&u->in.sock.waitq, POLLERR);
}

/* The socket that a datagram is for, or NULL. */
static struct udp_sock *find_receiver(const struct udp_sock *u, const struct udp_sending *how) {
    struct inet_holder *h = inet_port_first(u->in.ports, how->to.port);
    struct inet_sock *best = NULL;
    uint32_t equals = 0;
    int best_score = -1;

    for (; h != NULL; h = inet_port_next(h)) {
        int score = inet_match(h, &how->to, &how->from, how->device);
        bool shared;

        if (score < 0 || score < best_score) continue;
        shared = socket_has(&h->sock->sock, SO_REUSEPORT) && h->peer.port == 0;
        equals = score > best_score ? 1 : equals + 1;
        /* Of equals the last one has it; those with SO_REUSEPORT share. */
        if (!shared || equals == 1 || (how->from.port * 2654435761u >> 8) % equals == 0)
            best = h->sock;
        best_score = score;
    }
    return (struct udp_sock *)best;
}

/* To all who are in the group, or all who listen to a broadcast. */
static int send_to_many(const struct udp_sock *u, const struct udp_sending *how,
                        const struct uio *data) {
    struct inet_holder *h = inet_port_first(u->in.ports, how->to.port), *next;
    bool group = ip_is_multicast(&how->to.ip);
    int r = 0;

    for (; h != NULL && r == 0; h = next) {
        next = inet_port_next(h);
        if (inet_match(h, &how->to, &how->from, how->device) < 0) continue;
        if (group && !inet_group_wants(h->sock, &how->to.ip, &how->from.ip)) continue;
        r = udp_enqueue((struct udp_sock *)h->sock, how, data);
    }
    return r;
}

static int64_t send_outside(struct udp_sock *u, struct sock_msg *m, const struct inet_end *to) {
    struct sock_msg out = *m;
    struct sock_addr addr;
    int r = udp_open_host(u);

    if (r == -ENETUNREACH) inet_refused(to);
    if (r) return r;
    if (u->host_family == AF_INET && !ip_is_v4(&to->ip)) return -ENETUNREACH;
    inet_end_put(u->host_family, to, &addr);
    out.addr = u->in.at.peer.port != 0 && m->addr == NULL ? NULL : &addr;
    out.flags |= MSG_DONTWAIT;
    return hostnet_send(u->in.host, &out);
}

/* Whom the datagram is for. */
static int find_destination(struct udp_sock *u, const struct sock_msg *m, struct inet_end *to) {
    struct sock_addr as;
    int r;

    if (m->addr == NULL) {
        if (u->in.at.peer.port == 0) return -EDESTADDRREQ;
        *to = u->in.at.peer;
        return 0;
    }
    as = *m->addr;
    if (u->in.sock.family == AF_INET && as.len >= sizeof(as.in) && as.family == AF_UNSPEC)
        as.family = AF_INET;
    r = inet_end_get(&u->in, &as, to);
    if (r) return r;
    if (to->port == 0 && !udp_is_ping(u)) return -EINVAL;
    if (ip_is_any(&to->ip)) to->ip = ip_is_v4(&to->ip) ? ip_loopback4 : ip_loopback6;
    return 0;
}

/* What the socket's own options say. */
static void set_defaults(const struct udp_sock *u, struct udp_sending *how) {
    bool v4 = ip_is_v4(&how->to.ip), group = ip_is_multicast(&how->to.ip);
    uint32_t slot = v4 ? (group ? OPT_MC_TTL : OPT_TTL) : (group ? OPT6_MC_HOPS : OPT6_HOPS);
    int32_t device = u->in.device != 0 ? (int32_t)u->in.device : 0;

    how->ttl = (uint8_t)inet_option_get(&u->in, slot, group ? 1 : 64);
    how->tos = (uint8_t)inet_option_get(&u->in, v4 ? OPT_TOS : OPT6_TCLASS, 0);
    if (device == 0 && group) device = inet_option_get(&u->in, v4 ? OPT_MC_IF : OPT6_MC_IF, 0);
    how->device = (uint32_t)device;
    how->segment = (uint16_t)inet_option_get(&u->in, OPT_UDP_SEGMENT, 0);
    how->from = u->in.at.local;
}

static int prepare(struct udp_sock *u, const struct sock_msg *m, struct udp_sending *how) {
    int r = find_destination(u, m, &how->to);

    if (r) return r;
    set_defaults(u, how);
    r = udp_control_get(m, how);
    if (r) return r;
    if (u->in.sock.family == AF_INET6 && u->in.v6only && ip_is_v4(&how->to.ip)) return -ENETUNREACH;
    if (m->data->len > (ip_is_v4(&how->to.ip) ? MOST_V4 : MOST_V6)) return -EMSGSIZE;
    if (ip_is_broadcast(&how->to.ip) && !socket_has(&u->in.sock, SO_BROADCAST)) return -EACCES;
    if (ip_is_any(&how->from.ip)) how->from.ip = inet_source(&how->to.ip);
    if (ip_is_v4(&how->from.ip) != ip_is_v4(&how->to.ip)) return -ENETUNREACH;
    return 0;
}

static int64_t deliver(struct udp_sock *u, struct sock_msg *m, struct udp_sending *how) {
    bool group = ip_is_multicast(&how->to.ip), all = ip_is_broadcast(&how->to.ip);
    bool loop = inet_option_get(&u->in, ip_is_v4(&how->to.ip) ? OPT_MC_LOOP : OPT6_MC_LOOP, 1);
    uint32_t device = how->device;
    struct udp_sock *to;
    int r = 0;

    if (how->device == 0) how->device = inet_iface_of(&how->to.ip)->index;
    if (group || all) {
        if (!group || loop) r = send_to_many(u, how, m->data);
        /* To the world as well, if there is one. */
        if (r == 0 && device != INET_LO && hostnet_mode() != HOSTNET_NONE && !udp_is_ping(u))
            send_outside(u, m, &how->to);
        return r ? r : (int64_t)m->data->len;
    }
    to = find_receiver(u, how);
    if (to != NULL)
        r = udp_enqueue(to, how, m->data);
    else
        udp_unreachable(u, how, m->data);
    return r ? r : (int64_t)m->data->len;
}

static bool leaves(struct udp_sock *u, const struct udp_sending *how) {
    const struct inet_end *to = &how->to;

    if (ip_is_multicast(&to->ip) || ip_is_broadcast(&to->ip)) return false;
    return inet_leaves(to, udp_is_ping(u) || find_receiver(u, how) != NULL);
}

static int64_t send_one(struct udp_sock *u, struct sock_msg *m, struct udp_sending *how) {
    if (leaves(u, how)) return send_outside(u, m, &how->to);
    if (u->in.host != NULL && ip_is_loopback(&how->to.ip)) {
        /* An answer to who has sent to a published port from the host's loopback. */
        int64_t r = send_outside(u, m, &how->to);

        if (r >= 0) return r;
    }
    return udp_is_ping(u) ? ping_send(u, m, how) : deliver(u, m, how);
}

/* UDP_SEGMENT: the data is several datagrams.  The host does it for what goes by its sockets. */
static int64_t send_segments(struct udp_sock *u, const struct sock_msg *m,
                             const struct udp_sending *how) {
    uint64_t len = m->data->len, sent = 0;
    uint8_t *buffer;
    int64_t r = 0;

    if (len > (uint64_t)how->segment * MOST_SEGMENTS) return -EINVAL;
    buffer = kmalloc(how->segment);
    if (buffer == NULL) return -ENOBUFS;
    while (r >= 0 && sent < len) {
        uint64_t n = min((uint64_t)how->segment, len - sent);
        struct iovec iov = {.iov_base = buffer, .iov_len = n};
        struct uio data = {.iov = &iov, .count = 1, .kernel = true, .len = n};
        struct sock_msg one = *m;
        struct udp_sending as = *how;

        one.data = &data;
        r = uio_drain(m->data, sent, buffer, n) ? -EFAULT : send_one(u, &one, &as);
        if (r >= 0) sent += n;
    }
    kfree(buffer);
    return r < 0 ? r : (int64_t)len;
}

int64_t udp_send(struct socket *s, struct sock_msg *m) {
    struct udp_sock *u = udp_of(s);
    struct udp_sending how = {0};
    int64_t r;

    r = udp_autobind(u);
    if (r) return -EAGAIN;
    if ((m->flags & MSG_OOB) && s->family == AF_INET) return -EOPNOTSUPP;
    if (m->data->len > 0xffff) return -EMSGSIZE;
    r = prepare(u, m, &how);
    if (r) return r;
    if (s->ops->refresh) s->ops->refresh(s);
    r = socket_take_error(s);
    if (r) return r;
    if (s->shutdown & SOCK_SHUT_SEND) return -EPIPE;
    how.from.port = u->in.at.local.port;
    if (how.segment > 0 && m->data->len > how.segment &&
        (hostnet_mode() == HOSTNET_TAP || !leaves(u, &how)))
        return send_segments(u, m, &how);
    return send_one(u, m, &how);
}
