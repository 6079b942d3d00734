/* SPDX-License-Identifier: MIT */
/* Datagram sockets: life, names, readiness. udp(7). */
#include <kernel/heap.h>
#include <kernel/process.h>

#include "inet_udp.h"

int udp_create(int family, int protocol, struct inet_port_table *ports, struct socket **out) {
    struct udp_sock *u = kzalloc(sizeof(*u));

    if (u == NULL) return -ENOBUFS;
    inet_init(&u->in, &inet_udp_ops, family, SOCK_DGRAM, protocol, ports);
    TAILQ_INIT(&u->queue);
    TAILQ_INIT(&u->errors);
    *out = &u->in.sock;
    return 0;
}

int inet_udp_create(int family, int protocol, struct socket **out) {
    bool lite = protocol == IPPROTO_UDPLITE;

    return udp_create(family, protocol, lite ? &inet_udplite_ports : &inet_udp_ports, out);
}

int udp_autobind(struct udp_sock *u) {
    return u->in.at.port == NULL ? inet_port_bind(&u->in, 0) : 0;
}

static int udp_bind(struct socket *sock, const struct sock_addr *addr) {
    struct udp_sock *u = udp_of(sock);
    int r = inet_bind(sock, addr);

    if (r == 0) r = udp_bind_host(u);
    if (r && u->in.at.port != NULL && r != -EINVAL) {
        inet_port_release(&u->in.at);
        u->in.addr_locked = u->in.port_locked = false;
        inet_unconnect(&u->in);
    }
    return r;
}

static int connect_to(struct udp_sock *u, struct inet_end *end) {
    struct inet_sock *s = &u->in;
    struct sock_addr addr;
    int r;

    if (ip_is_any(&end->ip)) end->ip = ip_is_v4(&end->ip) ? ip_loopback4 : ip_loopback6;
    if (s->sock.family == AF_INET6 && s->v6only && ip_is_v4(&end->ip)) return -ENETUNREACH;
    if (ip_is_broadcast(&end->ip) && !socket_has(&s->sock, SO_BROADCAST)) return -EACCES;
    if (s->addr_locked && ip_is_v4(&s->at.local.ip) != ip_is_v4(&end->ip)) return -ENETUNREACH;
    if (inet_leaves(end, inet_port_first(s->ports, end->port) != NULL) &&
        !ip_is_multicast(&end->ip) && !ip_is_broadcast(&end->ip)) {
        r = udp_open_host(u);
        if (r == -ENETUNREACH) inet_refused(end);
        if (r) return r;
        inet_end_put(u->host_family, end, &addr);
        r = hostnet_connect(s->host, &addr);
        if (r) return r;
    }
    if (!s->addr_locked) s->at.local.ip = inet_source(&end->ip);
    s->at.peer = *end;
    return udp_autobind(u);
}

static int udp_connect(struct socket *sock, const struct sock_addr *addr, bool nonblock) {
    struct udp_sock *u = udp_of(sock);
    struct sock_addr none = {.len = sizeof(none.family), .family = AF_UNSPEC};
    struct inet_end end;
    int r;

    if (addr->len < sizeof(addr->family)) return -EINVAL;
    if (addr->family == AF_UNSPEC) {
        if (u->in.host != NULL) hostnet_connect(u->in.host, &none);
        inet_unconnect(&u->in);
        sock->error = 0;
        return 0;
    }
    r = inet_end_get(&u->in, addr, &end);
    return r ? r : connect_to(u, &end);
}

static int udp_shutdown(struct socket *s, uint32_t how) {
    s->shutdown |= how;
    waitq_wake(&s->waitq, 0);
    return inet_of(s)->at.peer.port != 0 ? 0 : -ENOTCONN;
}

static void udp_refresh(struct socket *s) {
    struct udp_sock *u = udp_of(s);

    if (u->in.host == NULL || s->error != 0) return;
    if (hostnet_poll(u->in.host) & POLLERR) s->error = hostnet_error(u->in.host);
}

static uint32_t udp_poll(struct socket *s) {
    struct udp_sock *u = udp_of(s);
    uint32_t events = POLLOUT | POLLWRNORM | POLLWRBAND;

    udp_refresh(s);
    if (u->in.host != NULL) events |= hostnet_poll(u->in.host) & (POLLIN | POLLRDNORM);
    if (s->error != 0 || !TAILQ_EMPTY(&u->errors)) events |= POLLERR;
    if (s->shutdown & SOCK_SHUT_RECV) events |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (s->shutdown == SOCK_SHUT_BOTH) events |= POLLHUP;
    if (!TAILQ_EMPTY(&u->queue)) events |= POLLIN | POLLRDNORM;
    return events;
}

