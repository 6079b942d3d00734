/* SPDX-License-Identifier: MIT */
/* AF_UNIX: the messages of SOCK_DGRAM and SOCK_SEQPACKET. */
#include <kernel/process.h>
#include <kernel/string.h>

#include "unix.h"

#define HEADROOM 32 /* bytes of the send buffer that no message gets */

void unix_dgram_disconnected(struct unix_sock *u, struct unix_sock *old) {
    if (TAILQ_EMPTY(&u->queue)) return;
    unix_purge(u);
    if (old->dead || old->peer != u) return;
    old->sock.error = ECONNRESET;
    unix_wake(old);
}

/* The peer is gone: 0 if there may be another one by the address. */
static int lost_peer(struct unix_sock *u, struct unix_sock *dead) {
    if (u->sock.type == SOCK_SEQPACKET) return -EPIPE;
    if (u->peer != dead) return 0;
    u->peer = NULL;
    u->state = UNIX_CLOSED;
    unix_dgram_disconnected(u, dead);
    unix_unref(dead);
    return -ECONNREFUSED;
}

/* Looks for whom the message is, until that one can take it: *to, with a reference. */
static int find_receiver(struct unix_sock *u, const struct sock_addr *addr, int64_t deadline_ns,
                         struct unix_sock **to) {
    struct unix_sock *other = addr == NULL ? u->peer : NULL;
    int r = 0;

    if (other != NULL) unix_ref(other);
    for (;;) {
        if (other == NULL) {
            if (addr == NULL) return -ECONNRESET;
            r = unix_find(addr, u->sock.type, &other);
            if (r) return r;
        }
        if (other->peer != NULL && other->peer != u && !other->dead) {
            r = -EPERM;
        } else if (other->dead) {
            r = lost_peer(u, other);
            unix_unref(other);
            other = NULL;
            if (r) return r;
            continue;
        } else if (other->sock.shutdown & SOCK_SHUT_RECV) {
            r = -EPIPE;
        } else if (other != u && other->peer != u && unix_full(other)) {
            r = socket_wait(&other->sock.waitq, unix_has_room, other, deadline_ns);
            if (r == 0) continue;
        }
        if (r == 0) break;
        unix_unref(other);
        return r;
    }
    *to = other;
    return 0;
}

static int64_t send_message(struct unix_sock *u, struct sock_msg *m, struct unix_scm *scm) {
    int64_t deadline_ns = socket_deadline(u->sock.send_timeout_ns, m->flags & MSG_DONTWAIT);
    uint64_t len = m->data->len;
    struct unix_message *msg;
    struct unix_sock *to;
    int r;

    if (m->flags & MSG_OOB) return -EOPNOTSUPP;
    if (m->addr != NULL) {
        r = unix_check_addr(m->addr);
        if (r) return r;
    } else if (u->peer == NULL) {
        return -ENOTCONN;
    }
    r = unix_autobind_sender(u);
    if (r) return r;
    if (len > u->sock.sndbuf - HEADROOM) return -EMSGSIZE;
    r = unix_message_new(u, (uint32_t)len, deadline_ns, &msg);
    if (r) return r;
    r = uio_drain(m->data, 0, msg->data, len);
    if (r == 0) r = find_receiver(u, m->addr, deadline_ns, &to);
    if (r) {
        unix_message_free(msg);
        return r;
    }
    unix_message_queue(to, msg, u, scm);
    unix_unref(to);
    return (int64_t)len;
}

int64_t unix_dgram_send(struct socket *s, struct sock_msg *m) {
    struct unix_scm scm;
    int64_t r = unix_scm_read(m, &scm);

    if (r) return r;
    r = send_message(unix_of(s), m, &scm);
    unix_scm_drop(&scm);
    return r;
}

int64_t unix_seqpacket_send(struct socket *s, struct sock_msg *m) {
    int r = socket_take_error(s);

    if (r) return r;
    if (unix_of(s)->state != UNIX_CONNECTED) return -ENOTCONN;
    m->addr = NULL;
    return unix_dgram_send(s, m);
}

struct awaiting {
    struct unix_sock *u;
    uint64_t seen; /* arrivals */
};

static bool news(void *arg) {
    const struct awaiting *a = arg;
    const struct socket *s = &a->u->sock;

    return a->u->arrivals != a->seen || s->error != 0 || (s->shutdown & SOCK_SHUT_RECV);
}

/* The first message that a peek does not skip, or NULL; *skip: bytes of it to leave out. */
static struct unix_message *first_message(struct unix_sock *u, uint32_t flags, uint32_t *skip) {
    bool peek = (flags & MSG_PEEK) && u->sock.peek_offset >= 0;
    struct unix_message *m;

    *skip = unix_peek_start(u, flags);
    TAILQ_FOREACH(m, &u->queue, link) {
        if (!peek || *skip < m->len || (*skip == 0 && !m->peeked)) break;
        *skip -= m->len;
    }
    return m;
}

/* Waits for a message; *out is NULL at the end of the data. */
static int await_message(struct unix_sock *u, uint32_t flags, uint32_t *skip,
                         struct unix_message **out) {
    int64_t deadline_ns = socket_deadline(u->sock.recv_timeout_ns, flags & MSG_DONTWAIT);
    bool seqpacket = u->sock.type == SOCK_SEQPACKET;
    struct awaiting a = {.u = u};
    int r;

    for (;;) {
        bool ended;

        r = socket_take_error(&u->sock);
        if (r) return r;
        *out = first_message(u, flags, skip);
        if (*out != NULL) return 0;
        ended = u->sock.shutdown & SOCK_SHUT_RECV;
        if (ended && (seqpacket || deadline_ns != 0)) return 0;
        a.seen = u->arrivals;
        r = socket_wait(&u->sock.waitq, news, &a, deadline_ns);
        if (r) return r;
    }
}

int64_t unix_dgram_recv(struct socket *s, struct sock_msg *m) {
    struct unix_sock *u = unix_of(s);
    bool peek = m->flags & MSG_PEEK;
    struct unix_scm scm = {0};
    struct unix_message *msg;
    uint32_t skip, len, n;
    int r;

    if (m->flags & MSG_OOB) return -EOPNOTSUPP;
    r = await_message(u, m->flags, &skip, &msg);
    if (r || msg == NULL) return r;
    len = msg->len - skip;
    n = (uint32_t)min((uint64_t)len, m->data->len);
    if (n < len) m->result_flags |= MSG_TRUNC;
    if (m->addr != NULL) *m->addr = msg->sender->name;
    r = uio_fill(m->data, 0, msg->data + skip, n);
    scm.cred = msg->scm.cred;
    if (peek) {
        msg->peeked = true;
        if (r == 0 && msg->scm.rights) scm.rights = unix_rights_copy(msg->scm.rights);
    } else {
        unix_message_take(u, msg);
        scm.rights = msg->scm.rights;
        msg->scm.rights = NULL;
    }
    if (r == 0) {
        unix_peek_moved(u, peek, peek ? n : msg->len);
        unix_scm_give(u, m, &scm);
    } else {
        unix_scm_drop(&scm);
    }
    if (!peek) unix_message_free(msg);
    if (r) return r;
    return m->flags & MSG_TRUNC ? len : n;
}

int64_t unix_seqpacket_recv(struct socket *s, struct sock_msg *m) {
    if (unix_of(s)->state != UNIX_CONNECTED) return -ENOTCONN;
    return unix_dgram_recv(s, m);
}
