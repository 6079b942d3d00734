/* SPDX-License-Identifier: MIT */
/* Connections of the host: data by way of the rings.  Owns nothing. */
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "hostnet_internal.h"

#define ENOUGH_ROOM (HC_NET_RING / 2) /* free, for POLLOUT: as the loader tells */

typedef int copy_fn(const struct uio *u, uint64_t at, void *ring, uint64_t n);

static int fill(const struct uio *u, uint64_t at, void *ring, uint64_t n) {
    return uio_fill(u, at, ring, n);
}
static int drain(const struct uio *u, uint64_t at, void *ring, uint64_t n) {
    return uio_drain(u, at, ring, n);
}

/* Copies between the transfer and n bytes of a ring from `offset` on. */
static int copy(copy_fn *fn, const struct uio *u, uint8_t *ring, uint32_t offset, uint32_t n) {
    offset %= HC_NET_RING;
    uint32_t first = min(n, HC_NET_RING - offset);
    int r = fn(u, 0, ring + offset, first);
    if (r == 0 && n > first) r = fn(u, first, ring, n - first);
    return r;
}

int hostnet_stream_error(struct hostnet *h) {
    uint32_t errors = net_load(&h->slot->errors);
    if (errors == h->errors) return 0;
    h->errors = errors;
    return (int)h->slot->error;
}

static uint32_t unsent(const struct hostnet *h) { return h->tx_head - net_load(&h->slot->tx_tail); }

static uint32_t received(const struct hostnet *h) {
    return net_load(&h->slot->rx_head) - h->rx_tail;
}

/* Bytes of a file that are on their way. */
static uint32_t unsent_file(const struct hostnet *h) {
    return net_load(&h->slot->file_done) != h->file_seq ? h->file_len : 0;
}

uint32_t proxy_unsent(struct hostnet *h) {
    return h->type == SOCK_STREAM ? unsent(h) + unsent_file(h) : 0;
}

void hostnet_stream_push(struct hostnet *h) {
    if (unsent(h) + unsent_file(h) > 0) hostnet_serve();
}

uint32_t proxy_readable(struct hostnet *h) {
    if (h->type == SOCK_STREAM) return received(h);
    struct uio u = {.kernel = true};
    struct sock_msg m = {.data = &u, .flags = MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT};
    int64_t r = hostnet_message_recv(h, &m);
    return r > 0 ? (uint32_t)r : 0;
}

static bool has_room(const struct hostnet *h) {
    return unsent(h) <= HC_NET_RING - ENOUGH_ROOM && unsent_file(h) == 0;
}

/* Asks to be told when there is room; true if there is some after all. */
static bool want_room(struct hostnet *h) {
    __atomic_store_n(&h->slot->tx_waits, 1, __ATOMIC_SEQ_CST);
    return has_room(h);
}

static int64_t put(struct hostnet *h, const struct uio *u, uint32_t used) {
    uint32_t n = (uint32_t)min(u->len, HC_NET_RING - used);
    if (used == 0 && h->tx_base != h->tx_head) { /* from the beginning again */
        h->tx_base = h->tx_head;
        net_store(&h->slot->tx_base, h->tx_base);
    }
    if (copy(drain, u, hostnet_tx_ring(h), h->tx_head - h->tx_base, n) != 0) return -EFAULT;
    h->tx_head += n;
    __atomic_store_n(&h->slot->tx_head, h->tx_head, __ATOMIC_RELEASE);
    hostnet_kick(h);
    return n;
}

/* May it send?  0 or -errno. */
static int send_check(struct hostnet *h) {
    uint32_t state = net_load(&h->slot->state);
    int error = hostnet_stream_error(h);
    if (error != 0) return -error;
    if ((h->shut & SOCK_SHUT_SEND) || (state & HC_NET_HUP)) return -EPIPE;
    if (state & HC_NET_CONNECTING) return -EAGAIN;
    return state & HC_NET_CONNECTED ? 0 : -ENOTCONN;
}

int64_t hostnet_stream_send(struct hostnet *h, struct sock_msg *m) {
    int r = send_check(h);
    if (r != 0 || m->data->len == 0) return r;
    uint32_t used = unsent(h);
    bool idle = used == 0 && unsent_file(h) == 0;
    bool by_ring = !(m->flags & MSG_OOB);
    if (used == 0 && by_ring && h->tx_ring == HC_NET_NO_RING) by_ring = hostnet_take_ring(h);
    if (idle && !by_ring) return hostnet_message_send(h, m);
    if (!by_ring || used == HC_NET_RING) {
        if (!want_room(h)) return -EAGAIN;
        used = unsent(h);
        if (!by_ring || used == HC_NET_RING) return -EAGAIN;
    }
    net_store(&h->slot->tx_waits, 0);
    return put(h, m->data, used);
}

