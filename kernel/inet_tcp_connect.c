/* SPDX-License-Identifier: MIT */
/* Stream sockets that connect: connect(2). */
#include <kernel/process.h>
#include <kernel/wait.h>

#include "inet_tcp.h"

/* What the program told the socket before there was one of the host. */
static void tell_host(struct tcp_sock *t) {
    static const struct {
        int level, name;
        uint32_t slot;
    } told[] = {
        {IPPROTO_TCP, TCP_NODELAY, OPT_TCP_NODELAY},
        {IPPROTO_TCP, TCP_KEEPIDLE, OPT_TCP_KEEPIDLE},
        {IPPROTO_TCP, TCP_KEEPINTVL, OPT_TCP_KEEPINTVL},
        {IPPROTO_TCP, TCP_KEEPCNT, OPT_TCP_KEEPCNT},
        {IPPROTO_TCP, TCP_SYNCNT, OPT_TCP_SYNCNT},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, OPT_TCP_USER_TIMEOUT},
        {IPPROTO_IP, IP_TOS, OPT_TOS},
    };
    int on = 1;

    if (socket_has(&t->in.sock, SO_KEEPALIVE))
        hostnet_setopt(t->in.host, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (socket_has(&t->in.sock, SO_OOBINLINE))
        hostnet_setopt(t->in.host, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
    for (size_t i = 0; i < ARRAY_LEN(told); i++) {
        int value = inet_option_get(&t->in, told[i].slot, -1);

        if (t->in.options != NULL && value > 0)
            hostnet_setopt(t->in.host, told[i].level, told[i].name, &value, sizeof(value));
    }
}

static int connect_outside(struct tcp_sock *t) {
    struct inet_sock *s = &t->in;
    int family = ip_is_v4(&s->at.peer.ip) ? AF_INET : AF_INET6;
    struct sock_addr addr;
    int r = hostnet_open(family, SOCK_STREAM, IPPROTO_TCP, &s->sock.waitq, &s->host);

    if (r) {
        s->host = NULL;
        if (r == -ENETUNREACH) inet_refused(&s->at.peer);
        return r;
    }
    tell_host(t);
    if (hostnet_mode() == HOSTNET_TAP || (hostnet_mode() == HOSTNET_HOST && s->addr_locked)) {
        inet_end_put(family, &s->at.local, &addr);
        r = hostnet_bind(s->host, &addr);
        if (r) return r;
    }
    inet_end_put(family, &s->at.peer, &addr);
    t->remote = true;
    t->state = TCP_S_SYN_SENT;
    r = hostnet_connect(s->host, &addr);
    if (r == 0) t->state = TCP_S_ESTABLISHED;
    return r == -EINPROGRESS ? 0 : r;
}

/* Finds out whom the address means: 0 or -errno. */
static int set_peer(struct tcp_sock *t, const struct sock_addr *addr) {
    struct inet_sock *s = &t->in;
    struct inet_end end;
    int r = inet_end_get(s, addr, &end);

    if (r) return r;
    if (ip_is_any(&end.ip)) {
        bool v4 = ip_is_v4(&end.ip) || ip_is_v4(&s->at.local.ip);

        end.ip = v4 ? ip_loopback4 : ip_loopback6;
    }
    if (s->sock.family == AF_INET6 && ip_is_v4(&end.ip) && s->v6only) return -ENETUNREACH;
    if (ip_is_multicast(&end.ip) || ip_is_broadcast(&end.ip)) return -ENETUNREACH;
    if (ip_is_link_local(&end.ip) && end.scope == 0 && s->device == 0) return -EINVAL;
    if (s->addr_locked && ip_is_v4(&s->at.local.ip) != ip_is_v4(&end.ip)) return -ENETUNREACH;
    s->at.peer = end;
    return 0;
}

static int start(struct tcp_sock *t, const struct sock_addr *addr) {
    struct inet_sock *s = &t->in;
    struct tcp_sock *door;
    int r = set_peer(t, addr);

    if (r) return r;
    if (!s->addr_locked) s->at.local.ip = inet_source(&s->at.peer.ip);
    r = inet_port_connect(s);
    if (r == 0 && inet_leaves(&s->at.peer, tcp_find_listener(t) != NULL)) r = connect_outside(t);
    if (r) {
        t->state = TCP_S_CLOSE;
        tcp_disconnect(t);
        return r;
    }
    if (t->remote) return 0;
    door = tcp_find_listener(t);
    t->state = TCP_S_SYN_SENT;
    if (door != NULL)
        tcp_knock(t, door);
    else
        tcp_reset(t);
    return 0;
}

static bool arrived(void *arg) {
    struct tcp_sock *t = arg;

    tcp_refresh(&t->in.sock);
    return t->state != TCP_S_SYN_SENT || t->in.sock.error != 0;
}

int tcp_connect(struct socket *s, const struct sock_addr *addr, bool nonblock) {
    struct tcp_sock *t = tcp_of(s);
    int64_t deadline_ns = socket_deadline(s->send_timeout_ns, nonblock);
    int r = -EALREADY;

    if (addr->len < sizeof(addr->family)) return -EINVAL;
    if (addr->family == AF_UNSPEC) {
        tcp_disconnect(t);
        return 0;
    }
    if (t->connected) return -EISCONN;
    if (!t->connecting) {
        if (t->state != TCP_S_CLOSE) return -EISCONN;
        s->shutdown = 0;
        s->error = 0;
        r = start(t, addr);
        if (r) return r;
        t->connecting = true;
        r = -EINPROGRESS;
        if (deadline_ns == 0) return r; /* Linux, too, has not looked at the answer yet */
    }
    if (!arrived(t)) {
        int w = deadline_ns == 0 ? -EAGAIN : socket_wait(&s->waitq, arrived, t, deadline_ns);

        if (w == -EAGAIN) return r;
        if (w) return w;
    }
    if (t->state == TCP_S_CLOSE) {
        r = socket_take_error(s);
        tcp_disconnect(t);
        return r != 0 ? r : -ECONNABORTED;
    }
    t->connecting = false;
    t->connected = true;
    return 0;
}

int tcp_await_connection(struct tcp_sock *t, int64_t deadline_ns) {
    int r;

    tcp_refresh(&t->in.sock);
    while (t->state == TCP_S_SYN_SENT) {
        r = socket_take_error(&t->in.sock);
        if (r) return r;
        r = socket_wait(&t->in.sock.waitq, arrived, t, deadline_ns);
        if (r) return r;
    }
    return 0;
}
