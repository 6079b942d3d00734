/* SPDX-License-Identifier: MIT */
/* AF_UNIX: listen(2), accept(2), connect(2). */
#include <kernel/process.h>
#include <kernel/wait.h>

#include "unix.h"

int unix_listen(struct socket *s, uint32_t backlog) {
    struct unix_sock *u = unix_of(s);

    if (u->name.len == 0 || u->state == UNIX_CONNECTED) return -EINVAL;
    u->backlog = backlog;
    u->state = UNIX_LISTENING;
    s->listening = true;
    s->peer_cred = unix_own_cred();
    unix_wake(u);
    return 0;
}

static bool can_accept(void *arg) {
    const struct unix_sock *u = arg;

    return u->queued > 0 || u->sock.error != 0 || (u->sock.shutdown & SOCK_SHUT_RECV);
}

int unix_accept(struct socket *s, bool nonblock, struct socket **out) {
    struct unix_sock *u = unix_of(s), *next;
    int64_t deadline_ns = socket_deadline(s->recv_timeout_ns, nonblock);
    int r;

    if (u->state != UNIX_LISTENING) return -EINVAL;
    for (;;) {
        r = socket_take_error(s);
        if (r) return r;
        next = TAILQ_FIRST(&u->pending);
        if (next != NULL) break;
        if (deadline_ns == 0) return -EAGAIN;
        if (s->shutdown & SOCK_SHUT_RECV) return -EINVAL;
        r = socket_wait(&s->waitq, can_accept, u, deadline_ns);
        if (r) return r;
    }
    TAILQ_REMOVE(&u->pending, next, pending_link);
    u->queued--;
    unix_wake(u); /* a connection may come after this one */
    *out = &next->sock;
    return 0;
}

/* A listening socket that has room for one more, with a reference. */
static int find_listener(const struct sock_addr *addr, int type, int64_t deadline_ns,
                         struct unix_sock **out) {
    struct unix_sock *l;
    int r;

    for (;;) {
        r = unix_find(addr, type, &l);
        if (r) return r;
        if (l->state != UNIX_LISTENING || (l->sock.shutdown & SOCK_SHUT_RECV))
            r = -ECONNREFUSED;
        else if (!unix_full(l))
            break;
        else
            r = socket_wait(&l->sock.waitq, unix_has_room, l, deadline_ns);
        unix_unref(l);
        if (r) return r;
    }
    *out = l;
    return 0;
}

/* Puts the other end of u's connection, `end`, into the listener's queue. */
static void join(struct unix_sock *u, struct unix_sock *end, struct unix_sock *listener) {
    end->name = listener->name;
    end->sock.peer_cred = unix_own_cred();
    end->state = UNIX_CONNECTED;
    end->peer = u;
    unix_ref(u);
    u->sock.peer_cred = listener->sock.peer_cred;
    u->state = UNIX_CONNECTED;
    u->peer = end;
    unix_ref(end);
    TAILQ_INSERT_TAIL(&listener->pending, end, pending_link);
    listener->queued++;
    listener->arrivals++;
    unix_wake(listener);
    unix_wake(u);
}

int unix_stream_connect(struct socket *s, const struct sock_addr *addr, bool nonblock) {
    struct unix_sock *u = unix_of(s), *listener, *end;
    int r = unix_check_addr(addr);

    if (r == 0) r = unix_autobind_sender(u);
    if (r) return r;
    r = find_listener(addr, s->type, socket_deadline(s->send_timeout_ns, nonblock), &listener);
    if (r) return r;
    if (u->state == UNIX_CLOSED) {
        end = unix_new(s->type);
        r = end == NULL ? -ENOMEM : 0;
        if (end != NULL) join(u, end, listener);
    } else {
        r = u->state == UNIX_CONNECTED ? -EISCONN : -EINVAL;
    }
    unix_unref(listener);
    return r;
}

static void set_peer(struct unix_sock *u, struct unix_sock *peer) {
    struct unix_sock *old = u->peer;

    u->peer = peer;
    u->state = peer != NULL ? UNIX_CONNECTED : UNIX_CLOSED;
    if (old != NULL) {
        if (old != peer) unix_dgram_disconnected(u, old);
        unix_unref(old);
    }
    unix_wake(u);
}

int unix_dgram_connect(struct socket *s, const struct sock_addr *addr, bool nonblock) {
    struct unix_sock *u = unix_of(s), *peer;
    int r;

    if (addr->len < sizeof(addr->family)) return -EINVAL;
    if (addr->family == AF_UNSPEC) {
        set_peer(u, NULL);
        return 0;
    }
    r = unix_check_addr(addr);
    if (r == 0) r = unix_autobind_sender(u);
    if (r == 0) r = unix_find(addr, s->type, &peer);
    if (r) return r;
    if (peer->peer != NULL && peer->peer != u) {
        unix_unref(peer);
        return -EPERM;
    }
    peer->state = UNIX_CONNECTED;
    set_peer(u, peer); /* takes the reference */
    return 0;
}
