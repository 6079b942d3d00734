/* SPDX-License-Identifier: MIT */
/* Segments of TCP that follow each other leave as one frame, which the device cuts again (TSO):
 * lwIP makes them one by one, of a size that the wire takes.  Owns what is known of the frame that
 * was sent last. */
#include <kernel/string.h>

#include "lwip_stack.h"
#include "virtio_net.h"

#include <lwip/inet_chksum.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/ip.h>
#include <lwip/prot/ip4.h>
#include <lwip/prot/ip6.h>
#include <lwip/prot/tcp.h>

#define MOST 60000u /* bytes of a frame */
#define MOST_PIECES (HC_TAP_PIECES - 1u)

/* The last frame, if it may grow. */
static struct {
    struct virtio_net_header *header; /* NULL: it may not */
    uint8_t *frame;
    uint32_t len, headers, next; /* bytes; bytes; the number of the byte behind it */
    uint32_t pieces;
} last;

/* Where TCP's header is in a frame; 0: it is not a whole segment of TCP. */
static uint32_t find_tcp(const uint8_t *frame, uint32_t len, bool *v6) {
    const struct eth_hdr *e = (const void *)frame;
    const struct ip_hdr *ip = (const void *)(frame + SIZEOF_ETH_HDR);
    const struct ip6_hdr *ip6 = (const void *)ip;
    *v6 = e->type == PP_HTONS(ETHTYPE_IPV6);
    uint32_t at = SIZEOF_ETH_HDR + (*v6 ? IP6_HLEN : IP_HLEN);
    if (!*v6 && (e->type != PP_HTONS(ETHTYPE_IP) || IPH_HL_BYTES(ip) != IP_HLEN ||
                 (IPH_OFFSET(ip) & PP_HTONS(IP_OFFMASK | IP_MF))))
        return 0;
    if ((*v6 ? IP6H_NEXTH(ip6) : IPH_PROTO(ip)) != IP_PROTO_TCP || len < at + TCP_HLEN) return 0;
    return at;
}

/* The sum of the pseudo header, which the device wants in place of the checksum. */
static uint16_t pseudo_sum(const uint8_t *frame, uint32_t len, uint32_t at, bool v6) {
    const uint8_t *addresses = frame + SIZEOF_ETH_HDR + (v6 ? 8 : 12);
    uint32_t sum = IP_PROTO_TCP + len - at;
    for (uint32_t i = 0; i < (v6 ? 32u : 8u); i += 2)
        sum += (uint32_t)addresses[i] << 8 | addresses[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    return lwip_htons((u16_t)((sum & 0xffff) + (sum >> 16)));
}

/* Bytes of all headers of a segment with data and none but ACK and PSH; 0: it is not one. */
static uint32_t headers_of(const uint8_t *frame, uint32_t len, uint32_t at) {
    const struct tcp_hdr *tcp = (const void *)(frame + at);
    uint32_t headers = at + TCPH_HDRLEN_BYTES(tcp);
    if ((TCPH_FLAGS(tcp) & ~(u16_t)TCP_PSH) != TCP_ACK) return 0;
    return headers < len ? headers : 0;
}

/* May it follow in the last frame?  All must be the same but lengths, numbers, checksums and PSH.
 */
static bool follows(const uint8_t *frame, uint32_t len, uint32_t headers, uint32_t at, bool v6) {
    const struct tcp_hdr *tcp, *before;
    if (last.header == NULL || !virtio_net_held() || headers != last.headers) return false;
    if (last.pieces == MOST_PIECES) return false;
    if (len - headers > last.header->gso_size || last.len + len - headers > MOST) return false;
    if (memcmp(frame, last.frame, SIZEOF_ETH_HDR + 2) != 0) return false; /* to tos */
    if (v6 ? memcmp(frame + 16, last.frame + 16, 2) || memcmp(frame + 20, last.frame + 20, 34)
           : memcmp(frame + 20, last.frame + 20, 4) || memcmp(frame + 26, last.frame + 26, 8))
        return false;
    tcp = (const void *)(frame + at);
    before = (const void *)(last.frame + at);
    return lwip_ntohl(tcp->seqno) == last.next && tcp->src == before->src &&
           tcp->dest == before->dest && tcp->ackno == before->ackno && tcp->wnd == before->wnd &&
           memcmp(tcp + 1, before + 1, headers - at - TCP_HLEN) == 0;
}

/* Writes the lengths again, and what depends on them. */
static void grow(const uint8_t *frame, uint32_t more, uint32_t at, bool v6) {
    struct tcp_hdr *tcp = (void *)(last.frame + at);
    const struct tcp_hdr *added = (const void *)(frame + at);
    last.pieces++;
    last.len += more;
    last.next += more;
    if (v6) {
        IP6H_PLEN_SET((struct ip6_hdr *)(void *)(last.frame + SIZEOF_ETH_HDR), last.len - at);
    } else {
        struct ip_hdr *ip = (void *)(last.frame + SIZEOF_ETH_HDR);
        IPH_LEN_SET(ip, lwip_htons((u16_t)(last.len - SIZEOF_ETH_HDR)));
        IPH_CHKSUM_SET(ip, 0);
        IPH_CHKSUM_SET(ip, inet_chksum(ip, IP_HLEN));
    }
    tcp->_hdrlen_rsvd_flags |= added->_hdrlen_rsvd_flags;
    tcp->chksum = pseudo_sum(last.frame, last.len, at, v6);
    last.header->gso_type = v6 ? VIRTIO_NET_TCP6 : VIRTIO_NET_TCP4;
    last.header->header_len = (uint16_t)last.headers;
}

/* The frame is the last one from now on, and may grow. */
static void keep(struct virtio_net_header *h, uint32_t len, uint32_t headers, uint32_t at) {
    const struct tcp_hdr *tcp = (const void *)((uint8_t *)(h + 1) + at);
    h->gso_size = (uint16_t)(len - headers); /* means nothing before gso_type is set */
    last.header = h;
    last.frame = (uint8_t *)(h + 1);
    last.len = len;
    last.headers = headers;
    last.pieces = 1;
    last.next = lwip_ntohl(tcp->seqno) + len - headers;
}

void stack_send_frame(struct virtio_net_header *h, uint32_t len, uint32_t features) {
    uint8_t *frame = (uint8_t *)(h + 1);
    bool v6 = false;
    uint32_t at = features & HC_TAP_CSUM ? find_tcp(frame, len, &v6) : 0, headers = 0;
    if (at > 0) {
        ((struct tcp_hdr *)(void *)(frame + at))->chksum = pseudo_sum(frame, len, at, v6);
        h->flags = VIRTIO_NET_NEEDS_CSUM;
        h->csum_start = (uint16_t)at;
        h->csum_offset = offsetof(struct tcp_hdr, chksum);
        if (features & (v6 ? HC_TAP_HOST_TSO6 : HC_TAP_HOST_TSO4))
            headers = headers_of(frame, len, at);
    }
    if (headers > 0 && follows(frame, len, headers, at, v6)) {
        uint32_t more = len - headers;
        grow(frame, more, at, v6);
        memmove(h, frame + headers, more); /* a descriptor's memory begins at its buffer */
        virtio_net_append(more);
        if (more < last.header->gso_size) last.header = NULL; /* none but the last may be short */
        return;
    }
    virtio_net_send((uint32_t)sizeof(*h) + len);
    last.header = NULL;
    if (headers > 0) keep(h, len, headers, at);
}
