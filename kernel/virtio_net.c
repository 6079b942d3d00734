/* SPDX-License-Identifier: MIT */
/* Driver of the network device: two split virtqueues (virtio 1.1, 2.6) in one piece of memory, with
 * a buffer for every descriptor.  Owns that piece. */
#include "virtio_net.h"

#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/string.h>
#include <kernel/virtio_mmio.h>

#define OVERDUE_US 100
#define MANY 64u /* frames */

static struct hc_tap *tap; /* NULL: not started */
static uint16_t rx_avail, rx_seen, tx_avail, tx_seen;
static uint16_t tx_free[HC_TAP_QUEUE];
static uint32_t tx_free_count;
static uint16_t tx_told;   /* of tx_avail, what the device knows to look at */
static uint64_t tx_oldest; /* TSC when the first one behind tx_told was sent */
/* The last frame, not offered yet: more may follow in it.  Its first and last descriptor. */
static bool held;
static uint16_t held_first, held_last;

static uint16_t load(const uint16_t *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }

static void offer(struct hc_tap_queue *q, uint16_t *avail, uint16_t id) {
    q->avail[*avail % HC_TAP_QUEUE] = id;
    __atomic_store_n(&q->avail_idx, ++*avail, __ATOMIC_SEQ_CST);
}

static void fill_queues(void) {
    /* Who asks needs no interrupt of a virtio device; the loader's are of another kind. */
    tap->rx.avail_flags = tap->tx.avail_flags = 1;
    for (uint16_t i = 0; i < HC_TAP_QUEUE; i++) {
        tap->rx.desc[i] = (struct hc_tap_desc){
            .gpa = frame_gpa(tap->rx_buffers[i]), .len = HC_TAP_RX_BYTES, .flags = HC_TAP_WRITE};
        tap->tx.desc[i] = (struct hc_tap_desc){.gpa = frame_gpa(tap->tx_buffers[i])};
        tx_free[tx_free_count++] = i;
        offer(&tap->rx, &rx_avail, i);
    }
}

int virtio_net_start(void) {
    gpa_t at = frame_alloc_raw(HC_TAP_ORDER);
    if (at == 0) return -ENOMEM;
    tap = frame_ptr(at);
    memset(tap, 0, offsetof(struct hc_tap, tx_buffers));
    fill_queues();
    if (!hypercall_available()) return virtio_mmio_start(at);
    union hc_args args = {.net_device = {.tap = at}};
    return (int)hypercall(HC_NET_DEVICE, &args);
}

static void reclaim(void) {
    while (tx_seen != load(&tap->tx.used_idx)) {
        uint16_t id = (uint16_t)tap->tx.used[tx_seen++ % HC_TAP_QUEUE].id % HC_TAP_QUEUE;
        for (bool more = true; more && tx_free_count < HC_TAP_QUEUE; id = tap->tx.desc[id].next) {
            more = tap->tx.desc[id].flags & HC_TAP_NEXT;
            tx_free[tx_free_count++] = id;
        }
    }
}

static void offer_held(void) {
    if (!held) return;
    held = false;
    if (tx_told == tx_avail) tx_oldest = arch_tsc();
    offer(&tap->tx, &tx_avail, held_first);
}

bool virtio_net_busy(void) { return held || (tap != NULL && load(&tap->tx.used_idx) != tx_avail); }

static void notify(void) {
    union hc_args args = {{0}};
    if (hypercall_available())
        hypercall(HC_NET_SERVE, &args);
    else
        virtio_mmio_notify(1);
    tx_told = tx_avail;
}

void *virtio_net_buffer(void) {
    if (tap == NULL) return NULL;
    if (tx_free_count == 0) reclaim();
    if (tx_free_count == 0) {
        offer_held();
        notify();
        reclaim();
    }
    return tx_free_count > 0 ? tap->tx_buffers[tx_free[tx_free_count - 1]] : NULL;
}

void virtio_net_send(uint32_t bytes) {
    offer_held();
    held = true;
    held_first = held_last = tx_free[--tx_free_count];
    tap->tx.desc[held_first].len = bytes;
    tap->tx.desc[held_first].flags = 0;
}

bool virtio_net_held(void) { return held; }

void virtio_net_append(uint32_t bytes) {
    uint16_t id = tx_free[--tx_free_count];
    tap->tx.desc[id].len = bytes;
    tap->tx.desc[id].flags = 0;
    tap->tx.desc[held_last].next = id;
    tap->tx.desc[held_last].flags = HC_TAP_NEXT;
    held_last = id;
}

void virtio_net_kick(void) {
    if (tap != NULL) offer_held();
    uint16_t taken = load(&tap->tx.used_idx), waiting = (uint16_t)(tx_avail - taken);
    if (waiting == 0) {
        tx_told = tx_avail;
        return;
    }
    if (!hypercall_available() && tx_told != tx_avail) notify();
    if (!hypercall_available()) return;
    uint64_t age = arch_tsc() - tx_oldest;
    if (waiting >= MANY || age > OVERDUE_US * clock_tsc_khz() / 1000) notify();
}

static void take(struct virtio_net_frame *f, uint32_t skip) {
    const struct hc_tap_used *u = &tap->rx.used[rx_seen++ % HC_TAP_QUEUE];
    uint16_t id = (uint16_t)(u->id % HC_TAP_QUEUE);
    uint32_t len = min(u->len, HC_TAP_RX_BYTES);
    skip = min(skip, len);
    f->pieces[f->count].data = tap->rx_buffers[id] + skip;
    f->pieces[f->count].len = len - skip;
    f->pieces[f->count++].id = id;
    f->bytes += len - skip;
}

bool virtio_net_receive(struct virtio_net_frame *f) {
    if (tap == NULL || rx_seen == load(&tap->rx.used_idx)) return false;
    f->count = f->bytes = 0;
    take(f, HC_TAP_HEADER);
    f->header = (const void *)tap->rx_buffers[f->pieces[0].id];
    uint32_t buffers = min((uint32_t)f->header->buffers, VIRTIO_NET_PIECES);
    while (f->count < buffers && rx_seen != load(&tap->rx.used_idx))
        take(f, 0);
    return true;
}

void virtio_net_done(const struct virtio_net_frame *f) {
    for (uint32_t i = 0; i < f->count; i++)
        offer(&tap->rx, &rx_avail, f->pieces[i].id);
    __atomic_store_n(&tap->taken, rx_seen, __ATOMIC_SEQ_CST);
    if (!hypercall_available()) virtio_mmio_notify(0);
}
