/* SPDX-License-Identifier: MIT */
/* AF_UNIX: messages, queues and what is charged for them. */
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "unix.h"

/* What Linux's own buffers would take: a power of two for small messages, pages for large ones. */
#define BUFFER_HEADER 320u
#define BUFFER_RECORD 256u
#define SMALL_BYTES 16384u

static uint32_t charge_of(uint32_t len) {
    uint32_t bytes = 512;

    if (len > SMALL_BYTES - BUFFER_HEADER)
        return (uint32_t)page_up(len) + BUFFER_HEADER + BUFFER_RECORD;
    while (bytes < len + BUFFER_HEADER)
        bytes *= 2;
    return bytes + BUFFER_RECORD;
}

static bool has_room(void *arg) {
    const struct unix_sock *u = arg;

    return u->sock.error != 0 || (u->sock.shutdown & SOCK_SHUT_SEND) || u->charged < u->sock.sndbuf;
}

int unix_message_new(struct unix_sock *u, uint32_t len, int64_t deadline_ns,
                     struct unix_message **out) {
    struct unix_message *m;
    int r;

    for (;;) {
        r = socket_take_error(&u->sock);
        if (r) return r;
        if (u->sock.shutdown & SOCK_SHUT_SEND) return -EPIPE;
        if (u->charged < u->sock.sndbuf) break;
        r = socket_wait(&u->sock.waitq, has_room, u, deadline_ns);
        if (r) return r;
    }
    m = kmalloc(sizeof(*m) + len);
    if (!m) return -ENOBUFS;
    *m = (struct unix_message){.sender = u, .len = len, .charge = charge_of(len)};
    unix_ref(u);
    u->charged += m->charge;
    *out = m;
    return 0;
}

void unix_message_free(struct unix_message *m) {
    struct unix_sock *u = m->sender;

    u->charged -= m->charge;
    if (!u->dead) unix_wake(u);
    unix_unref(u);
    unix_scm_drop(&m->scm);
    kfree(m);
}

void unix_message_queue(struct unix_sock *to, struct unix_message *m, struct unix_sock *from,
                        struct unix_scm *scm) {
    const struct process *p = current_process();
    /* Of a connection that nobody has accepted yet it is not known whether they will be asked
     * for. */
    bool wanted = socket_has(&from->sock, SO_PASSCRED) || socket_has(&to->sock, SO_PASSCRED) ||
                  to->sock.file == NULL;

    m->scm = *scm;
    scm->rights = NULL;
    if (m->scm.cred.pid == 0 && wanted) m->scm.cred = (struct k_ucred){p->pid, p->uid, p->gid};
    if (m->scm.rights) unix_rights_fly(m->scm.rights);
    TAILQ_INSERT_TAIL(&to->queue, m, link);
    to->queued++;
    to->arrivals++;
    waitq_wake(&to->sock.waitq, POLLIN | POLLRDNORM);
}

bool unix_has_room(void *arg) {
    const struct unix_sock *u = arg;

    return u->dead || (u->sock.shutdown & SOCK_SHUT_RECV) || !unix_full(u);
}

/* Datagram sockets that are connected to u and could not write. */
static void wake_senders(struct unix_sock *u) {
    struct unix_sock *s;

    if (u->sock.type != SOCK_DGRAM) return;
    TAILQ_FOREACH(s, &unix_all, all_link) {
        if (s->peer == u) waitq_wake(&s->sock.waitq, POLLOUT | POLLWRNORM);
    }
}

void unix_message_take(struct unix_sock *u, struct unix_message *m) {
    bool full = unix_full(u);

    TAILQ_REMOVE(&u->queue, m, link);
    u->queued--;
    if (m->scm.rights) unix_rights_land(m->scm.rights);
    if (!full || unix_full(u)) return;
    unix_wake(u); /* who sends waits here */
    wake_senders(u);
}

void unix_purge(struct unix_sock *u) {
    struct unix_message *m;

    while ((m = TAILQ_FIRST(&u->queue)) != NULL) {
        unix_message_take(u, m);
        unix_message_free(m);
    }
    wake_senders(u);
}

uint32_t unix_peek_start(const struct unix_sock *u, uint32_t flags) {
    return (flags & MSG_PEEK) && u->sock.peek_offset > 0 ? (uint32_t)u->sock.peek_offset : 0;
}

void unix_peek_moved(struct unix_sock *u, bool peek, uint32_t bytes) {
    int32_t *at = &u->sock.peek_offset;

    if (*at < 0) return;
    if (peek)
        *at = (int32_t)min((uint32_t)*at + bytes, (uint32_t)INT32_MAX);
    else
        *at = *at > (int32_t)bytes ? *at - (int32_t)bytes : 0;
}