static int64_t udp_ioctl(struct socket *s, uint32_t request, gva_t arg) {
    const struct udp_sock *u = udp_of(s);
    const struct udp_datagram *d = TAILQ_FIRST(&u->queue);
    int bytes = d != NULL ? (int)d->len : 0;

    if (request == FIONREAD && d == NULL && u->in.host != NULL)
        bytes = (int)hostnet_readable(u->in.host);
    if (request == FIONREAD) return put_user(bytes, arg);
    bytes = 0;
    if (request == SIOCOUTQ) return put_user(bytes, arg);
    return -ENOTTY;
}

static void udp_purge(struct udp_sock *u, struct udp_queue *queue) {
    struct udp_datagram *d;

    while ((d = TAILQ_FIRST(queue)) != NULL) {
        TAILQ_REMOVE(queue, d, link);
        udp_datagram_free(u, d);
    }
}

static void udp_release(struct socket *s) {
    struct udp_sock *u = udp_of(s);

    udp_purge(u, &u->queue);
    udp_purge(u, &u->errors);
    inet_destroy(&u->in);
    kfree(u);
}

void inet_udp_show(const struct inet_sock *s, struct inet_shown *out) {
    const struct udp_sock *u = (const struct udp_sock *)s;

    *out = (struct inet_shown){.state = s->at.peer.port != 0 ? 1 : 7, .recv_queue = u->charged};
}

/* UDP-Lite: how much of a datagram is summed; within the guest nothing needs to be. */
enum { LITE_SEND_COVERAGE = 10, LITE_RECV_COVERAGE = 11 };

static bool is_coverage(const struct socket *s, int level, int name) {
    return level == IPPROTO_UDPLITE && s->protocol == IPPROTO_UDPLITE &&
           (name == LITE_SEND_COVERAGE || name == LITE_RECV_COVERAGE);
}

/* The options of UDP that are kept.  Datagrams that come are never put together: UDP_GRO allows it.
 */
static const struct inet_option udp_options[] = {
    {UDP_SEGMENT, OPT_UDP_SEGMENT, 0, UINT16_MAX, 0},
    {UDP_GRO, OPT_UDP_GRO, 1, 0, 0},
};

static const struct inet_option *udp_option(const struct socket *s, int level, int name) {
    if (level != IPPROTO_UDP || s->protocol != IPPROTO_UDP) return NULL;
    return inet_option_find(udp_options, ARRAY_LEN(udp_options), name);
}

static int udp_setopt(struct socket *s, int level, int name, gva_t value, uint32_t len) {
    const struct inet_option *o = udp_option(s, level, name);
    uint32_t slot = name == LITE_SEND_COVERAGE ? OPT_LITE_SEND : OPT_LITE_RECV;
    bool coverage = is_coverage(s, level, name);
    int32_t number;
    int r;

    if (o == NULL && !coverage) {
        r = inet_setopt(s, level, name, value, len);
    } else {
        r = inet_option_number(value, len, false, &number);
        if (r) return r;
        if (coverage && number != 0)
            number = max(8, min(number, 0xffff)); /* the header always is */
        r = coverage ? inet_option_put(inet_of(s), slot, number)
                     : inet_option_set_row(inet_of(s), o, number);
    }
    if (r == 0) udp_option_changed(udp_of(s), level, name);
    return r;
}

static int udp_getopt(struct socket *s, int level, int name, gva_t value, uint32_t *len) {
    const struct inet_option *o = udp_option(s, level, name);
    uint32_t slot = name == LITE_SEND_COVERAGE ? OPT_LITE_SEND : OPT_LITE_RECV;

    if (o != NULL) slot = o->slot;
    if (o == NULL && !is_coverage(s, level, name)) return inet_getopt(s, level, name, value, len);
    return inet_option_answer(value, len, inet_option_get(inet_of(s), slot, 0));
}

const struct socket_ops inet_udp_ops = {
    .bind = udp_bind,
    .connect = udp_connect,
    .getname = inet_getname,
    .send = udp_send,
    .recv = udp_recv,
    .shutdown = udp_shutdown,
    .poll = udp_poll,
    .refresh = udp_refresh,
    .ioctl = udp_ioctl,
    .setopt = udp_setopt,
    .getopt = udp_getopt,
    .release = udp_release,
};
