/* SPDX-License-Identifier: MIT */
/* Stream sockets: receiving, urgent data. */
#include <kernel/file_owner.h>
#include <kernel/process.h>

#include "inet_tcp.h"

void hostnet_urgent(struct waitq *q) {
    const struct socket *s = container_of(q, struct socket, waitq);

    if (s->file != NULL) file_owner_urgent(s->file);
}

static bool urgent_hidden(const struct tcp_sock *t) {
    return t->urgent != URG_NONE && !socket_has(&t->in.sock, SO_OOBINLINE);
}

uint64_t tcp_unread(const struct tcp_sock *t) {
    return urgent_hidden(t) ? t->urgent_at - t->in_queue.head : tcp_queued(&t->in_queue);
}

bool tcp_readable(const struct tcp_sock *t) {
    uint64_t wanted = t->in.sock.rcvlowat;

    if (urgent_hidden(t) && tcp_at_mark(t)) wanted++;
    return tcp_queued(&t->in_queue) >= wanted;
}

bool tcp_at_mark(const struct tcp_sock *t) {
    return t->urgent != URG_NONE && t->urgent_at == t->in_queue.head;
}

/* The sender may go on. */
static void make_room(struct tcp_sock *t) {
    struct tcp_sock *peer = t->peer;

    if (peer == NULL || !peer->nospace || !tcp_writable(peer)) return;
    peer->nospace = false;
    tcp_wake(peer, POLLOUT | POLLWRNORM);
}

/* A read on its way. */
struct reading {
    struct tcp_sock *t;
    struct sock_msg *m;
    uint64_t copied, target; /* bytes; target: less is not enough */
    uint64_t at;             /* place in the stream, ahead of the queue's head only for a peek */
    uint64_t seen;           /* the queue's tail when it was found too short */
};

static bool news(void *arg) {
    const struct reading *r = arg;
    struct tcp_sock *t = r->t;

    if (t->remote) {
        tcp_refresh(&t->in.sock);
        if (hostnet_poll(t->in.host) & (POLLIN | POLLHUP | POLLERR | POLLRDHUP)) return true;
    }
    return t->in_queue.tail != r->seen || t->in.sock.error != 0 || t->state == TCP_S_CLOSE ||
           (t->in.sock.shutdown & SOCK_SHUT_RECV);
}

/* Moves the place on, and the queue unless this is a peek. */
static void advance(struct reading *r, uint64_t n) {
    struct tcp_sock *t = r->t;

    r->at += n;
    if (r->m->flags & MSG_PEEK) return;
    tcp_queue_drop(&t->in_queue, n);
    if (t->urgent == URG_READ && t->urgent_at < t->in_queue.head) t->urgent = URG_NONE;
    make_room(t);
}

/* Copies what is there, up to the urgent byte.  1: the read ends here, 0: it goes on, -EFAULT. */
static int read_queue(struct reading *r) {
    struct tcp_sock *t = r->t;
    uint64_t n = min(t->in_queue.tail - r->at, r->m->data->len - r->copied);

    if (t->urgent != URG_NONE && t->urgent_at == r->at && r->copied > 0) return 1;
    if (t->urgent != URG_NONE && t->urgent_at == r->at && !socket_has(&t->in.sock, SO_OOBINLINE)) {
        if (t->urgent == URG_UNREAD && !(r->m->flags & MSG_PEEK)) t->urgent = URG_READ;
        advance(r, 1);
        return 0;
    }
    if (t->urgent != URG_NONE && t->urgent_at > r->at) n = min(n, t->urgent_at - r->at);
    if (t->urgent != URG_NONE && t->urgent_at == r->at && !(r->m->flags & MSG_PEEK))
        t->urgent = URG_READ; /* in line: the mark is passed */
    if (!(r->m->flags & MSG_TRUNC) &&
        tcp_queue_copy(&t->in_queue, r->at - t->in_queue.head, r->m->data, r->copied, n))
        return -EFAULT;
    r->copied += n;
    advance(r, n);
    return 0;
}

/* Nothing more is queued: 0 look again, 1 end, or -errno. */
static int wait_for_more(struct reading *r, int64_t deadline_ns) {
    struct tcp_sock *t = r->t;
    struct socket *s = &t->in.sock;

    if (r->copied >= r->target) return 1;
    if (r->copied > 0) {
        if (s->error != 0 || t->state == TCP_S_CLOSE || (s->shutdown & SOCK_SHUT_RECV)) return 1;
    } else {
        if (t->ended) return 1;
        if (s->error != 0) return socket_take_error(s);
        if (s->shutdown & SOCK_SHUT_RECV) return 1;
        if (t->state == TCP_S_CLOSE) return -ENOTCONN;
    }
    r->seen = t->in_queue.tail;
    return socket_wait(&s->waitq, news, r, deadline_ns);
}

