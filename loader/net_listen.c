/* SPDX-License-Identifier: MIT */
/* Sockets that listen.  Connections are accepted before the guest asks and put into the socket's
 * receive ring, as records.  Owns nothing. */
#include <loader/net_call.h>

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <loader/hc_path.h>

#define BURST 64 /* connections, then it is the guest's turn */
/* Connections that wait in the host's kernel; it takes no more than net.core.somaxconn.  What the
 * guest asks for bounds those that are accepted in advance.  A short queue here would be one more
 * than a native server has to overflow, and Linux resets some of the connections that meet a full
 * one (SYN cookies). */
#define QUEUE INT_MAX
#define RECORD sizeof(struct hc_net_accepted)

static struct net_listener *listener_of(struct net_socket *s) {
    if (s->listener == NULL) s->listener = calloc(1, sizeof(*s->listener));
    return s->listener;
}

void net_note_option(struct net_socket *s, int level, int name, const void *value, uint32_t len) {
    struct net_option o = {level, name, 0};
    if (s->type != SOCK_STREAM || s->state != 0 || len != sizeof(o.value)) return;
    struct net_listener *l = listener_of(s);
    if (l == NULL) return;
    memcpy(&o.value, value, sizeof(o.value));
    uint32_t i = 0;
    while (i < l->option_count && (l->options[i].level != level || l->options[i].name != name))
        i++;
    if (i == NET_REPLAY) return;
    l->options[i] = o;
    if (i == l->option_count) l->option_count++;
}

/* -p: the port's own socket takes this one's place. */
static int become_published(struct net_socket *s, struct net_port *p) {
    const struct net_listener *l = s->listener;
    int r = net_port_give(p, s);
    if (r != 0) return r;
    for (uint32_t i = 0; i < l->option_count; i++)
        (void)!setsockopt(s->fd, l->options[i].level, l->options[i].name, &l->options[i].value,
                          sizeof(int));
    return 0;
}

int net_listen(struct net_socket *s, uint32_t backlog) {
    if (s->type != SOCK_STREAM || (s->state & ~(uint32_t)HC_NET_LISTENING) != 0) return -EINVAL;
    if (listener_of(s) == NULL) return -ENOMEM;
    bool find = s->bound && s->port == NULL;
    struct net_port *p = find ? net_port_find(false, s->bound_to.port) : NULL;
    if (p != NULL) {
        int r = become_published(s, p);
        if (r != 0) return r;
    }
    if (net_call_mode() == HC_NET_USER && s->port == NULL) return -EACCES; /* not published */
    if (listen(s->fd, QUEUE) != 0) return -errno;
    s->listener->limit = backlog < NET_PENDING ? backlog + 1 : NET_PENDING;
    net_set_state(s, HC_NET_LISTENING, 0);
    return net_watch(s);
}

static int accept_one(struct net_socket *s, struct sockaddr_storage *peer) {
    for (;;) {
        socklen_t len = sizeof(*peer);
        int fd = accept4(s->fd, (struct sockaddr *)peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) return fd;
        if (errno == EMFILE && fd_limit_raise()) continue;
        if (errno == ECONNABORTED || errno == EINTR) continue;
        return -errno;
    }
}

/* Tells the guest of a connection. */
static void announce(struct net_socket *s, struct hc_net_accepted *at, struct net_socket *c,
                     const struct sockaddr_storage *peer) {
    struct hc_net_accepted record = {.number = c->number, .generation = c->generation};
    net_addr_write(&record.peer, peer, s->family, 0);
    memcpy(at, &record, sizeof(record));
    uint32_t place = s->rx_head / RECORD % NET_PENDING;
    s->listener->numbers[place] = c->number;
    s->listener->generations[place] = c->generation;
    net_set_state(c, HC_NET_CONNECTED, 0);
    net_advance(s, RECORD);
}

void net_accept(struct net_socket *s) {
    struct sockaddr_storage peer;
    if (s->closing || !(s->state & HC_NET_LISTENING)) return;
    for (int round = 0; round < BURST; round++) {
        s->rx_more = true;
        uint32_t untaken = net_untaken(s);
        if (untaken >= s->listener->limit * RECORD) {
            net_set_state(s, HC_NET_RX_WAITS, 0);
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
            if (net_untaken(s) != untaken) net_retry(s);
            return;
        }
        struct hc_net_accepted *at = net_record(s, RECORD);
        if (at == NULL || !net_any_free()) return net_retry(s);
        int fd = accept_one(s, &peer);
        s->rx_more = fd != -EAGAIN;
        if (fd == -EAGAIN) return;
        if (fd < 0) return net_retry(s); /* no descriptors or memory for now */
        struct net_socket *c = net_new(fd, s->family, SOCK_STREAM, s->protocol);
        if (c == NULL || net_watch(c) != 0) {
            if (c != NULL)
                net_destroy(c);
            else
                close(fd);
            return net_retry(s);
        }
        announce(s, at, c, &peer);
    }
    net_retry(s);
}

void net_listener_end(struct net_socket *s) {
    struct net_listener *l = s->listener;
    uint32_t untaken = l != NULL ? net_untaken(s) / RECORD : 0;
    if (untaken > NET_PENDING) untaken = NET_PENDING;
    for (uint32_t i = 1; (s->state & HC_NET_LISTENING) && i <= untaken; i++) {
        uint32_t place = (s->rx_head - i * (uint32_t)RECORD) / RECORD % NET_PENDING;
        struct net_socket *c = net_get(l->numbers[place]);
        if (c != NULL && c->generation == l->generations[place] && !c->closing) net_destroy(c);
    }
    s->listener = NULL;
    free(l);
}
