/* SPDX-License-Identifier: MIT */
/* AF_UNIX: the bytes of SOCK_STREAM. */
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/string.h>

#include "unix.h"

#define CHUNK_BYTES (32768u - 256u) /* of one message: fits a run of pages with its headers */

/* Nobody will read what is sent to peer. */
static bool is_deaf(const struct unix_sock *peer) {
    return peer->dead || (peer->sock.shutdown & SOCK_SHUT_RECV);
}

static int broken_pipe(const struct sock_msg *m, uint64_t sent) {
    if (sent == 0 && !(m->flags & MSG_NOSIGNAL))
        signal_send_thread(current_thread(), SIGPIPE, NULL);
    return -EPIPE;
}

/* Sends the next piece; bytes or -errno. */
static int64_t send_chunk(struct unix_sock *u, struct sock_msg *m, uint64_t sent,
                          int64_t deadline_ns, struct unix_scm *scm) {
    uint32_t len = min(CHUNK_BYTES, (u->sock.sndbuf >> 1) - 64);
    struct unix_message *msg;
    int r;

    len = (uint32_t)min((uint64_t)len, m->data->len - sent);
    r = unix_message_new(u, len, deadline_ns, &msg);
    if (r) return r;
    r = uio_drain(m->data, sent, msg->data, len);
    if (r == 0 && is_deaf(u->peer)) r = broken_pipe(m, sent);
    if (r) {
        unix_message_free(msg);
        return r;
    }
    unix_message_queue(u->peer, msg, u, scm);
    return len;
}

int64_t unix_stream_send(struct socket *s, struct sock_msg *m) {
    struct unix_sock *u = unix_of(s);
    int64_t deadline_ns, r;
    struct unix_scm scm;
    uint64_t sent = 0;

    r = unix_scm_read(m, &scm);
    if (r) return r;
    if (m->flags & MSG_OOB)
        r = -EOPNOTSUPP;
    else if (m->addr != NULL)
        r = u->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    else if (u->peer == NULL)
        r = -ENOTCONN;
    else if (s->shutdown & SOCK_SHUT_SEND)
        r = broken_pipe(m, 0);
    deadline_ns = socket_deadline(s->send_timeout_ns, m->flags & MSG_DONTWAIT);
    while (r == 0 && sent < m->data->len) {
        r = send_chunk(u, m, sent, deadline_ns, &scm);
        if (r < 0) break;
        sent += (uint64_t)r;
        r = 0;
    }
    unix_scm_drop(&scm);
    return sent > 0 ? (int64_t)sent : r;
}

/* A read on its way. */
struct reading {
    struct unix_sock *u;
    struct sock_msg *m;
    uint64_t copied, target; /* bytes; target: less is not enough */
    uint32_t skip;           /* bytes that a peek leaves out */
    uint64_t seen;           /* arrivals when the queue was found too short */
    bool has_cred;           /* scm.cred is that of what was copied */
    struct unix_scm scm;
};

static bool news(void *arg) {
    const struct reading *r = arg;
    const struct socket *s = &r->u->sock;

    return r->u->arrivals != r->seen || s->error != 0 || (s->shutdown & SOCK_SHUT_RECV);
}

/* Nothing more is queued: 0 look again, 1 end, or -errno. */
static int wait_for_more(struct reading *r, int64_t deadline_ns) {
    struct socket *s = &r->u->sock;
    int err;

    if (r->copied >= r->target) return 1;
    err = socket_take_error(s);
    if (err) return err;
    if (s->shutdown & SOCK_SHUT_RECV) return 1;
    r->seen = r->u->arrivals;
    return socket_wait(&s->waitq, news, r, deadline_ns);
}

static bool same_cred(const struct k_ucred *a, const struct k_ucred *b) {
    return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* Copies from one message.  1: the read ends here, 0: it goes on, -EFAULT. */
static int read_from(struct reading *r, struct unix_message *msg) {
    struct unix_sock *u = r->u;
    bool peek = r->m->flags & MSG_PEEK, had_rights;
    uint64_t left = r->m->data->len - r->copied;
    uint32_t from = msg->read + r->skip;
    uint32_t n = (uint32_t)min(left, (uint64_t)(msg->len - from));

    if (r->has_cred && !same_cred(&r->scm.cred, &msg->scm.cred)) return 1;
    if (!r->has_cred) r->scm.cred = msg->scm.cred;
    r->has_cred = socket_has(&u->sock, SO_PASSCRED);
    if (r->m->addr != NULL && r->m->addr->len == 0) *r->m->addr = msg->sender->name;
    if (uio_fill(r->m->data, r->copied, msg->data + from, n)) return -EFAULT;
    r->copied += n;
    unix_peek_moved(u, peek, n);
    had_rights = msg->scm.rights != NULL;
    if (peek) {
        if (had_rights) r->scm.rights = unix_rights_copy(msg->scm.rights);
        r->skip = 0;
        return had_rights;
    }
    msg->read += n;
    if (had_rights) {
        unix_rights_land(msg->scm.rights);
        r->scm.rights = msg->scm.rights;
        msg->scm.rights = NULL;
    }
    if (msg->read < msg->len) return 1;
    unix_message_take(u, msg);
    unix_message_free(msg);
    return had_rights;
}

/* The first message with something that is not skipped, from `msg` on, or NULL. */
static struct unix_message *skip_to(struct reading *r, struct unix_message *msg) {
    while (msg != NULL && r->skip > 0 && r->skip >= msg->len - msg->read) {
        r->skip -= msg->len - msg->read;
        msg = TAILQ_NEXT(msg, link);
    }
    return msg;
}

static int read_loop(struct reading *r, int64_t deadline_ns) {
    struct unix_message *msg, *next;
    int err;

    do {
        r->skip = unix_peek_start(r->u, r->m->flags);
        msg = skip_to(r, TAILQ_FIRST(&r->u->queue));
        if (msg == NULL) {
            err = wait_for_more(r, deadline_ns);
            if (err) return err;
            continue;
        }
        do {
            next = TAILQ_NEXT(msg, link);
            err = read_from(r, msg);
            if (err) return err;
            msg = skip_to(r, next);
        } while (msg != NULL && r->copied < r->m->data->len);
        if (r->m->flags & MSG_PEEK) return 0;
    } while (r->copied < r->m->data->len);
    return 0;
}

int64_t unix_stream_recv(struct socket *s, struct sock_msg *m) {
    struct unix_sock *u = unix_of(s);
    struct reading r = {.u = u, .m = m};
    uint64_t len = m->data->len;
    int err;

    if (u->state != UNIX_CONNECTED) return -EINVAL;
    if (m->flags & MSG_OOB) return -EOPNOTSUPP;
    r.target = m->flags & MSG_WAITALL ? len : min(s->rcvlowat, len);
    r.target = max(r.target, 1UL);
    err = read_loop(&r, socket_deadline(s->recv_timeout_ns, m->flags & MSG_DONTWAIT));
    unix_scm_give(u, m, &r.scm);
    return r.copied > 0 || err > 0 ? (int64_t)r.copied : err;
}
