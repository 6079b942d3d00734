/* SPDX-License-Identifier: MIT */
/* The host's half of the tap device's queues.  Owns the positions and the one piece of guest memory
 * that queues and buffers lie in; what a descriptor says is copied once, and one that does not lie
 * in that piece costs the guest its frame. */
#include <loader/tap.h>

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include <hermit/layout.h>
#include <loader/guest_mem.h>
#include <loader/net_call.h>

#define MAX_FRAME (65536u + 64u) /* bytes, with headers, of segments put together */

static struct hc_tap *shared; /* NULL: not started */
static gpa_t shared_gpa;
static uint16_t rx_next, tx_next, rx_used, tx_used;
static bool readable;

static uint16_t load(const uint16_t *at) { return __atomic_load_n(at, __ATOMIC_SEQ_CST); }

/* The memory of one descriptor chain; -1: it makes no sense.  write: for us to write to. */
static int gather(const struct hc_tap_queue *q, uint16_t id, bool write, struct iovec *iov,
                  int room) {
    for (int n = 0; n < room; n++) {
        if (id >= HC_TAP_QUEUE) return -1;
        const struct hc_tap_desc d = {
            .gpa = __atomic_load_n(&q->desc[id].gpa, __ATOMIC_RELAXED),
            .len = __atomic_load_n(&q->desc[id].len, __ATOMIC_RELAXED),
            .flags = __atomic_load_n(&q->desc[id].flags, __ATOMIC_RELAXED),
            .next = __atomic_load_n(&q->desc[id].next, __ATOMIC_RELAXED),
        };
        uint64_t offset = d.gpa - shared_gpa;
        if (((d.flags & HC_TAP_WRITE) != 0) != write) return -1;
        if (d.gpa < shared_gpa || d.len > sizeof(*shared) || offset > sizeof(*shared) - d.len)
            return -1;
        iov[n] = (struct iovec){(uint8_t *)shared + offset, d.len};
        if (!(d.flags & HC_TAP_NEXT)) return n + 1;
        id = d.next;
    }
    return -1;
}

static void put_used(struct hc_tap_queue *q, uint16_t *at, uint16_t id, uint32_t len) {
    q->used[*at % HC_TAP_QUEUE] = (struct hc_tap_used){id, len};
    ++*at;
}

static void publish(struct hc_tap_queue *q, uint16_t at) {
    __atomic_store_n(&q->used_idx, at, __ATOMIC_SEQ_CST);
}

int64_t hc_net_device(union hc_args *args) {
    gpa_t gpa = args->net_device.tap;
    int64_t r = HC_TAP_CSUM | HC_TAP_GUEST_CSUM | HC_TAP_GUEST_TSO4 | HC_TAP_GUEST_TSO6 |
                HC_TAP_HOST_TSO4 | HC_TAP_HOST_TSO6;
    if (net_call_mode() != HC_NET_TAP) return -ENETUNREACH;
    net_lock();
    struct hc_tap *at = gpa % HERMIT_PAGE_SIZE == 0 ? guest_ptr(gpa, sizeof(*at)) : NULL;
    if (shared != NULL) {
        r = -EALREADY;
    } else if (at == NULL) {
        r = -EFAULT;
    } else {
        shared_gpa = gpa;
        shared = at;
        readable = true;
        if (net_start_service() != 0) {
            shared = NULL;
            r = -ENOMEM;
        }
    }
    net_unlock();
    return r;
}

bool tap_has_frames(void) { return shared != NULL && load(&shared->tx.avail_idx) != tx_next; }

uint32_t tap_news_taken(void) { return __atomic_load_n(&shared->taken, __ATOMIC_SEQ_CST); }

bool tap_has_news(void) {
    return shared != NULL &&
           (uint16_t)tap_news_taken() != __atomic_load_n(&rx_used, __ATOMIC_SEQ_CST);
}

bool tap_send(void) {
    struct iovec iov[HC_TAP_PIECES];
    struct hc_tap_queue *q = &shared->tx;
    uint16_t head = load(&q->avail_idx);
    if (head == tx_next) return false;
    if ((uint16_t)(head - tx_next) > HC_TAP_QUEUE) tx_next = head; /* nonsense: none counts */
    for (; tx_next != head; tx_next++) {
        uint16_t id = __atomic_load_n(&q->avail[tx_next % HC_TAP_QUEUE], __ATOMIC_RELAXED);
        int n = gather(q, id, false, iov, HC_TAP_PIECES);
        /* A frame that the interface does not take is lost, as on a wire. */
        if (n > 0 && writev(tap_fd(), iov, n) < 0 && errno == EAGAIN) break;
        put_used(q, &tx_used, id, 0);
    }
    publish(q, tx_used);
    return true;
}

void tap_readable(void) { readable = true; }

/* Buffers for a frame of any length; how many, 0: the guest has too few. */
static int find_buffers(uint16_t head, uint16_t *ids, struct iovec *iov) {
    const struct hc_tap_queue *q = &shared->rx;
    uint64_t bytes = 0;
    int n = 0;
    for (uint16_t at = rx_next; at != head && n < HC_TAP_PIECES && bytes < MAX_FRAME; at++, n++) {
        ids[n] = __atomic_load_n(&q->avail[at % HC_TAP_QUEUE], __ATOMIC_RELAXED);
        if (gather(q, ids[n], true, &iov[n], 1) != 1) return 0;
        bytes += iov[n].iov_len;
    }
    return bytes >= MAX_FRAME && iov[0].iov_len >= HC_TAP_HEADER ? n : 0;
}

static void receive_one(ssize_t len, const uint16_t *ids, const struct iovec *iov) {
    uint16_t *buffers = (uint16_t *)((uint8_t *)iov[0].iov_base + HC_TAP_HEADER - 2), n = 0;
    while (len > 0) {
        uint32_t part = (uint32_t)((size_t)len < iov[n].iov_len ? (size_t)len : iov[n].iov_len);
        put_used(&shared->rx, &rx_used, ids[n++], part);
        len -= part;
    }
    rx_next = (uint16_t)(rx_next + n);
    __builtin_memcpy(buffers, &n, sizeof(n));
}

void tap_receive(void) {
    struct iovec iov[HC_TAP_PIECES];
    uint16_t ids[HC_TAP_PIECES];
    while (readable) {
        uint16_t head = load(&shared->rx.avail_idx);
        if ((uint16_t)(head - rx_next) > HC_TAP_QUEUE) return; /* nonsense: it gets nothing */
        int n = find_buffers(head, ids, iov);
        if (n == 0) return;
        ssize_t len = readv(tap_fd(), iov, n);
        if (len < 0 && errno == EINTR) continue;
        if (len <= 0) {
            readable = false;
            return;
        }
        receive_one(len, ids, iov);
        publish(&shared->rx, rx_used);
    }
}
