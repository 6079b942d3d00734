/* SPDX-License-Identifier: MIT */
/* Data of connections between the host's sockets and the rings in guest memory.  Owns the table of
 * rings, and who has a receive ring now.
 *
 * A connection has a receive ring while there is something in it; a ring that the guest has
 * emptied is taken away when another connection needs one. */
#include <loader/net_socket.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/uio.h>

#define ROUNDS 4 /* transfers of one socket before it is the others' turn */

static uint8_t *rx_rings[HC_NET_RINGS], *tx_rings[HC_NET_RINGS];
static struct net_socket *owners[HC_NET_RINGS]; /* of rx_rings; NULL: nobody */
static uint32_t rx_count, tx_count, hand;

int net_add_rings(uint32_t kind, uint8_t *at, uint32_t count) {
    uint32_t *n = kind == HC_NET_MEM_RX ? &rx_count : &tx_count;
    uint8_t **rings = kind == HC_NET_MEM_RX ? rx_rings : tx_rings;
    if (count > HC_NET_RINGS - *n) return -ENOSPC;
    for (uint32_t i = 0; i < count; i++)
        rings[(*n)++] = at + (size_t)i * HC_NET_RING;
    if (kind == HC_NET_MEM_RX) net_want(HC_NET_MEM_RX, false);
    return 0;
}

uint32_t net_untaken(const struct net_socket *s) {
    return s->rx_head - __atomic_load_n(&s->slot->rx_tail, __ATOMIC_ACQUIRE);
}

static void give_ring(struct net_socket *s, uint32_t index) {
    owners[index] = s;
    s->rx_ring = rx_rings[index];
    __atomic_store_n(&s->slot->rx_ring, index, __ATOMIC_RELEASE);
}

static void take_ring(uint32_t index) {
    struct net_socket *s = owners[index];
    s->rx_ring = NULL;
    __atomic_store_n(&s->slot->rx_ring, HC_NET_NO_RING, __ATOMIC_RELEASE);
    owners[index] = NULL;
}

void net_forget_ring(struct net_socket *s) {
    for (uint32_t i = 0; s->rx_ring != NULL && i < rx_count; i++)
        if (owners[i] == s) take_ring(i);
}

/* A ring for s, which has none: a free one, or one that was emptied. */
static bool find_ring(struct net_socket *s) {
    for (uint32_t i = 0; i < rx_count; i++) {
        uint32_t index = (hand + i) % rx_count;
        if (owners[index] != NULL && net_untaken(owners[index]) != 0) continue;
        if (owners[index] != NULL) take_ring(index);
        hand = index + 1;
        give_ring(s, index);
        return true;
    }
    net_want(HC_NET_MEM_RX, rx_count < HC_NET_RINGS);
    return false;
}

/* Free bytes of the receive ring; 0 also where there is none. */
static uint32_t room_to_receive(struct net_socket *s) {
    uint32_t used = net_untaken(s);
    if (used > HC_NET_RING) return 0; /* nonsense */
    if (used > 0 && s->rx_ring == NULL) return 0;
    if (used > 0) return HC_NET_RING - used;
    if (s->rx_ring == NULL && !find_ring(s)) return 0;
    /* From its beginning: the memory that is touched is what is needed. */
    s->rx_base = s->rx_head;
    __atomic_store_n(&s->slot->rx_base, s->rx_base, __ATOMIC_RELEASE);
    return HC_NET_RING;
}

/* The part of a ring from `offset` on, len bytes, in one or two pieces. */
static int pieces(uint8_t *ring, uint32_t offset, uint32_t len, struct iovec iov[2]) {
    offset %= HC_NET_RING;
    uint32_t first = HC_NET_RING - offset;
    if (first > len) first = len;
    iov[0] = (struct iovec){ring + offset, first};
    iov[1] = (struct iovec){ring, len - first};
    return len > first ? 2 : 1;
}

void net_advance(struct net_socket *s, uint32_t n) {
    s->rx_head += n;
    __atomic_store_n(&s->slot->rx_head, s->rx_head, __ATOMIC_RELEASE);
    net_tell(s);
}

void *net_record(struct net_socket *s, uint32_t n) {
    if (room_to_receive(s) < n) return NULL;
    return s->rx_ring + (s->rx_head - s->rx_base) % HC_NET_RING; /* records divide the ring */
}

/* No room: the guest tells when there is some, or a ring becomes free. */
static void wait_for_room(struct net_socket *s) {
    s->rx_more = true;
    if (s->rx_ring == NULL) return net_retry(s);
    net_set_state(s, HC_NET_RX_WAITS, 0);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (net_untaken(s) < HC_NET_RING) net_retry(s); /* it did so before it could know */
}

static void receive_failed(struct net_socket *s, ssize_t n) {
    s->rx_more = false;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) net_set_error(s, errno);
    net_set_state(s, n < 0 ? HC_NET_EOF | HC_NET_HUP : HC_NET_EOF, 0);
    net_tell(s);
}

