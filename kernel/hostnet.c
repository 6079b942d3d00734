/* SPDX-License-Identifier: MIT */
/* Sockets of the host: what is rare and goes by calls.  Owns struct hostnet. */
#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/string.h>

#include "hostnet_internal.h"
#include "hostnet_ops.h"

bool hostnet_is_resolver(const struct sock_addr *a) {
    const struct hermit_boot *b = boot_info();
    /* Family, port and IPv4 address lie in front of all else; of IPv6, the address behind 8. */
    uint32_t skip = a->family == AF_INET6 ? 8 : 4, size = a->family == AF_INET6 ? 16 : 4;
    if (hostnet_mode() != HOSTNET_USER || a->len < skip + size) return false;
    for (uint32_t i = 0; i < b->nresolvers; i++) {
        const uint8_t *r = b->resolvers[i].bytes;
        if (memcmp(r, a->bytes, 4) == 0 && memcmp(r + skip, a->bytes + skip, size) == 0)
            return true;
    }
    return false;
}

static struct hostnet *create(int family, int type, int protocol, struct waitq *q) {
    struct hostnet *h = kzalloc(sizeof(*h));
    if (h == NULL) return NULL;
    h->q = q;
    h->family = (uint16_t)family;
    h->type = (uint16_t)type;
    h->protocol = protocol;
    h->tx_ring = HC_NET_NO_RING;
    h->ready = POLLOUT | POLLWRNORM;
    return h;
}

/* The number's slot is h's from now on. */
static bool adopt(struct hostnet *h, uint32_t number, uint32_t generation) {
    h->number = number;
    h->generation = generation;
    if (!hostnet_register(h)) return false;
    h->slot = hostnet_slot(number);
    h->tx_head = h->slot->tx_head;
    h->tx_base = h->slot->tx_base;
    h->rx_tail = h->slot->rx_tail;
    h->file_seq = h->slot->file_seq;
    h->slot->tx_waits = h->slot->tx_cork = 0;
    return true;
}

static int proxy_open(int family, int type, int protocol, struct waitq *q, struct hostnet **out) {
    int64_t r = hostnet_start();
    if (r != 0) return (int)r;
    struct hostnet *h = create(family, type, protocol, q);
    if (h == NULL) return -ENOBUFS;
    union hc_args args = {.net_open = {.family = (uint32_t)family,
                                       .type = (uint32_t)type,
                                       .protocol = (uint32_t)protocol}};
    r = hypercall(HC_NET_OPEN, &args);
    if (r == -ENOBUFS && hostnet_give_slots()) r = hypercall(HC_NET_OPEN, &args);
    if (r >= 0 && adopt(h, (uint32_t)r, args.net_open.generation)) {
        *out = h;
        return 0;
    }
    kfree(h);
    return r < 0 ? (int)r : -ENOBUFS;
}

static int name_call(struct hostnet *h, enum hc_nr nr, uint32_t flags, const struct sock_addr *a) {
    union hc_args args = {.net_name = {.number = h->number, .flags = flags}};
    if (a != NULL) {
        args.net_name.addr.len = min(a->len, (uint32_t)sizeof(args.net_name.addr.bytes));
        memcpy(args.net_name.addr.bytes, a->bytes, args.net_name.addr.len);
    }
    return (int)hypercall(nr, &args);
}

static int proxy_bind(struct hostnet *h, const struct sock_addr *a) {
    return name_call(h, HC_NET_BIND, 0, a);
}

static int proxy_listen(struct hostnet *h, uint32_t backlog) {
    return name_call(h, HC_NET_LISTEN, backlog, NULL);
}

static int proxy_connect(struct hostnet *h, const struct sock_addr *a) {
    return name_call(h, HC_NET_CONNECT, 0, a);
}

static void address_out(struct sock_addr *to, const struct hc_net_addr *from) {
    to->len = min(from->len, (uint32_t)sizeof(from->bytes));
    memcpy(to->bytes, from->bytes, to->len);
}

static int proxy_accept(struct hostnet *h, struct waitq *q, struct hostnet **out,
                        struct sock_addr *peer) {
    struct hc_net_accepted record;
    struct hostnet *c = create(h->family, SOCK_STREAM, h->protocol, q);
    if (c == NULL) return -ENOBUFS;
    if (!hostnet_take_record(h, &record)) {
        kfree(c);
        return -EAGAIN;
    }
    if (!adopt(c, record.number, record.generation)) {
        kfree(c);
        return -ENOBUFS;
    }
    c->peer = record.peer;
    c->host_corks = h->host_corks;
    address_out(peer, &record.peer);
    *out = c;
    return 0;
}

static int64_t proxy_send(struct hostnet *h, struct sock_msg *m) {
    return h->type == SOCK_STREAM ? hostnet_stream_send(h, m) : hostnet_message_send(h, m);
}

static int64_t proxy_recv(struct hostnet *h, struct sock_msg *m) {
    return h->type == SOCK_STREAM ? hostnet_stream_recv(h, m) : hostnet_message_recv(h, m);
}

