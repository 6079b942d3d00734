/* SPDX-License-Identifier: MIT */
/* AF_UNIX: life and death of sockets, and what is the same for all types. unix(7). */
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "unix.h"

#define MAX_DGRAMS 512 /* net.unix.max_dgram_qlen as distributions set it */

struct unix_socks unix_all = TAILQ_HEAD_INITIALIZER(unix_all);

const struct socket_family unix_family = {.family = AF_UNIX, .create = unix_create};

static const struct socket_ops *ops_of(int type) {
    if (type == SOCK_STREAM) return &unix_stream_ops;
    return type == SOCK_DGRAM ? &unix_dgram_ops : &unix_seqpacket_ops;
}

struct unix_sock *unix_new(int type) {
    struct unix_sock *u = kzalloc(sizeof(*u));

    if (!u) return NULL;
    socket_init(&u->sock, ops_of(type), AF_UNIX, type, 0);
    u->refs = 1;
    u->backlog = MAX_DGRAMS;
    TAILQ_INIT(&u->queue);
    TAILQ_INIT(&u->pending);
    TAILQ_INSERT_TAIL(&unix_all, u, all_link);
    return u;
}

int unix_create(int type, int protocol, struct socket **out) {
    struct unix_sock *u;

    if (protocol != 0 && protocol != AF_UNIX) return -EPROTONOSUPPORT;
    if (type == SOCK_RAW) type = SOCK_DGRAM; /* as in BSD */
    if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
        return -ESOCKTNOSUPPORT;
    u = unix_new(type);
    if (!u) return -ENFILE;
    *out = &u->sock;
    return 0;
}

void unix_ref(struct unix_sock *u) { u->refs++; }

void unix_unref(struct unix_sock *u) {
    if (--u->refs == 0) kfree(u);
}

/* Connections that nobody will accept any more. */
static void drop_pending(struct unix_sock *u) {
    struct unix_sock *waiting;

    while ((waiting = TAILQ_FIRST(&u->pending)) != NULL) {
        TAILQ_REMOVE(&u->pending, waiting, pending_link);
        u->queued--;
        unix_close(waiting, true);
    }
}

void unix_close(struct unix_sock *u, bool embryo) {
    struct unix_sock *peer = u->peer;

    unix_unbind(u);
    TAILQ_REMOVE(&unix_all, u, all_link);
    u->dead = true;
    u->state = UNIX_CLOSED;
    u->sock.shutdown = SOCK_SHUT_BOTH;
    u->peer = NULL;
    if (peer != NULL) {
        if (unix_stream_like(u)) {
            peer->sock.shutdown = SOCK_SHUT_BOTH;
            if (!TAILQ_EMPTY(&u->queue) || embryo) peer->sock.error = ECONNRESET;
        }
        unix_wake(peer);
        unix_unref(peer);
    }
    unix_wake(u);
    drop_pending(u);
    unix_purge(u);
    unix_unref(u);
}

void unix_release(struct socket *s) {
    unix_close(unix_of(s), false);
    unix_collect();
}

struct k_ucred unix_own_cred(void) {
    const struct process *p = current_process();

    return (struct k_ucred){p->pid, p->euid, p->egid};
}

int unix_pair(struct socket *a, struct socket *b) {
    struct unix_sock *ua = unix_of(a), *ub = unix_of(b);

    unix_ref(ua);
    unix_ref(ub);
    ua->peer = ub;
    ub->peer = ua;
    a->peer_cred = b->peer_cred = unix_own_cred();
    ua->state = ub->state = UNIX_CONNECTED;
    return 0;
}

int unix_shutdown(struct socket *s, uint32_t how) {
    struct unix_sock *u = unix_of(s), *peer = u->peer;

    s->shutdown |= how;
    unix_wake(u);
    if (peer == NULL || !unix_stream_like(u)) return 0;
    if (how & SOCK_SHUT_RECV) peer->sock.shutdown |= SOCK_SHUT_SEND;
    if (how & SOCK_SHUT_SEND) peer->sock.shutdown |= SOCK_SHUT_RECV;
    unix_wake(peer);
    return 0;
}

int unix_getname(struct socket *s, bool peer, struct sock_addr *out) {
    const struct unix_sock *u = unix_of(s);

    if (peer) u = u->peer;
    if (u == NULL) return -ENOTCONN;
    *out = u->name;
    if (out->len > 0) return 0;
    out->len = sizeof(out->family);
    out->family = AF_UNIX;
    return 0;
}

/* FIONREAD: what a read could have now. */
static int unread(const struct unix_sock *u, int *bytes) {
    const struct unix_message *m;

    *bytes = 0;
    if (u->state == UNIX_LISTENING) return -EINVAL;
    TAILQ_FOREACH(m, &u->queue, link) {
        *bytes += (int)(m->len - m->read);
        if (u->sock.type == SOCK_DGRAM) break;
    }
    return 0;
}

int64_t unix_ioctl(struct socket *s, uint32_t request, gva_t arg) {
    struct unix_sock *u = unix_of(s);
    int bytes, r;

    switch (request) {
    case FIONREAD:
        r = unread(u, &bytes);
        return r ? r : put_user(bytes, arg);
    case SIOCOUTQ:
        bytes = (int)u->charged;
        return put_user(bytes, arg);
    default:
        return -ENOTTY;
    }
}

const struct socket_ops unix_stream_ops = {
    .pair = unix_pair,
    .bind = unix_bind,
    .listen = unix_listen,
    .accept = unix_accept,
    .connect = unix_stream_connect,
    .getname = unix_getname,
    .send = unix_stream_send,
    .recv = unix_stream_recv,
    .shutdown = unix_shutdown,
    .poll = unix_stream_poll,
    .ioctl = unix_ioctl,
    .release = unix_release,
};

const struct socket_ops unix_seqpacket_ops = {
    .pair = unix_pair,
    .bind = unix_bind,
    .listen = unix_listen,
    .accept = unix_accept,
    .connect = unix_stream_connect,
    .getname = unix_getname,
    .send = unix_seqpacket_send,
    .recv = unix_seqpacket_recv,
    .shutdown = unix_shutdown,
    .poll = unix_dgram_poll,
    .ioctl = unix_ioctl,
    .release = unix_release,
};

const struct socket_ops unix_dgram_ops = {
    .pair = unix_pair,
    .bind = unix_bind,
    .connect = unix_dgram_connect,
    .getname = unix_getname,
    .send = unix_dgram_send,
    .recv = unix_dgram_recv,
    .shutdown = unix_shutdown,
    .poll = unix_dgram_poll,
    .ioctl = unix_ioctl,
    .release = unix_release,
};
