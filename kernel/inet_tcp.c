/* SPDX-License-Identifier: MIT */
/* Stream sockets: how they begin and end. tcp(7). */
#include <kernel/heap.h>
#include <kernel/process.h>

#include "inet_tcp.h"

#define ENDED_EVENTS (POLLIN | POLLRDNORM | POLLRDHUP | POLLOUT | POLLWRNORM | POLLHUP | POLLERR)

struct tcp_sock *tcp_new(int family) {
    struct tcp_sock *t = kzalloc(sizeof(*t));

    if (t == NULL) return NULL;
    inet_init(&t->in, &inet_tcp_ops, family, SOCK_STREAM, IPPROTO_TCP, &inet_tcp_ports);
    t->state = TCP_S_CLOSE;
    t->in.sock.sndbuf = TCP_SNDBUF_FIRST;
    t->in.sock.rcvbuf = TCP_RCVBUF;
    return t;
}

int inet_tcp_create(int family, int protocol, struct socket **out) {
    struct tcp_sock *t = tcp_new(family);

    if (t == NULL) return -ENOBUFS;
    *out = &t->in.sock;
    return 0;
}

void tcp_unlist(struct tcp_sock *t) {
    if (t->list == NULL) return;
    ktimer_cancel(&t->timer);
    TAILQ_REMOVE(t->list, t, link);
    if (t->list != &t->door->listener->knocking) t->door->listener->queued--;
    t->list = NULL;
    t->door = NULL;
}

static void part(struct tcp_sock *t) {
    if (t->peer == NULL) return;
    t->peer->peer = NULL;
    t->peer = NULL;
}

void tcp_done(struct tcp_sock *t) {
    struct socket *s = &t->in.sock;

    part(t);
    if (t->state == TCP_S_SYN_SENT) tcp_unlist(t);
    t->state = TCP_S_CLOSE;
    s->shutdown = SOCK_SHUT_BOTH;
    if (!t->in.port_locked) inet_port_release(&t->in.at);
    tcp_wake(t, ENDED_EVENTS);
}

void tcp_reset(struct tcp_sock *t) {
    struct socket *s = &t->in.sock;

    if (t->state == TCP_S_CLOSE) return;
    s->error = ECONNRESET;
    if (t->state == TCP_S_SYN_SENT) s->error = ECONNREFUSED;
    if (t->state == TCP_S_CLOSE_WAIT) s->error = EPIPE;
    tcp_undefer(t);
    tcp_done(t);
}

/* The peer has ended its sending side. */
static void receive_end(struct tcp_sock *t) {
    t->ended = true;
    t->in.sock.shutdown |= SOCK_SHUT_RECV;
    tcp_undefer(t);
    if (t->state == TCP_S_ESTABLISHED) t->state = TCP_S_CLOSE_WAIT;
    if (t->state == TCP_S_FIN_WAIT2) {
        tcp_time_wait(t);
        tcp_done(t);
        return;
    }
    tcp_wake(t, POLLIN | POLLRDNORM | POLLRDHUP);
}

void tcp_send_end(struct tcp_sock *t) {
    struct tcp_sock *peer = t->peer;

    if (t->state == TCP_S_ESTABLISHED) {
        t->state = TCP_S_FIN_WAIT2;
        if (peer != NULL) receive_end(peer);
    } else if (t->state == TCP_S_CLOSE_WAIT) {
        t->peer = NULL;
        if (peer != NULL) {
            peer->peer = NULL;
            receive_end(peer);
        }
        tcp_done(t);
    }
}

void tcp_refresh(struct socket *s) {
    struct tcp_sock *t = tcp_of(s);
    uint32_t events;

    if (!t->remote || s->error != 0) return;
    events = hostnet_poll(t->in.host);
    if (t->state == TCP_S_SYN_SENT && (events & (POLLOUT | POLLERR | POLLHUP))) {
        s->error = hostnet_error(t->in.host);
        if (s->error != 0) {
            t->state = TCP_S_CLOSE;
            s->shutdown = SOCK_SHUT_BOTH;
            return;
        }
        t->state = TCP_S_ESTABLISHED;
    } else if (events & POLLERR) {
        s->error = hostnet_error(t->in.host);
    }
}

/* Throws the connection away. */
static void abort_connection(struct tcp_sock *t) {
    struct tcp_sock *peer = t->peer;

    if (t->state == TCP_S_CLOSE) return;
    part(t);
    tcp_done(t);
    if (peer != NULL) tcp_reset(peer);
}

void tcp_disconnect(struct tcp_sock *t) {
    struct socket *s = &t->in.sock;
    bool cut = t->state != TCP_S_CLOSE && t->state != TCP_S_LISTEN;

    if (t->state == TCP_S_LISTEN) tcp_stop_listening(t);
    abort_connection(t);
    if (t->in.host != NULL) hostnet_close(t->in.host);
    t->in.host = NULL;
    t->remote = t->connecting = t->connected = t->ended = false;
    t->urgent = URG_NONE;
    tcp_queue_drop(&t->in_queue, tcp_queued(&t->in_queue));
    inet_unconnect(&t->in);
    s->shutdown = 0;
    s->error = cut ? ECONNRESET : 0;
    tcp_wake(t, 0);
}