static uint32_t proxy_poll(struct hostnet *h) {
    if (h->type == SOCK_STREAM) return hostnet_stream_poll(h);
    uint32_t edges = net_load(&h->slot->edges);
    if (edges != h->edges) {
        h->edges = edges;
        h->ready = h->slot->ready;
    }
    uint32_t events = h->ready;
    if (events & POLLIN) events |= POLLRDNORM;
    if (events & POLLOUT) events |= POLLWRNORM;
    return events;
}

/* Options whose values the caller has checked and that need no answer: they do not cost a call. */
static bool in_passing(const struct hostnet *h, int level, int name, uint32_t len) {
    if (h->type != SOCK_STREAM || len != sizeof(int32_t)) return false;
    if (level == SOL_SOCKET) return name == SO_KEEPALIVE || name == SO_OOBINLINE;
    if (level != IPPROTO_TCP) return false;
    switch (name) {
    case TCP_NODELAY:
    case TCP_CORK:
    case TCP_KEEPIDLE:
    case TCP_KEEPINTVL:
    case TCP_KEEPCNT:
    case TCP_QUICKACK:
    case TCP_USER_TIMEOUT:
        return true;
    default:
        return false;
    }
}

static int64_t option_call(struct hostnet *h, enum hc_nr nr, int level, int name, void *value,
                           uint32_t *len) {
    union hc_args args = {.net_option = {.number = h->number,
                                         .level = level,
                                         .name = name,
                                         .len = *len,
                                         .value = frame_gpa(value)}};
    int64_t r = hypercall(nr, &args);
    if (r == 0) *len = args.net_option.len;
    return r;
}

/* TCP_CORK of a connection: a word in its slot, which costs the host nothing if it has gone again
 * before data is sent.  False: the host's socket has the option from its listening socket, or is
 * not connected. */
static bool cork(struct hostnet *h, bool on) {
    bool connected = net_load(&h->slot->state) & HC_NET_CONNECTED;
    if (!connected) h->host_corks = true;
    if (h->host_corks) return false;
    if (on) hostnet_stream_push(h); /* what was written before does not wait */
    net_store(&h->slot->tx_cork, on);
    if (!on) hostnet_kick(h);
    return true;
}

static int proxy_setopt(struct hostnet *h, int level, int name, const void *value, uint32_t len) {
    uint8_t copy[HC_NET_OPTION];
    if (len > sizeof(copy)) return -EINVAL;
    memcpy(copy, value, len);
    bool corks = level == IPPROTO_TCP && name == TCP_CORK && len == sizeof(int32_t);
    if (corks && h->type == SOCK_STREAM && cork(h, (copy[0] | copy[1] | copy[2] | copy[3]) != 0))
        return 0;
    if (!in_passing(h, level, name, len))
        return (int)option_call(h, HC_NET_SETOPT, level, name, copy, &len);
    uint32_t v;
    memcpy(&v, copy, sizeof(v));
    hostnet_command(h, HC_NET_OP_OPTION, (uint32_t)level << 16 | (uint32_t)name, v);
    return 0;
}

static int proxy_getopt(struct hostnet *h, int level, int name, void *value, uint32_t *len) {
    uint8_t copy[HC_NET_OPTION] = {0};
    uint32_t room = min(*len, (uint32_t)sizeof(copy));
    int64_t r = option_call(h, HC_NET_GETOPT, level, name, copy, &room);
    if (r != 0) return (int)r;
    *len = min(*len, room);
    memcpy(value, copy, *len);
    return 0;
}

static int proxy_getname(struct hostnet *h, bool peer, struct sock_addr *out) {
    if (peer && h->peer.len != 0) {
        address_out(out, &h->peer);
        return 0;
    }
    union hc_args args = {.net_name = {.number = h->number, .flags = peer}};
    int64_t r = hypercall(HC_NET_NAME, &args);
    if (r == 0) address_out(out, &args.net_name.addr);
    return (int)r;
}

static int proxy_error(struct hostnet *h) {
    int32_t error = 0;
    uint32_t len = sizeof(error);
    if (h->type == SOCK_STREAM) return hostnet_stream_error(h);
    int r = proxy_getopt(h, SOL_SOCKET, SO_ERROR, &error, &len);
    h->ready &= ~(uint32_t)POLLERR;
    return r == 0 ? error : 0;
}

static void proxy_shutdown(struct hostnet *h, uint32_t how) {
    h->shut |= how;
    if (how & SOCK_SHUT_BOTH) hostnet_command(h, HC_NET_OP_SHUTDOWN, how - 1, 0); /* SHUT_* */
}

static void proxy_close(struct hostnet *h) {
    hostnet_command(h, HC_NET_OP_CLOSE, 0, 0);
    hostnet_unregister(h);
    hostnet_leave_ring(h);
    kfree(h);
}

const struct hostnet_ops hostnet_proxy = {
    .open = proxy_open,
    .bind = proxy_bind,
    .listen = proxy_listen,
    .accept = proxy_accept,
    .connect = proxy_connect,
    .send = proxy_send,
    .recv = proxy_recv,
    .send_file = hostnet_stream_send_file,
    .readable = proxy_readable,
    .unsent = proxy_unsent,
    .poll = proxy_poll,
    .setopt = proxy_setopt,
    .getopt = proxy_getopt,
    .getname = proxy_getname,
    .error = proxy_error,
    .shutdown = proxy_shutdown,
    .close = proxy_close,
    .look = proxy_look,
};
