/* SPDX-License-Identifier: MIT */
/* Control messages of datagram sockets: ip(7), ipv6(7). */
#include <kernel/process.h>
#include <kernel/string.h>

#include "inet_udp.h"

#define ICMP_UNREACH 3  /* ICMP_DEST_UNREACH, and its code ICMP_PORT_UNREACH */
#define ICMP6_UNREACH 1 /* ICMPV6_DEST_UNREACH */
#define ICMP6_PORT_UNREACH 4

/* An int in a control message; a byte where there is no more. */
static int get_int(const struct k_cmsghdr *c, int *value) {
    uint64_t len = c->len - sizeof(*c);

    if (len >= sizeof(*value))
        memcpy(value, c + 1, sizeof(*value));
    else if (len == 1)
        *value = *(const uint8_t *)(c + 1);
    else
        return -EINVAL;
    return 0;
}

static int get_source(const struct k_cmsghdr *c, struct udp_sending *how) {
    struct in_pktinfo v4;
    struct in6_pktinfo v6;
    bool is_v4 = c->level == IPPROTO_IP;
    union ip ip;
    uint32_t device;

    if (c->len - sizeof(*c) < (is_v4 ? sizeof(v4) : sizeof(v6))) return -EINVAL;
    if (is_v4) {
        memcpy(&v4, c + 1, sizeof(v4));
        ip = ip_from_v4(v4.ipi_spec_dst.s_addr);
        device = (uint32_t)v4.ipi_ifindex;
    } else {
        memcpy(&v6, c + 1, sizeof(v6));
        memcpy(ip.b, &v6.ipi6_addr, sizeof(ip.b));
        device = (uint32_t)v6.ipi6_ifindex;
    }
    if (device != 0 && inet_iface(device) == NULL) return -ENODEV;
    /* In host mode the host knows its addresses. */
    if (!ip_is_any(&ip) && !ip_is_local(&ip) && hostnet_mode() != HOSTNET_HOST) return -EINVAL;
    if (!ip_is_any(&ip)) how->from.ip = ip;
    if (device != 0) how->device = device;
    return 0;
}

static int get_one(const struct k_cmsghdr *c, struct udp_sending *how) {
    int value = 0, r;
    bool v6 = c->level == IPPROTO_IPV6;

    if (c->level == IPPROTO_UDP) {
        if (c->type != UDP_SEGMENT || c->len != sizeof(*c) + sizeof(how->segment)) return -EINVAL;
        memcpy(&how->segment, c + 1, sizeof(how->segment));
        return 0;
    }
    if (c->level != IPPROTO_IP && c->level != IPPROTO_IPV6) return 0;
    if (c->type == (v6 ? IPV6_PKTINFO : IP_PKTINFO)) return get_source(c, how);
    r = get_int(c, &value);
    if (r) return r;
    if (c->type == (v6 ? IPV6_HOPLIMIT : IP_TTL)) {
        if (value < (v6 ? -1 : 1) || value > 255) return -EINVAL;
        if (value >= 0) how->ttl = (uint8_t)value;
        return 0;
    }
    if (c->type != (v6 ? IPV6_TCLASS : IP_TOS)) return -EINVAL;
    if (value < (v6 ? -1 : 0) || value > 255) return -EINVAL;
    if (value >= 0) how->tos = (uint8_t)value;
    return 0;
}

int udp_control_get(const struct sock_msg *m, struct udp_sending *how) {
    const struct k_cmsghdr *c;
    uint64_t at = 0;
    bool bad;

    while ((c = control_next(m, &at, &bad)) != NULL) {
        int r = get_one(c, how);

        if (r) return r;
    }
    return bad ? -EINVAL : 0;
}

static void put_time(const struct socket *s, struct sock_msg *m, int64_t ns) {
    struct timespec ts = {ns / NSEC_PER_SEC, ns % NSEC_PER_SEC};
    struct timeval tv = {ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000};

    if (socket_has(s, SO_TIMESTAMPNS_OLD))
        control_put(m, SOL_SOCKET, SO_TIMESTAMPNS_OLD, &ts, sizeof(ts));
    else if (socket_has(s, SO_TIMESTAMP_OLD))
        control_put(m, SOL_SOCKET, SO_TIMESTAMP_OLD, &tv, sizeof(tv));
}

