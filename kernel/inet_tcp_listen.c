/* SPDX-License-Identifier: MIT */
/* Stream sockets that listen: listen(2), accept(2), and who knocks. */
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/process.h>

#include "inet_tcp.h"

#define GIVE_UP_NS (127 * NSEC_PER_SEC) /* what six repetitions of a SYN take */

static int new_listener(struct tcp_sock *t) {
    struct tcp_listener *l = kzalloc(sizeof(*l));

    if (l == NULL) return -ENOBUFS;
    TAILQ_INIT(&l->ready);
    TAILQ_INIT(&l->deferred);
    TAILQ_INIT(&l->knocking);
    t->listener = l;
    return 0;
}

/* Lets the host listen, too, where the command line says so: 0 or -errno. */
static int listen_outside(struct tcp_sock *t, uint32_t backlog) {
    struct inet_sock *s = &t->in;
    struct hostnet *h = s->host;
    struct sock_addr addr;
    int on, r;

    if (hostnet_mode() == HOSTNET_NONE) return 0;
    if (inet_own_ports() && ip_is_loopback(&s->at.local.ip)) return 0;
    if (h == NULL) {
        r = hostnet_open(s->sock.family, SOCK_STREAM, IPPROTO_TCP, &s->sock.waitq, &h);
        if (r) return r;
        inet_end_put(s->sock.family, &s->at.local, &addr);
        on = s->v6only;
        if (s->sock.family == AF_INET6)
            hostnet_setopt(h, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        on = 1;
        if (socket_has(&s->sock, SO_REUSEADDR))
            hostnet_setopt(h, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (socket_has(&s->sock, SO_REUSEPORT))
            hostnet_setopt(h, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
        r = hostnet_bind(h, &addr);
    } else {
        r = 0;
    }
    if (r == 0) r = hostnet_listen(h, backlog);
    if (r == 0) {
        s->host = h;
        return 0;
    }
    if (h != s->host) hostnet_close(h);
    return r == -EACCES && hostnet_mode() == HOSTNET_USER ? 0 : r;
}

int tcp_listen(struct socket *s, uint32_t backlog) {
    struct tcp_sock *t = tcp_of(s);
    int r = 0;

    if (t->state == TCP_S_LISTEN) {
        t->listener->backlog = backlog;
        return t->in.host != NULL ? hostnet_listen(t->in.host, backlog) : 0;
    }
    if (t->state != TCP_S_CLOSE || t->connecting || t->connected) return -EINVAL;
    if (t->in.at.port == NULL)
        r = inet_port_bind(&t->in, 0);
    else
        r = inet_port_recheck(&t->in);
    if (r == 0) r = new_listener(t);
    if (r == 0) r = listen_outside(t, backlog);
    if (r) {
        kfree(t->listener);
        t->listener = NULL;
        return r;
    }
    t->listener->backlog = backlog;
    t->state = TCP_S_LISTEN;
    s->listening = true;
    s->shutdown = 0;
    s->error = 0;
    inet_port_front(&t->in.at);
    return 0;
}

/* Nobody will accept these any more. */
static void drop_all(struct tcp_list *list) {
    struct tcp_sock *t;

    while ((t = TAILQ_FIRST(list)) != NULL) {
        struct tcp_sock *peer = t->peer;

        tcp_unlist(t);
        if (peer != NULL) {
            peer->peer = t->peer = NULL;
            tcp_reset(peer);
        }
        tcp_done(t);
        t->in.sock.ops->release(&t->in.sock);
    }
}

void tcp_stop_listening(struct tcp_sock *t) {
    struct tcp_listener *l = t->listener;
    struct tcp_sock *waiting;

    drop_all(&l->ready);
    drop_all(&l->deferred);
    t->state = TCP_S_CLOSE;
    t->in.sock.listening = false;
    /* Their next attempt finds nobody. */
    while ((waiting = TAILQ_FIRST(&l->knocking)) != NULL)
        tcp_reset(waiting);
    kfree(l);
    t->listener = NULL;
}

struct tcp_sock *tcp_find_listener(const struct tcp_sock *t) {
    const struct inet_end *to = &t->in.at.peer, *from = &t->in.at.local;
    struct inet_holder *h = inet_port_first(&inet_tcp_ports, to->port);
    struct inet_sock *best = NULL;
    int best_score = -1;
    uint32_t equals = 0;

    for (; h != NULL; h = inet_port_next(h)) {
        int score;

        if (h->sock == NULL || !h->sock->sock.listening) continue;
        score = inet_match(h, to, from, INET_LO);
        if (score < 0 || score < best_score) continue;
        equals = score > best_score ? 1 : equals + 1;
        /* SO_REUSEPORT: each gets its share, the same ends always the same one. */
        if (equals == 1 || (from->port * 2654435761u >> 8) % equals == 0) best = h->sock;
        best_score = score;
    }
    return (struct tcp_sock *)best;
}

static bool is_full(const struct tcp_listener *l) { return l->queued > l->backlog; }

static void enlist(struct tcp_sock *t, struct tcp_sock *door, struct tcp_list *list) {
    t->door = door;
    t->list = list;
    TAILQ_INSERT_TAIL(list, t, link);
}

static void give_up(struct ktimer *timer) {
    struct tcp_sock *t = container_of(timer, struct tcp_sock, timer);

    t->in.sock.error = ETIMEDOUT;
    tcp_done(t);
}

static void deferred_too_long(struct ktimer *timer) {
    tcp_undefer(container_of(timer, struct tcp_sock, timer));
}

void tcp_undefer(struct tcp_sock *t) {
    struct tcp_sock *door = t->door;

    if (door == NULL || t->list != &door->listener->deferred) return;
    ktimer_cancel(&t->timer);
    TAILQ_REMOVE(t->list, t, link);
    enlist(t, door, &door->listener->ready);
    tcp_wake(door, POLLIN | POLLRDNORM);
}

/* A connection's end that inherits what a listening socket was told. */
static struct tcp_sock *new_end(const struct tcp_sock *door) {
    const struct socket *from = &door->in.sock;
    struct tcp_sock *t = tcp_new(from->family);

    if (t == NULL) return NULL;
    t->in.sock.switches = from->switches;
    t->in.sock.sndbuf = from->sndbuf == TCP_SNDBUF_FIRST ? TCP_SNDBUF_CONNECTED : from->sndbuf;
    t->in.sock.rcvbuf = from->rcvbuf;
    t->in.sock.rcvlowat = from->rcvlowat;
    t->in.sock.priority = from->priority;
    t->in.sock.mark = from->mark;
    t->in.sock.send_timeout_ns = from->send_timeout_ns;
    t->in.sock.recv_timeout_ns = from->recv_timeout_ns;
    t->in.sock.linger = from->linger;
    t->in.device = door->in.device;
    t->in.v6only = door->in.v6only;
    inet_option_inherit(&t->in, &door->in);
    t->state = TCP_S_ESTABLISHED;
    t->connected = true;
    return t;
}

/* Connects t to a new end behind the door. */
static void meet(struct tcp_sock *t, struct tcp_sock *door) {
    struct tcp_sock *end = new_end(door);
    int32_t defer = inet_option_get(&door->in, OPT_TCP_DEFER_ACCEPT, 0);

    if (end == NULL) {
        t->in.sock.error = ENOBUFS;
        tcp_done(t);
        return;
    }
    end->in.at.local = t->in.at.peer;
    end->in.at.peer = t->in.at.local;
    inet_port_join(&end->in.at, &door->in.at);
    end->peer = t;
    t->peer = end;
    t->state = TCP_S_ESTABLISHED;
    if (t->in.sock.sndbuf == TCP_SNDBUF_FIRST) t->in.sock.sndbuf = TCP_SNDBUF_CONNECTED;
    door->listener->queued++;
    if (defer > 0) {
        enlist(end, door, &door->listener->deferred);
        end->timer.fire = deferred_too_long;
        ktimer_set(&end->timer, clock_monotonic_ns() + defer * NSEC_PER_SEC);
    } else {
        enlist(end, door, &door->listener->ready);
        tcp_wake(door, POLLIN | POLLRDNORM);
    }
    tcp_wake(t, POLLOUT | POLLWRNORM);
}

void tcp_knock(struct tcp_sock *t, struct tcp_sock *door) {
    if (!is_full(door->listener)) {
        meet(t, door);
        return;
    }
    t->state = TCP_S_SYN_SENT;
    enlist(t, door, &door->listener->knocking);
    t->timer.fire = give_up;
    ktimer_set(&t->timer, clock_monotonic_ns() + GIVE_UP_NS);
}

/* There is room for those who wait. */
static void let_in(struct tcp_sock *door) {
    struct tcp_sock *t;

    while (!is_full(door->listener) && (t = TAILQ_FIRST(&door->listener->knocking)) != NULL) {
        tcp_unlist(t);
        meet(t, door);
    }
}

/* A connection that the host has accepted: 0, -EAGAIN, -errno. */
static int accept_outside(struct tcp_sock *door, struct tcp_sock **out) {
    struct tcp_sock *t;
    struct sock_addr peer, local;
    int r;

    if (door->in.host == NULL || !(hostnet_poll(door->in.host) & POLLIN)) return -EAGAIN;
    t = new_end(door);
    if (t == NULL) return -ENOBUFS;
    r = hostnet_accept(door->in.host, &t->in.sock.waitq, &t->in.host, &peer);
    t->remote = r == 0;
    if (r == 0) {
        struct inet_sock as = {.sock = {.type = SOCK_DGRAM, .family = peer.family}};

        inet_end_get(&as, &peer, &t->in.at.peer);
        t->in.at.local = door->in.at.local;
        if (hostnet_mode() != HOSTNET_USER && hostnet_getname(t->in.host, false, &local) == 0)
            inet_end_get(&as, &local, &t->in.at.local);
        else if (ip_is_any(&t->in.at.local.ip))
            t->in.at.local.ip = inet_source(&t->in.at.peer.ip);
        inet_port_join(&t->in.at, &door->in.at);
        *out = t;
        return 0;
    }
    t->state = TCP_S_CLOSE;
    t->in.sock.ops->release(&t->in.sock);
    return r;
}

static bool can_accept(void *arg) {
    const struct tcp_sock *t = arg;

    if (t->state != TCP_S_LISTEN || !TAILQ_EMPTY(&t->listener->ready)) return true;
    return t->in.host != NULL && (hostnet_poll(t->in.host) & POLLIN);
}

int tcp_accept(struct socket *s, bool nonblock, struct socket **out) {
    struct tcp_sock *t = tcp_of(s), *next;
    int64_t deadline_ns = socket_deadline(s->recv_timeout_ns, nonblock);
    int r;

    for (;;) {
        if (t->state != TCP_S_LISTEN) return -EINVAL;
        next = TAILQ_FIRST(&t->listener->ready);
        if (next != NULL) break;
        r = accept_outside(t, &next);
        if (r == 0) {
            *out = &next->in.sock;
            return 0;
        }
        if (r != -EAGAIN) return r;
        r = socket_wait(&s->waitq, can_accept, t, deadline_ns);
        if (r) return r;
    }
    tcp_unlist(next);
    let_in(t);
    *out = &next->in.sock;
    return 0;
}
