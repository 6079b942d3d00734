/* SPDX-License-Identifier: MIT */
/* Stream sockets: sending. */
#include <kernel/process.h>
#include <kernel/signal.h>

#include "inet_tcp.h"

static int broken_pipe(struct tcp_sock *t, const struct sock_msg *m) {
    int r = socket_take_error(&t->in.sock);

    if (r != 0 && r != -EPIPE) return r;
    if (!(m->flags & MSG_NOSIGNAL)) signal_send_thread(current_thread(), SIGPIPE, NULL);
    return -EPIPE;
}

/* Bytes that may be on their way at a time: Linux counts the sender's buffer and the receiver's,
 * half of each for its own headers. */
static uint64_t capacity(const struct tcp_sock *t) {
    return t->in.sock.sndbuf / 2 + t->peer->in.sock.rcvbuf / 2;
}

bool tcp_writable(const struct tcp_sock *t) {
    if (t->peer == NULL) return true;
    return tcp_queued(&t->peer->in_queue) * 3 <= capacity(t) * 2;
}

static bool can_send(void *arg) {
    struct tcp_sock *t = arg;

    if (t->remote) {
        tcp_refresh(&t->in.sock);
        return t->in.sock.error != 0 || (hostnet_poll(t->in.host) & (POLLOUT | POLLERR | POLLHUP));
    }
    return t->in.sock.error != 0 || (t->in.sock.shutdown & SOCK_SHUT_SEND) || tcp_writable(t);
}

/* The last byte that was put into the queue is urgent. */
static void mark_urgent(struct tcp_sock *peer) {
    peer->urgent_at = peer->in_queue.tail - 1;
    peer->urgent_byte = tcp_queue_byte(&peer->in_queue, tcp_queued(&peer->in_queue) - 1);
    peer->urgent = URG_UNREAD;
    hostnet_urgent(&peer->in.sock.waitq);
}

/* Sends what there is room for: bytes or -errno. */
static int64_t send_some(struct tcp_sock *t, const struct sock_msg *m, uint64_t sent) {
    uint64_t left = m->data->len - sent, room = capacity(t), used = tcp_queued(&t->peer->in_queue);
    struct tcp_sock *peer = t->peer;
    int64_t n;

    room = room > used ? room - used : 0;
    if (room == 0) return 0;
    n = tcp_queue_put(&peer->in_queue, m->data, sent, min(left, room));
    if (n == -ENOMEM) n = 0; /* as if the peer had a smaller buffer */
    if (n <= 0) return n;
    t->sent += (uint64_t)n;
    if ((m->flags & MSG_OOB) && (uint64_t)n == left) mark_urgent(peer);
    if (peer->list != NULL) tcp_undefer(peer);
    tcp_wake(peer,
             peer->urgent == URG_UNREAD ? POLLIN | POLLRDNORM | POLLPRI : POLLIN | POLLRDNORM);
    return n;
}

/* The peer is closed and answers with a reset. */
static int64_t send_to_nobody(struct tcp_sock *t, uint64_t len) {
    tcp_reset(t);
    return (int64_t)len;
}

/* What is behind the first `at` bytes of a transfer, as far as `room` vectors describe it. */
static struct uio rest_of(const struct uio *u, uint64_t at, struct iovec *iov, uint32_t room) {
    struct uio rest = {.iov = iov, .kernel = u->kernel};

    for (uint32_t i = 0; i < u->count && rest.count < room; i++) {
        uint64_t len = u->iov[i].iov_len;

        if (at >= len) {
            at -= len;
            continue;
        }
        iov[rest.count++] = (struct iovec){(char *)u->iov[i].iov_base + at, len - at};
        rest.len += len - at;
        at = 0;
    }
    return rest;
}

static int64_t send_outside(struct tcp_sock *t, struct sock_msg *m, int64_t deadline_ns) {
    struct iovec iov[8];
    uint64_t sent = 0;
    int64_t r = 0;

    do {
        struct uio rest = rest_of(m->data, sent, iov, ARRAY_LEN(iov));
        struct sock_msg part = {.data = &rest, .flags = m->flags | MSG_DONTWAIT | MSG_NOSIGNAL};

        if (sent + rest.len < m->data->len) part.flags &= ~(uint32_t)MSG_OOB;
        r = hostnet_send(t->in.host, &part);
        if (r > 0) sent += (uint64_t)r;
        if (r == -EAGAIN) r = socket_wait(&t->in.sock.waitq, can_send, t, deadline_ns);
    } while (r >= 0 && sent < m->data->len);
    if (sent > 0) return (int64_t)sent;
    if (r == -EPIPE && !(m->flags & MSG_NOSIGNAL))
        signal_send_thread(current_thread(), SIGPIPE, NULL);
    return r;
}

/* MSG_FASTOPEN: connects and sends; there is never a cookie of an earlier connection. */
static int fast_open(struct tcp_sock *t, const struct sock_msg *m) {
    if (m->addr == NULL) return t->state == TCP_S_CLOSE ? -EINVAL : 0;
    if (t->connecting) return -EALREADY;
    return tcp_connect(&t->in.sock, m->addr, m->flags & MSG_DONTWAIT);
}

int64_t tcp_send(struct socket *s, struct sock_msg *m) {
    struct tcp_sock *t = tcp_of(s);
    int64_t deadline_ns = socket_deadline(s->send_timeout_ns, m->flags & MSG_DONTWAIT), r = 0;
    uint64_t sent = 0;

    if ((m->flags & MSG_FASTOPEN) && !t->connected) r = fast_open(t, m);
    if (r == 0) r = tcp_await_connection(t, deadline_ns);
    if (r) return r;
    if (t->remote && t->state != TCP_S_CLOSE && !(s->shutdown & SOCK_SHUT_SEND) && s->error == 0)
        return send_outside(t, m, deadline_ns);
    for (;;) {
        if (s->error != 0 || (s->shutdown & SOCK_SHUT_SEND) || t->state == TCP_S_CLOSE ||
            t->state == TCP_S_LISTEN) {
            if (sent == 0) r = broken_pipe(t, m);
            break;
        }
        if (sent == m->data->len) break;
        if (t->peer == NULL) {
            sent = (uint64_t)send_to_nobody(t, m->data->len);
            break;
        }
        r = send_some(t, m, sent);
        if (r < 0) break;
        sent += (uint64_t)r;
        if (sent == m->data->len) break;
        t->nospace = true;
        r = socket_wait(&s->waitq, can_send, t, deadline_ns);
        if (r) break;
    }
    return sent > 0 ? (int64_t)sent : r;
}

int64_t tcp_send_file(struct socket *s, uint32_t handle, int64_t pos, uint64_t len, bool nonblock) {
    struct tcp_sock *t = tcp_of(s);
    int64_t deadline_ns = socket_deadline(s->send_timeout_ns, nonblock), r = 0;
    uint64_t sent = 0;

    while (sent < len && r >= 0) {
        /* Whatever is not a connection as it should be is the ordinary way's affair. */
        if (!t->remote || t->state == TCP_S_CLOSE || t->state == TCP_S_SYN_SENT || s->error != 0 ||
            (s->shutdown & SOCK_SHUT_SEND))
            r = -EOPNOTSUPP;
        else
            r = hostnet_send_file(t->in.host, handle, pos + (int64_t)sent, len - sent);
        if (r > 0) sent += (uint64_t)r;
        if (r == -EAGAIN) r = socket_wait(&s->waitq, can_send, t, deadline_ns);
    }
    return sent > 0 ? (int64_t)sent : r;
}
