/* SPDX-License-Identifier: MIT */
/* AF_UNIX: sockets that were sent through sockets may refer to each other in a circle that no
 * program can reach any more.  Owns the list of sockets that are in messages.
 *
 * A socket is reachable if its file has more references than there are messages that carry it, or
 * if such a message, or a connection to be accepted, waits at a reachable socket. */
#include "unix.h"

static TAILQ_HEAD(, unix_sock) flying = TAILQ_HEAD_INITIALIZER(flying);

void unix_gc_fly(struct unix_sock *u) {
    if (u->inflight++ == 0) TAILQ_INSERT_TAIL(&flying, u, flying_link);
}

void unix_gc_land(struct unix_sock *u) {
    if (--u->inflight == 0) TAILQ_REMOVE(&flying, u, flying_link);
}

static bool held_by_messages_only(const struct unix_sock *u) {
    return u->inflight > 0 && u->sock.file != NULL && u->sock.file->refs == u->inflight;
}

static void reach(struct unix_sock *u, struct unix_sock **todo) {
    if (u->reachable) return;
    u->reachable = true;
    u->gc_next = *todo;
    *todo = u;
}

/* Everything that can be received through u. */
static void reach_through(struct unix_sock *u, struct unix_sock **todo) {
    const struct unix_message *m;
    struct unix_sock *waiting;

    TAILQ_FOREACH(waiting, &u->pending, pending_link) { reach(waiting, todo); }
    TAILQ_FOREACH(m, &u->queue, link) {
        for (uint32_t i = 0; m->scm.rights && i < m->scm.rights->count; i++) {
            struct socket *s = socket_of(m->scm.rights->files[i]);

            if (s != NULL && s->family == AF_UNIX) reach(unix_of(s), todo);
        }
    }
}

static void mark(void) {
    struct unix_sock *u, *todo = NULL;

    TAILQ_FOREACH(u, &unix_all, all_link) { u->reachable = false; }
    TAILQ_FOREACH(u, &unix_all, all_link) {
        if (u->sock.file != NULL && !held_by_messages_only(u)) reach(u, &todo);
    }
    while (todo != NULL) {
        u = todo;
        todo = u->gc_next;
        reach_through(u, &todo);
    }
}

/* Takes the messages of what cannot be reached; freeing them closes the sockets. */
static void sweep(struct unix_messages *garbage) {
    struct unix_sock *u;
    struct unix_message *m;

    TAILQ_FOREACH(u, &unix_all, all_link) {
        if (u->reachable) continue;
        while ((m = TAILQ_FIRST(&u->queue)) != NULL) {
            unix_message_take(u, m);
            TAILQ_INSERT_TAIL(garbage, m, link);
        }
    }
}

void unix_collect(void) {
    static bool busy;
    struct unix_messages garbage = TAILQ_HEAD_INITIALIZER(garbage);
    struct unix_message *m;
    struct unix_sock *u;
    bool suspect = false;

    TAILQ_FOREACH(u, &flying, flying_link) { suspect = suspect || held_by_messages_only(u); }
    if (busy || !suspect) return;
    busy = true;
    mark();
    sweep(&garbage);
    while ((m = TAILQ_FIRST(&garbage)) != NULL) {
        TAILQ_REMOVE(&garbage, m, link);
        unix_message_free(m);
    }
    busy = false;
}
