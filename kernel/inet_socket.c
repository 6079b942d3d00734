/* SPDX-License-Identifier: MIT */
/* AF_INET and AF_INET6: life and names of sockets, whatever their protocol.  Owns the list of all
 * of them. */
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "inet.h"

#define FIRST_FREE_PORT 1024u /* net.ipv4.ip_unprivileged_port_start */
#define SIN6_MIN 24u          /* bytes: sockaddr_in6 without its scope */

struct inet_socks inet_all = TAILQ_HEAD_INITIALIZER(inet_all);

static int create(int family, int type, int protocol, struct socket **out) {
    bool v6 = family == AF_INET6;

    if (protocol < 0 || protocol >= IPPROTO_MAX) return -EINVAL;
    if (type == SOCK_STREAM) {
        if (protocol != 0 && protocol != IPPROTO_TCP) return -EPROTONOSUPPORT;
        return inet_tcp_create(family, IPPROTO_TCP, out);
    }
    if (type == SOCK_DGRAM) {
        if (protocol == 0 || protocol == IPPROTO_UDP)
            return inet_udp_create(family, IPPROTO_UDP, out);
        if (protocol == IPPROTO_UDPLITE) return inet_udp_create(family, protocol, out);
        if (protocol == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
            return inet_ping_create(family, protocol, out);
        return -EPROTONOSUPPORT;
    }
    if (type == SOCK_RAW) return protocol == 0 ? -EPROTONOSUPPORT : -EPERM;
    return -ESOCKTNOSUPPORT;
}

static int create_v4(int type, int protocol, struct socket **out) {
    return create(AF_INET, type, protocol, out);
}

static int create_v6(int type, int protocol, struct socket **out) {
    return create(AF_INET6, type, protocol, out);
}

const struct socket_family inet_family = {.family = AF_INET, .create = create_v4};
const struct socket_family inet6_family = {.family = AF_INET6, .create = create_v6};

static const union ip *wildcard(const struct inet_sock *s) {
    return s->sock.family == AF_INET ? &ip_any4 : &ip_any6;
}

void inet_init(struct inet_sock *s, const struct socket_ops *ops, int family, int type,
               int protocol, struct inet_port_table *ports) {
    socket_init(&s->sock, ops, family, type, protocol);
    s->ports = ports;
    s->at.sock = s;
    s->at.local.ip = s->at.peer.ip = *wildcard(s);
    TAILQ_INSERT_TAIL(&inet_all, s, all_link);
}

void inet_destroy(struct inet_sock *s) {
    inet_port_release(&s->at);
    inet_group_leave_all(s);
    TAILQ_REMOVE(&inet_all, s, all_link);
    if (s->host != NULL) hostnet_close(s->host);
    s->host = NULL;
    kfree(s->options);
    s->options = NULL;
}

void inet_unconnect(struct inet_sock *s) {
    s->at.peer = (struct inet_end){.ip = *wildcard(s)};
    if (!s->addr_locked) s->at.local.ip = *wildcard(s);
    if (s->port_locked) return;
    inet_port_release(&s->at);
    s->at.local.port = 0;
}

/* bind(2)'s view of an address. */
static int bind_address(const struct inet_sock *s, const struct sock_addr *addr,
                        struct inet_end *end) {
    *end = (struct inet_end){0};
    if (s->sock.family == AF_INET) {
        if (addr->len < sizeof(addr->in)) return -EINVAL;
        if (addr->family != AF_INET &&
            (addr->family != AF_UNSPEC || addr->in.sin_addr.s_addr != INADDR_ANY))
            return -EAFNOSUPPORT;
        end->ip = ip_from_v4(addr->in.sin_addr.s_addr);
        end->port = net16(addr->in.sin_port);
        return 0;
    }
    if (addr->len < SIN6_MIN) return -EINVAL;
    if (addr->family != AF_INET6) return -EAFNOSUPPORT;
    memcpy(end->ip.b, &addr->in6.sin6_addr, sizeof(end->ip.b));
    end->port = net16(addr->in6.sin6_port);
    if (addr->len >= sizeof(addr->in6)) end->scope = addr->in6.sin6_scope_id;
    if (ip_is_multicast(&end->ip) && s->sock.type == SOCK_STREAM) return -EINVAL;
    if (ip_is_link_local(&end->ip) && end->scope == 0 && s->device == 0) return -EINVAL;
    return 0;
}

static bool may_bind(const struct inet_sock *s, const struct inet_end *end) {
    bool group = ip_is_multicast(&end->ip) || ip_is_broadcast(&end->ip);

    if (ip_is_any(&end->ip) || ip_is_local(&end->ip)) return true;
    if (group && s->sock.type != SOCK_STREAM) return true;
    if (inet_option_on(s, OPT_FREEBIND) || inet_option_on(s, OPT_TRANSPARENT)) return true;
    return hostnet_mode() == HOSTNET_HOST; /* the host knows its addresses */
}

int inet_bind(struct socket *sock, const struct sock_addr *addr) {
    struct inet_sock *s = inet_of(sock);
    struct inet_end end;
    int r = bind_address(s, addr, &end);

    if (r) return r;
    if (!may_bind(s, &end)) return -EADDRNOTAVAIL;
    /* User mode: the ports are the guest's own, and -p says what the host has of them. */
    if (end.port != 0 && end.port < FIRST_FREE_PORT && s->ports != &inet_ping_ports &&
        !inet_own_ports() && !process_capable(CAP_NET_BIND_SERVICE))
        return -EACCES;
    if (s->at.port != NULL || sock->listening || s->at.peer.port != 0) return -EINVAL;
    if (s->sock.family == AF_INET6 && ip_is_v4(&end.ip) && s->v6only) return -EINVAL;
    s->at.local = end;
    s->addr_locked = !ip_is_any(&end.ip);
    if (end.port == 0 && inet_option_on(s, OPT_NO_PORT)) return 0;
    r = inet_port_bind(s, end.port);
    if (r) {
        s->at.local = (struct inet_end){.ip = *wildcard(s)};
        s->addr_locked = false;
        return r;
    }
    s->port_locked = end.port != 0;
    return 0;
}

int inet_getname(struct socket *sock, bool peer, struct sock_addr *out) {
    const struct inet_sock *s = inet_of(sock);

    if (peer && s->at.peer.port == 0) return -ENOTCONN;
    inet_end_put(sock->family, peer ? &s->at.peer : &s->at.local, out);
    return 0;
}