void net_receive(struct net_socket *s) {
    struct iovec iov[2];
    if (s->state & HC_NET_LISTENING) return net_accept(s);
    if (s->closing || !(s->state & HC_NET_CONNECTED) || (s->state & HC_NET_EOF)) return;
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t room = room_to_receive(s);
        if (room == 0) return wait_for_room(s);
        struct msghdr m = {.msg_iov = iov};
        m.msg_iovlen = (size_t)pieces(s->rx_ring, s->rx_head - s->rx_base, room, iov);
        ssize_t n = recvmsg(s->fd, &m, MSG_DONTWAIT);
        if (n <= 0) return receive_failed(s, n);
        net_advance(s, (uint32_t)n);
        s->rx_more = (uint32_t)n == room;
        if (!s->rx_more && !s->ending) return; /* what comes later is another edge */
    }
    s->rx_more = true;
    net_retry(s);
}

uint32_t net_unsent(struct net_socket *s) {
    if (s->type != SOCK_STREAM || (s->state & HC_NET_LISTENING)) return 0;
    return __atomic_load_n(&s->slot->tx_head, __ATOMIC_ACQUIRE) - s->tx_tail;
}

bool net_has_unsent(struct net_socket *s) { return net_unsent(s) != 0 || s->file.left != 0; }

static bool is_corked(const struct net_socket *s) {
    return __atomic_load_n(&s->slot->tx_cork, __ATOMIC_ACQUIRE) != 0;
}

static void all_sent(struct net_socket *s) {
    int off = 0;
    s->tx_stuck = false;
    if (s->tx_held && !is_corked(s)) {
        (void)!setsockopt(s->fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off)); /* lets it go */
        s->tx_held = false;
    }
    if (s->shut) shutdown(s->fd, SHUT_WR);
    s->shut = false;
    if (s->closing) net_destroy(s);
}

static void send_failed(struct net_socket *s, int error, uint32_t unsent) {
    s->tx_tail += unsent;
    __atomic_store_n(&s->slot->tx_tail, s->tx_tail, __ATOMIC_RELEASE);
    net_file_forget(s);
    net_set_error(s, error);
    net_set_state(s, HC_NET_HUP, 0);
    net_tell(s);
    all_sent(s);
}

/* n bytes went: first `ring` of the `unsent` bytes of the ring, then the file's. */
static void sent(struct net_socket *s, uint32_t n, uint32_t ring, uint32_t unsent) {
    uint32_t of_ring = n < ring ? n : ring;
    s->tx_tail += of_ring;
    __atomic_store_n(&s->slot->tx_tail, s->tx_tail, __ATOMIC_SEQ_CST);
    if (n > of_ring) net_file_advance(s, n - of_ring);
    if (s->file.left == 0 && unsent - of_ring <= HC_NET_RING / 2 &&
        __atomic_load_n(&s->slot->tx_waits, __ATOMIC_SEQ_CST) != 0)
        net_tell(s);
}

/* Sends `ring` bytes of the ring and what follows of a file, in one call if it is little: as
 * sendmsg(2). */
static ssize_t send_once(struct net_socket *s, uint32_t ring) {
    uint32_t index = __atomic_load_n(&s->slot->tx_ring, __ATOMIC_RELAXED);
    uint32_t base = __atomic_load_n(&s->slot->tx_base, __ATOMIC_RELAXED);
    struct iovec iov[3];
    struct msghdr m = {.msg_iov = iov};
    const struct net_file *f = &s->file;
    bool together = f->left > 0 && (f->left <= NET_FILE_SMALL || f->copy != NULL);
    if (ring == 0 && !together) return net_file_send(s);
    if (ring > 0 && index >= tx_count) {
        errno = EIO;
        return -1;
    }
    if (ring > 0) m.msg_iovlen = (size_t)pieces(tx_rings[index], s->tx_tail - base, ring, iov);
    if (together && net_file_small(f, &iov[m.msg_iovlen++]) != 0) return -1;
    bool more = is_corked(s) || (f->left > 0 && !together);
    ssize_t n = sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (n > 0) s->tx_held = more;
    return n;
}

void net_send(struct net_socket *s) {
    if (s->type != SOCK_STREAM || (s->state & HC_NET_CONNECTING)) return;
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t len = net_unsent(s); /* before the look for a file */
        net_file_note(s);
        uint32_t ring = s->file.left > 0 ? s->file.at - s->tx_tail : len;
        if (ring == 0 && s->file.left == 0) return all_sent(s);
        if (len > HC_NET_RING || ring > len) return send_failed(s, EIO, len);
        ssize_t n = send_once(s, ring);
        s->tx_stuck = n < 0 && errno == EAGAIN;
        if (s->tx_stuck) return;
        if (n < 0 && errno != EINTR) return send_failed(s, errno, len);
        if (n > 0) sent(s, (uint32_t)n, ring, len);
    }
    net_retry(s);
}
