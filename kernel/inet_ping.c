/* SPDX-License-Identifier: MIT */
/* Datagram sockets of ICMP: echo requests and their replies. icmp(7).  The guest answers for its
 * own addresses; the number of a request is the socket's port. */
#include <kernel/heap.h>
#include <kernel/process.h>

#include "inet_udp.h"

#define HEADER 8u /* bytes: type, code, checksum, number, sequence */
enum { ECHO_REPLY = 0, ECHO_REQUEST = 8, ECHO6_REQUEST = 128, ECHO6_REPLY = 129 };

int inet_ping_create(int family, int protocol, struct socket **out) {
    return udp_create(family, protocol, &inet_ping_ports, out);
}

static uint16_t checksum(const uint8_t *data, uint32_t len) {
    uint32_t sum = 0;

    for (uint32_t i = 0; i < len; i++)
        sum += i & 1 ? (uint32_t)data[i] << 8 : data[i];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put16(uint8_t *at, uint16_t v) {
    at[0] = (uint8_t)v;
    at[1] = (uint8_t)(v >> 8);
}

int64_t ping_send(struct udp_sock *u, const struct sock_msg *m, const struct udp_sending *how) {
    bool v4 = ip_is_v4(&how->to.ip);
    uint32_t len = (uint32_t)m->data->len;
    struct udp_sending reply = *how;
    struct iovec iov = {.iov_len = len};
    struct uio data = {.iov = &iov, .count = 1, .kernel = true, .len = len};
    uint8_t *packet;
    int64_t r;

    if (len < HEADER) return -EINVAL;
    packet = kmalloc(len);
    if (packet == NULL) return -ENOBUFS;
    r = uio_drain(m->data, 0, packet, len);
    if (r == 0 && (packet[0] != (v4 ? ECHO_REQUEST : ECHO6_REQUEST) || packet[1] != 0)) r = -EINVAL;
    if (r == 0) {
        packet[0] = v4 ? ECHO_REPLY : ECHO6_REPLY;
        put16(packet + 4, net16(how->from.port));
        put16(packet + 2, 0);
        put16(packet + 2, checksum(packet, len));
        reply.from = how->to;
        reply.to = how->from;
        reply.from.port = 0;
        reply.ttl = 64;
        reply.device = INET_LO;
        iov.iov_base = packet;
        r = udp_enqueue(u, &reply, &data);
    }
    kfree(packet);
    return r ? r : (int64_t)len;
}
