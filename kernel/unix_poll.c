/* SPDX-License-Identifier: MIT */
/* AF_UNIX: readiness. */
#include "unix.h"

/* A quarter of the buffer is all that may be taken. */
static bool writable(const struct unix_sock *u) {
    return u->state != UNIX_LISTENING && (uint64_t)u->charged * 4 <= u->sock.sndbuf;
}

/* What holds for every type. */
static uint32_t common_events(const struct unix_sock *u) {
    uint32_t events = 0;

    if (u->sock.error != 0) events |= POLLERR;
    if (u->sock.shutdown == SOCK_SHUT_BOTH) events |= POLLHUP;
    if (u->sock.shutdown & SOCK_SHUT_RECV) events |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (u->queued > 0) events |= POLLIN | POLLRDNORM;
    if (unix_stream_like(u) && u->state == UNIX_CLOSED) events |= POLLHUP;
    return events;
}

uint32_t unix_stream_poll(struct socket *s) {
    const struct unix_sock *u = unix_of(s);
    uint32_t events = common_events(u);

    return writable(u) ? events | POLLOUT | POLLWRNORM | POLLWRBAND : events;
}

uint32_t unix_dgram_poll(struct socket *s) {
    const struct unix_sock *u = unix_of(s), *peer = u->peer;
    uint32_t events = common_events(u);

    if (!writable(u)) return events;
    if (peer != NULL && !peer->dead && peer->peer != u && unix_full(peer)) return events;
    return events | POLLOUT | POLLWRNORM | POLLWRBAND;
}