static void put_v4(const struct inet_sock *s, struct sock_msg *m, const struct udp_datagram *d) {
    int ttl = d->ttl;

    if (inet_option_on(s, OPT_PKTINFO)) {
        struct in_pktinfo info = {.ipi_ifindex = (int)d->device};

        info.ipi_addr.s_addr = d->to.ip.w[3];
        info.ipi_spec_dst.s_addr = ip_is_multicast(&d->to.ip) || ip_is_broadcast(&d->to.ip)
                                       ? inet_source(&d->to.ip).w[3]
                                       : d->to.ip.w[3];
        control_put(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    }
    if (inet_option_on(s, OPT_RECVTTL)) control_put(m, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
    if (inet_option_on(s, OPT_RECVTOS)) control_put(m, IPPROTO_IP, IP_TOS, &d->tos, 1);
    if (inet_option_on(s, OPT_RECVORIGDST)) {
        struct sock_addr to;

        inet_end_put(AF_INET, &d->to, &to);
        control_put(m, IPPROTO_IP, IP_ORIGDSTADDR, to.bytes, to.len);
    }
}

static void put_v6(const struct inet_sock *s, struct sock_msg *m, const struct udp_datagram *d) {
    int hops = d->ttl, class = d->tos;

    if (inet_option_on(s, OPT6_PKTINFO)) {
        struct in6_pktinfo info = {.ipi6_ifindex = (int)d->device};

        memcpy(&info.ipi6_addr, d->to.ip.b, sizeof(info.ipi6_addr));
        control_put(m, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    }
    if (ip_is_v4(&d->to.ip)) return;
    if (inet_option_on(s, OPT6_RECVHOPS))
        control_put(m, IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof(hops));
    if (inet_option_on(s, OPT6_RECVTCLASS))
        control_put(m, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class));
}

bool udp_control_stamps(const struct udp_sock *u) {
    return socket_has(&u->in.sock, SO_TIMESTAMPNS_OLD) || socket_has(&u->in.sock, SO_TIMESTAMP_OLD);
}

bool udp_control_wanted(const struct udp_sock *u) {
    return u->in.options != NULL || udp_control_stamps(u) || socket_has(&u->in.sock, SO_RXQ_OVFL);
}

void udp_control_put(const struct udp_sock *u, struct sock_msg *m, const struct udp_datagram *d) {
    const struct inet_sock *s = &u->in;

    put_time(&s->sock, m, d->time_ns);
    if (socket_has(&s->sock, SO_RXQ_OVFL) && u->dropped > 0)
        control_put(m, SOL_SOCKET, SO_RXQ_OVFL, &u->dropped, sizeof(u->dropped));
    if (s->options == NULL) return;
    if (s->sock.family == AF_INET6) put_v6(s, m, d);
    if (ip_is_v4(&d->to.ip)) put_v4(s, m, d);
}

void udp_control_put_error(const struct udp_sock *u, struct sock_msg *m,
                           const struct udp_datagram *d) {
    bool v4 = ip_is_v4(&d->to.ip);
    struct {
        struct sock_extended_err err;
        union {
            struct sockaddr_in in;
            struct sockaddr_in6 in6;
        } offender;
    } e;
    struct sock_addr addr;
    struct inet_end end = d->to;

    memset(&e, 0, sizeof(e));
    e.err.ee_errno = ECONNREFUSED;
    e.err.ee_origin = v4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6;
    e.err.ee_type = v4 ? ICMP_UNREACH : ICMP6_UNREACH;
    e.err.ee_code = v4 ? ICMP_UNREACH : ICMP6_PORT_UNREACH;
    end.port = 0;
    inet_end_put(u->in.sock.family, &end, &addr);
    memcpy(&e.offender, addr.bytes, addr.len);
    if (u->in.sock.family == AF_INET)
        control_put(m, IPPROTO_IP, IP_RECVERR, &e, sizeof(e.err) + sizeof(e.offender.in));
    else
        control_put(m, IPPROTO_IPV6, IPV6_RECVERR, &e, sizeof(e));
}