int64_t hostnet_stream_send_file(struct hostnet *h, uint32_t handle, int64_t offset, uint64_t len) {
    int r = send_check(h);
    if (r != 0) return r;
    if (unsent_file(h) > 0) hostnet_serve(); /* there is one at a time */
    if (unsent_file(h) > 0) (void)want_room(h);
    if (unsent_file(h) > 0) return -EAGAIN;
    net_store(&h->slot->tx_waits, 0);
    h->file_len = (uint32_t)min(len, (uint64_t)HC_NET_FILE_MAX);
    h->slot->file_handle = handle;
    h->slot->file_offset = (uint64_t)offset;
    h->slot->file_len = h->file_len;
    h->slot->file_at = h->tx_head;
    net_store(&h->slot->file_seq, ++h->file_seq);
    hostnet_kick(h);
    return h->file_len;
}

/* What is in the receive ring, n bytes of it. */
static int64_t take(struct hostnet *h, const struct sock_msg *m, uint32_t n) {
    uint8_t *ring = hostnet_rx_ring(net_load(&h->slot->rx_ring));
    uint32_t offset = h->rx_tail - h->slot->rx_base;
    if (!(m->flags & MSG_TRUNC) && copy(fill, m->data, ring, offset, n) != 0) return -EFAULT;
    h->empty_reads = 0;
    if (m->flags & MSG_PEEK) return n;
    h->rx_tail += n;
    __atomic_store_n(&h->slot->rx_tail, h->rx_tail, __ATOMIC_SEQ_CST);
    if (net_load(&h->slot->state) & HC_NET_RX_WAITS) hostnet_kick(h);
    return n;
}

/* Once is the end of what there was; from then on the program looks without sleeping. */
static void found_nothing(struct hostnet *h) {
    if (h->empty_reads < 2)
        h->empty_reads++;
    else
        hostnet_ask();
}

int64_t hostnet_stream_recv(struct hostnet *h, struct sock_msg *m) {
    if (m->addr != NULL) m->addr->len = 0;
    if (m->flags & MSG_OOB) return hostnet_message_recv(h, m);
    if (received(h) == 0) found_nothing(h);
    uint32_t state = net_load(&h->slot->state); /* before the data: its end comes after it */
    uint32_t n = (uint32_t)min(m->data->len, received(h));
    if (n > 0) return take(h, m, n);
    if (m->data->len == 0) return 0;
    int error = hostnet_stream_error(h);
    if (error != 0) return -error;
    if ((state & (HC_NET_EOF | HC_NET_HUP)) || (h->shut & SOCK_SHUT_RECV)) return 0;
    return state & (HC_NET_CONNECTED | HC_NET_CONNECTING) ? -EAGAIN : -ENOTCONN;
}

bool hostnet_take_record(struct hostnet *h, struct hc_net_accepted *out) {
    if (received(h) < sizeof(*out)) return false;
    const uint8_t *ring = hostnet_rx_ring(net_load(&h->slot->rx_ring));
    memcpy(out, ring + (h->rx_tail - h->slot->rx_base) % HC_NET_RING, sizeof(*out));
    h->rx_tail += sizeof(*out);
    __atomic_store_n(&h->slot->rx_tail, h->rx_tail, __ATOMIC_SEQ_CST);
    if (net_load(&h->slot->state) & HC_NET_RX_WAITS) hostnet_kick(h);
    return true;
}

static uint32_t room_events(struct hostnet *h) {
    bool room = has_room(h) || want_room(h);
    return room ? POLLOUT | POLLWRNORM : 0;
}

void hostnet_stream_look(struct hostnet *h) {
    uint32_t edges = net_load(&h->slot->edges);
    if (edges == h->seen_edges) return;
    h->seen_edges = edges;
    if (h->slot->ready & POLLPRI) hostnet_urgent(h->q);
}

uint32_t hostnet_stream_poll(struct hostnet *h) {
    uint32_t state = net_load(&h->slot->state), events = 0;
    if (received(h) > 0) events |= POLLIN | POLLRDNORM;
    if (state & HC_NET_LISTENING) return events;
    if (net_load(&h->slot->errors) != h->errors) events |= POLLERR;
    if (state & HC_NET_CONNECTING) return events;
    bool gone = !(state & HC_NET_CONNECTED) || (state & HC_NET_HUP);
    bool in_ended = (state & HC_NET_EOF) || (h->shut & SOCK_SHUT_RECV) || (state & HC_NET_HUP);
    bool out_ended = (h->shut & SOCK_SHUT_SEND) || gone;
    if (in_ended) events |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (gone || (in_ended && out_ended)) events |= POLLHUP;
    events |= out_ended ? POLLOUT | POLLWRNORM : room_events(h);
    if (net_load(&h->slot->edges) != h->edges) events |= h->slot->ready & POLLPRI;
    return events;
}