static int tcp_shutdown(struct socket *s, uint32_t how) {
    struct tcp_sock *t = tcp_of(s);

    tcp_refresh(s);
    switch (t->state) {
    case TCP_S_CLOSE:
        s->shutdown |= how;
        tcp_wake(t, 0);
        return -ENOTCONN;
    case TCP_S_LISTEN:
        if (how & SOCK_SHUT_RECV) tcp_disconnect(t);
        return 0;
    case TCP_S_SYN_SENT:
        tcp_disconnect(t);
        return 0;
    default:
        s->shutdown |= how;
        if (t->remote)
            hostnet_shutdown(t->in.host, how);
        else if (how & SOCK_SHUT_SEND)
            tcp_send_end(t);
        tcp_wake(t, 0);
        return 0;
    }
}

/* close(2) of a connection: the other end learns whether all was read. */
static void close_connection(struct tcp_sock *t) {
    struct tcp_sock *peer;

    if (tcp_queued(&t->in_queue) > 0 || (t->in.sock.linger.on && t->in.sock.linger.seconds == 0)) {
        abort_connection(t);
        return;
    }
    tcp_send_end(t);
    peer = t->peer;
    if (t->state == TCP_S_FIN_WAIT2) tcp_time_wait(t);
    if (peer != NULL) part(t);
}

static void tcp_release(struct socket *s) {
    struct tcp_sock *t = tcp_of(s);

    tcp_unlist(t);
    if (t->state == TCP_S_LISTEN) tcp_stop_listening(t);
    if (t->remote) {
        if (s->linger.on)
            hostnet_setopt(t->in.host, SOL_SOCKET, SO_LINGER, &s->linger, sizeof(s->linger));
    } else if (t->state == TCP_S_SYN_SENT) {
        t->state = TCP_S_CLOSE;
    } else if (t->state != TCP_S_CLOSE) {
        close_connection(t);
    }
    tcp_queue_drop(&t->in_queue, tcp_queued(&t->in_queue));
    ktimer_cancel(&t->timer);
    inet_destroy(&t->in);
    kfree(t);
}

static int tcp_getname(struct socket *s, bool peer, struct sock_addr *out) {
    const struct tcp_sock *t = tcp_of(s);
    bool accepted = s->file != NULL; /* accept(2) tells who it was, connected still or not */

    tcp_refresh(s);
    if (peer && accepted && (t->state == TCP_S_CLOSE || t->state == TCP_S_SYN_SENT))
        return -ENOTCONN;
    return inet_getname(s, peer, out);
}

static uint32_t local_events(const struct tcp_sock *t) {
    const struct socket *s = &t->in.sock;
    uint32_t events = 0;

    if (s->shutdown == SOCK_SHUT_BOTH || t->state == TCP_S_CLOSE) events |= POLLHUP;
    if (s->shutdown & SOCK_SHUT_RECV) events |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (s->error != 0) events |= POLLERR;
    if (t->state == TCP_S_SYN_SENT) return events;
    if (tcp_readable(t)) events |= POLLIN | POLLRDNORM;
    if ((s->shutdown & SOCK_SHUT_SEND) || tcp_writable(t)) events |= POLLOUT | POLLWRNORM;
    if (t->urgent == URG_UNREAD) events |= POLLPRI;
    return events;
}

static uint32_t tcp_poll(struct socket *s) {
    struct tcp_sock *t = tcp_of(s);
    uint32_t events;

    if (t->state == TCP_S_LISTEN) {
        bool waits = !TAILQ_EMPTY(&t->listener->ready);

        if (!waits && t->in.host != NULL) waits = hostnet_poll(t->in.host) & POLLIN;
        return waits ? POLLIN | POLLRDNORM : 0;
    }
    tcp_refresh(s);
    if (t->remote && t->state != TCP_S_CLOSE && t->state != TCP_S_SYN_SENT)
        return hostnet_poll(t->in.host) | (s->error != 0 ? POLLERR : 0);
    events = local_events(t);
    if (!(events & POLLOUT)) t->nospace = true;
    return events;
}

bool tcp_is_established(const struct inet_sock *s) {
    return ((const struct tcp_sock *)s)->state == TCP_S_ESTABLISHED;
}

void inet_tcp_show(const struct inet_sock *s, struct inet_shown *out) {
    const struct tcp_sock *t = (const struct tcp_sock *)s;

    *out = (struct inet_shown){.state = t->state, .recv_queue = (uint32_t)tcp_queued(&t->in_queue)};
    if (t->listener != NULL)
        *out = (struct inet_shown){t->state, t->listener->backlog, t->listener->queued};
}

static int64_t tcp_ioctl(struct socket *s, uint32_t request, gva_t arg) {
    struct tcp_sock *t = tcp_of(s);
    int value = 0;

    switch (request) {
    case FIONREAD:
        if (t->state == TCP_S_LISTEN) return -EINVAL;
        value = (int)(t->remote ? hostnet_readable(t->in.host) : tcp_unread(t));
        return put_user(value, arg);
    case SIOCATMARK:
        value = !t->remote && tcp_at_mark(t);
        return put_user(value, arg);
    case SIOCOUTQ:
        if (t->state == TCP_S_LISTEN) return -EINVAL;
        if (t->remote) value = (int)hostnet_unsent(t->in.host);
        return put_user(value, arg);
    default:
        break;
    }
    return -ENOTTY;
}

const struct socket_ops inet_tcp_ops = {
    .bind = inet_bind,
    .listen = tcp_listen,
    .accept = tcp_accept,
    .connect = tcp_connect,
    .getname = tcp_getname,
    .send = tcp_send,
    .recv = tcp_recv,
    .send_file = tcp_send_file,
    .shutdown = tcp_shutdown,
    .poll = tcp_poll,
    .refresh = tcp_refresh,
    .ioctl = tcp_ioctl,
    .setopt = tcp_setopt,
    .getopt = tcp_getopt,
    .release = tcp_release,
};
