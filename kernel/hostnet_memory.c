/* SPDX-License-Identifier: MIT */
/* Rings of the host's connections.  Owns all of them, and which connection has one to send.
 *
 * They are taken from the machine's memory as they are needed, up to an eighth of it for each
 * direction, and stay; of a ring only what was written to is there.  Who has a ring that the host
 * has emptied loses it when another needs one. */
#include <kernel/heap.h>
#include <kernel/types.h>

#include "hostnet_internal.h"

#define GIVE 1u /* rings at a time */
#define GIVE_ORDER 7
#define SHARE 8u /* of the memory */

_Static_assert(GIVE *HC_NET_RING == PAGE_SIZE << GIVE_ORDER, "whole");

static uint8_t *rx[HC_NET_RINGS];
static struct tx {
    uint8_t *at;
    struct hostnet *h;        /* NULL: nobody's, or of a socket that is closed */
    struct hc_net_slot *slot; /* NULL: nobody's */
    uint32_t generation, head;
} tx[HC_NET_RINGS];
static uint32_t rx_count, tx_count, hand;

void *hostnet_rx_ring(uint32_t index) { return rx[index]; }
void *hostnet_tx_ring(const struct hostnet *h) { return tx[h->tx_ring].at; }

bool hostnet_give_rings(enum hc_net_memory kind) {
    uint32_t *count = kind == HC_NET_MEM_RX ? &rx_count : &tx_count;
    uint64_t most = min(frame_usage().limit / SHARE / HC_NET_RING, HC_NET_RINGS);
    if (*count + GIVE > most && *count > 0) return false;
    gpa_t at = frame_alloc_raw(GIVE_ORDER);
    if (at == 0) return false;
    union hc_args args = {.net_give = {.gpa = at, .kind = kind, .count = GIVE}};
    if (hypercall(HC_NET_GIVE, &args) != 0) {
        for (uint32_t i = 0; i < 1u << GIVE_ORDER; i++)
            frame_put(at + i * PAGE_SIZE);
        return false;
    }
    for (uint32_t i = 0; i < GIVE; i++, ++*count) {
        uint8_t *ring = (uint8_t *)frame_ptr(at) + (size_t)i * HC_NET_RING;
        if (kind == HC_NET_MEM_RX)
            rx[*count] = ring;
        else
            tx[*count].at = ring;
    }
    return true;
}

/* Has the host sent all that is in it? */
static bool is_drained(const struct tx *r) {
    if (r->slot == NULL) return true;
    if (r->h == NULL && net_load(&r->slot->generation) != r->generation) return true;
    uint32_t head = r->h != NULL ? r->h->tx_head : r->head;
    return net_load(&r->slot->tx_tail) == head;
}

static bool take_drained(struct hostnet *h) {
    for (uint32_t i = 0; i < tx_count; i++) {
        uint32_t index = (hand + i) % tx_count;
        struct tx *r = &tx[index];
        if (!is_drained(r)) continue;
        if (r->h != NULL) r->h->tx_ring = HC_NET_NO_RING;
        *r = (struct tx){.at = r->at, .h = h, .slot = h->slot, .generation = h->generation};
        hand = index + 1;
        h->tx_ring = index;
        net_store(&h->slot->tx_ring, index);
        return true;
    }
    return false;
}

bool hostnet_take_ring(struct hostnet *h) {
    return take_drained(h) || (hostnet_give_rings(HC_NET_MEM_TX) && take_drained(h));
}

void hostnet_leave_ring(struct hostnet *h) {
    if (h->tx_ring == HC_NET_NO_RING) return;
    tx[h->tx_ring].h = NULL;
    tx[h->tx_ring].head = h->tx_head;
}
