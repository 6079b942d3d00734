/* SPDX-License-Identifier: MIT */
/* Datagram sockets: their socket of the host, and what it is told.  Owns nothing. */
#include <kernel/process.h>

#include "inet_udp.h"

/* Options that the host's socket must have, too: those of what it sends, and what it is to say of
 * what arrives.  IPv4's count for a socket of both families as well. */
static const struct told {
    int level, name;
    uint32_t slot;
    bool address; /* tells addresses of the host: not in user mode */
} told[] = {
    {IPPROTO_IP, IP_TTL, OPT_TTL, false},
    {IPPROTO_IP, IP_TOS, OPT_TOS, false},
    {IPPROTO_IP, IP_MTU_DISCOVER, OPT_MTU_DISCOVER, false},
    {IPPROTO_IP, IP_MULTICAST_TTL, OPT_MC_TTL, false},
    {IPPROTO_IP, IP_RECVERR, OPT_RECVERR, false},
    {IPPROTO_IP, IP_RECVTTL, OPT_RECVTTL, false},
    {IPPROTO_IP, IP_RECVTOS, OPT_RECVTOS, false},
    {IPPROTO_IP, IP_PKTINFO, OPT_PKTINFO, true},
    {IPPROTO_IP, IP_PKTINFO, OPT_RECVORIGDST, true},
    {IPPROTO_UDP, UDP_SEGMENT, OPT_UDP_SEGMENT, false},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, OPT6_HOPS, false},
    {IPPROTO_IPV6, IPV6_TCLASS, OPT6_TCLASS, false},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, OPT6_MTU_DISCOVER, false},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, OPT6_MC_HOPS, false},
    {IPPROTO_IPV6, IPV6_RECVERR, OPT6_RECVERR, false},
    {IPPROTO_IPV6, IPV6_RECVHOPLIMIT, OPT6_RECVHOPS, false},
    {IPPROTO_IPV6, IPV6_RECVTCLASS, OPT6_RECVTCLASS, false},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO, OPT6_PKTINFO, true},
};

static void tell(struct udp_sock *u, const struct told *t) {
    int value = inet_option_get(&u->in, t->slot, 0);

    if (t->level == IPPROTO_IPV6 && u->host_family != AF_INET6) return;
    if (t->address && hostnet_mode() == HOSTNET_USER) return;
    hostnet_setopt(u->in.host, t->level, t->name, &value, sizeof(value));
}

static void tell_all(struct udp_sock *u) {
    static const int switches[] = {SO_BROADCAST, SO_REUSEADDR, SO_REUSEPORT};
    int on = 1;

    u->host_stamps = false;
    for (size_t i = 0; i < ARRAY_LEN(switches); i++)
        if (socket_has(&u->in.sock, switches[i]) && (i == 0 || hostnet_mode() == HOSTNET_HOST))
            hostnet_setopt(u->in.host, SOL_SOCKET, switches[i], &on, sizeof(on));
    for (size_t i = 0; i < ARRAY_LEN(told); i++)
        if (inet_option_is_set(&u->in, told[i].slot)) tell(u, &told[i]);
}

void udp_option_changed(struct udp_sock *u, int level, int name) {
    if (u->in.host == NULL) return;
    if (level == IPPROTO_IP && name == IP_RECVORIGDSTADDR) name = IP_PKTINFO;
    for (size_t i = 0; i < ARRAY_LEN(told); i++)
        if (told[i].level == level && told[i].name == name) tell(u, &told[i]);
}

static void close_host(struct udp_sock *u) {
    if (u->in.host != NULL) hostnet_close(u->in.host);
    u->in.host = NULL;
}

/* The guest's own stack: the port is the one that the program sees. */
static int bind_stack(struct udp_sock *u) {
    struct sock_addr addr;
    int r = udp_autobind(u);

    if (r == 0) {
        inet_end_put(u->host_family, &u->in.at.local, &addr);
        r = hostnet_bind(u->in.host, &addr);
    }
    if (r) close_host(u);
    return r;
}

int udp_open_host(struct udp_sock *u) {
    struct inet_sock *s = &u->in;
    int family = s->sock.family, r;

    if (s->host != NULL) return 0;
    r = hostnet_open(family, SOCK_DGRAM, s->sock.protocol, &s->sock.waitq, &s->host);
    if (r == -EAFNOSUPPORT && family == AF_INET6 && !s->v6only) {
        family = AF_INET;
        r = hostnet_open(family, SOCK_DGRAM, s->sock.protocol, &s->sock.waitq, &s->host);
    }
    if (r) {
        s->host = NULL;
        return r;
    }
    u->host_family = (uint16_t)family;
    if (family == AF_INET6) {
        int only = s->v6only;

        hostnet_setopt(s->host, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
    }
    if (hostnet_mode() == HOSTNET_TAP) r = bind_stack(u);
    if (r) return r;
    tell_all(u);
    return 0;
}

int udp_bind_host(struct udp_sock *u) {
    struct inet_sock *s = &u->in;
    struct sock_addr addr;
    int r;

    if (hostnet_mode() == HOSTNET_NONE || udp_is_ping(u)) return 0;
    if (inet_own_ports() && ip_is_loopback(&s->at.local.ip)) return 0;
    if (hostnet_mode() == HOSTNET_USER && !s->port_locked) return 0;
    r = udp_open_host(u);
    if (r || hostnet_mode() == HOSTNET_TAP) return r;
    inet_end_put(u->host_family, &s->at.local, &addr);
    r = hostnet_bind(s->host, &addr);
    if (r == 0) {
        if (hostnet_mode() == HOSTNET_USER) tell_all(u); /* a published port is another socket */
        return 0;
    }
    close_host(u);
    return r == -EACCES && hostnet_mode() == HOSTNET_USER ? 0 : r;
}
