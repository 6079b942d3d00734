/* SPDX-License-Identifier: MIT */
/* --net tap: a network device for the guest's own TCP/IP stack.
 *
 * The two queues are split virtqueues and the frames carry struct virtio_net_hdr_v1 (virtio 1.1,
 * 2.6 and 5.1), so one driver serves a virtio device of QEMU and the loader's tap.  The latter has
 * no registers: NET_DEVICE says where the queues are, NET_SERVE is the notification, HC_EVENT_NET
 * the interrupt.  The memory that descriptors name lies in the same piece of RAM as the queues. */
#ifndef HERMIT_TAP_H
#define HERMIT_TAP_H

#include <stdint.h>

#define HC_TAP_QUEUE 256u     /* descriptors of a queue; a power of two */
#define HC_TAP_RX_BYTES 4096u /* of a receive buffer */
#define HC_TAP_TX_BYTES 2048u /* of a send buffer */
#define HC_TAP_HEADER 12u     /* struct virtio_net_hdr_v1 */
#define HC_TAP_PIECES 64
#define HC_TAP_RESOLVERS 3u

enum hc_tap_desc_flags { HC_TAP_NEXT = 1, HC_TAP_WRITE = 2 };
struct hc_tap_desc {
    uint64_t gpa;
    uint32_t len; /* bytes */
    uint16_t flags, next;
};
struct hc_tap_used {
    uint32_t id, len;
};
struct hc_tap_queue {
    struct hc_tap_desc desc[HC_TAP_QUEUE];
    /* Of the guest. */
    uint16_t avail_flags, avail_idx, avail[HC_TAP_QUEUE], used_event;
    uint8_t pad[506];
    /* Of the host. */
    uint16_t used_flags, used_idx;
    struct hc_tap_used used[HC_TAP_QUEUE];
    uint16_t avail_event;
    uint8_t pad2[1018];
};

/* The whole piece.  The host takes chains of HC_TAP_PIECES descriptors at most. */
struct hc_tap {
    struct hc_tap_queue rx, tx;
    uint32_t taken; /* of the guest: rx.used_idx that it has looked at */
    uint8_t pad[4092];
    uint8_t tx_buffers[HC_TAP_QUEUE][HC_TAP_TX_BYTES];
    uint8_t rx_buffers[HC_TAP_QUEUE][HC_TAP_RX_BYTES];
};
#define HC_TAP_ORDER 9 /* pages, as a power of two */

/* Bits of virtio's feature word, as NET_DEVICE answers. */
enum hc_tap_features {
    HC_TAP_CSUM = 1,            /* the device completes checksums of frames that are sent */
    HC_TAP_GUEST_CSUM = 2,      /* received frames may lack theirs */
    HC_TAP_GUEST_TSO4 = 1 << 7, /* received frames may be segments put together */
    HC_TAP_GUEST_TSO6 = 1 << 8,
    HC_TAP_HOST_TSO4 = 1 << 11, /* sent frames may be */
    HC_TAP_HOST_TSO6 = 1 << 12
};

/* How the interface is to be set up: network byte order. */
struct hc_tap_config {
    uint8_t mac[6];
    uint8_t prefix; /* bits */
    uint8_t dhcp;   /* 1: address 0, ask for all that is 0 */
    uint32_t address, gateway;
    uint32_t resolvers[HC_TAP_RESOLVERS]; /* 0: none */
    uint8_t address6[16], gateway6[16];   /* 0: none but what routers announce; prefix of 64 bits */
};

_Static_assert(sizeof(struct hc_tap_queue) == 8192, "wire size");
_Static_assert(sizeof(struct hc_tap) <= 4096u << HC_TAP_ORDER, "room");
_Static_assert(sizeof(struct hc_tap_config) == 60, "wire size");

#endif
