/* SPDX-License-Identifier: MIT */
/* The network device of --net tap: frames with a virtio_net_hdr_v1 in front.  Private to
 * virtio_*.c and lwip_*.c. */
#ifndef VIRTIO_NET_H
#define VIRTIO_NET_H

#include <hermit/tap.h>
#include <kernel/types.h>

struct virtio_net_header { /* virtio 1.1, 5.1.6 */
    uint8_t flags;         /* enum virtio_net_flags */
    uint8_t gso_type;      /* 0: a frame like any other */
    uint16_t header_len, gso_size;
    uint16_t csum_start, csum_offset; /* bytes, of the frame */
    uint16_t buffers;                 /* received: that it fills */
};
enum virtio_net_flags { VIRTIO_NET_NEEDS_CSUM = 1, VIRTIO_NET_DATA_VALID = 2 };
enum virtio_net_gso { VIRTIO_NET_TCP4 = 1, VIRTIO_NET_TCP6 = 4 }; /* segments put together */

/* Starts the device: enum hc_tap_features, or -errno. */
int virtio_net_start(void);
/* A free buffer of HC_TAP_TX_BYTES for a header and a frame, or NULL; then virtio_net_send() with
 * the bytes of both. */
void *virtio_net_buffer(void);
void virtio_net_send(uint32_t bytes);
/* Instead: the buffer's bytes, without a header, go behind the last frame that was sent.  Only
 * while virtio_net_held(): the device has not been told of that one. */
void virtio_net_append(uint32_t bytes);
bool virtio_net_held(void);
/* The device looks at what was sent when a CPU goes to sleep; at once if it is much, or was sent a
 * while ago. */
void virtio_net_kick(void);
/* Frames that wait to be sent. */
bool virtio_net_busy(void);

/* A received frame: its header, and the frame in pieces. */
#define VIRTIO_NET_PIECES 20u
struct virtio_net_frame {
    const struct virtio_net_header *header;
    uint32_t count, bytes; /* bytes: of all pieces */
    struct {
        const uint8_t *data;
        uint32_t len;
        uint16_t id;
    } pieces[VIRTIO_NET_PIECES];
};
/* The next one; false: there is none.  virtio_net_done() gives its buffers back. */
bool virtio_net_receive(struct virtio_net_frame *f);
void virtio_net_done(const struct virtio_net_frame *f);

#endif