static int64_t read_inside(struct reading *r, int64_t deadline_ns) {
    int err = 0;

    do {
        if (r->at < r->t->in_queue.head) r->at = r->t->in_queue.head; /* others have read */
        if (r->t->in_queue.tail > r->at)
            err = read_queue(r);
        else
            err = wait_for_more(r, deadline_ns);
    } while (err == 0 && r->copied < r->m->data->len);
    return r->copied > 0 || err > 0 ? (int64_t)r->copied : err;
}

static int64_t read_outside(struct reading *r, int64_t deadline_ns) {
    struct tcp_sock *t = r->t;
    struct sock_msg part = *r->m;
    int64_t n;

    part.addr = NULL;
    part.flags = (part.flags & ~(uint32_t)MSG_WAITALL) | MSG_DONTWAIT;
    for (;;) {
        if (t->in.sock.error != 0) return socket_take_error(&t->in.sock);
        n = hostnet_recv(t->in.host, &part);
        if (n != -EAGAIN) break;
        r->seen = t->in_queue.tail;
        n = socket_wait(&t->in.sock.waitq, news, r, deadline_ns);
        if (n) break;
    }
    r->m->result_flags = part.result_flags;
    return n;
}

/* MSG_WAITALL of a connection of the host: vectors are filled one after the other. */
static int64_t read_all_outside(struct reading *r, int64_t deadline_ns) {
    const struct uio *all = r->m->data;
    struct sock_msg *m = r->m;
    int64_t n = 0;

    for (uint32_t i = 0; i < all->count; i++) {
        for (uint64_t at = 0; at < all->iov[i].iov_len; at += (uint64_t)n) {
            struct iovec iov = {(char *)all->iov[i].iov_base + at, all->iov[i].iov_len - at};
            struct uio u = {.iov = &iov, .count = 1, .kernel = all->kernel, .len = iov.iov_len};

            m->data = &u;
            n = read_outside(r, deadline_ns);
            m->data = all;
            if (n <= 0) return r->copied > 0 ? (int64_t)r->copied : n;
            r->copied += (uint64_t)n;
        }
    }
    return (int64_t)r->copied;
}

static int64_t read_urgent(struct tcp_sock *t, struct sock_msg *m) {
    struct socket *s = &t->in.sock;

    if (socket_has(s, SO_OOBINLINE) || t->urgent != URG_UNREAD) return -EINVAL;
    m->result_flags |= MSG_OOB;
    if (!(m->flags & MSG_PEEK)) t->urgent = URG_READ;
    if (m->data->len == 0) {
        m->result_flags |= MSG_TRUNC;
        return 0;
    }
    if (!(m->flags & MSG_TRUNC) && uio_fill(m->data, 0, &t->urgent_byte, 1)) return -EFAULT;
    return 1;
}

int64_t tcp_recv(struct socket *s, struct sock_msg *m) {
    struct tcp_sock *t = tcp_of(s);
    struct reading r = {.t = t, .m = m, .at = t->in_queue.head};
    int64_t deadline_ns = socket_deadline(s->recv_timeout_ns, m->flags & MSG_DONTWAIT), n;
    uint64_t len = m->data->len;
    int err;

    if (m->flags & MSG_ERRQUEUE) return -EAGAIN;
    if (t->state == TCP_S_LISTEN) return -ENOTCONN;
    tcp_refresh(s);
    if (t->state == TCP_S_SYN_SENT && (err = tcp_await_connection(t, deadline_ns)) != 0) return err;
    if (t->remote && t->state != TCP_S_CLOSE) {
        if ((m->flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL)
            return read_all_outside(&r, deadline_ns);
        return read_outside(&r, deadline_ns);
    }
    if (m->flags & MSG_OOB) return read_urgent(t, m);
    r.target = m->flags & MSG_WAITALL ? len : min(s->rcvlowat, len);
    r.target = max(r.target, 1UL);
    n = read_inside(&r, deadline_ns);
    if (n >= 0 && inet_option_on(&t->in, OPT_TCP_INQ)) {
        int queued = (int)tcp_queued(&t->in_queue);

        control_put(m, IPPROTO_TCP, TCP_CM_INQ, &queued, sizeof(queued));
    }
    return n;
}
