/* SPDX-License-Identifier: MIT */
/* Options of internet sockets: ip(7), ipv6(7), and what SOL_SOCKET leaves to the family. */
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "inet.h"

#define SWITCH 1, 0
#define IFNAME_MAX 16u
#define UNSET INT32_MIN

static const struct inet_option v4_options[] = {
    {IP_TOS, OPT_TOS, INT32_MIN, INT32_MAX, 0},
    {IP_TTL, OPT_TTL, -1, 255, 64},
    {IP_RECVOPTS, OPT_OTHER_FIRST, SWITCH, 0},
    {IP_RETOPTS, OPT_OTHER_FIRST + 1, SWITCH, 0},
    {IP_PKTINFO, OPT_PKTINFO, SWITCH, 0},
    {IP_MTU_DISCOVER, OPT_MTU_DISCOVER, 0, 5, 1},
    {IP_RECVERR, OPT_RECVERR, SWITCH, 0},
    {IP_RECVTTL, OPT_RECVTTL, SWITCH, 0},
    {IP_RECVTOS, OPT_RECVTOS, SWITCH, 0},
    {IP_FREEBIND, OPT_FREEBIND, SWITCH, 0},
    {IP_PASSSEC, OPT_OTHER_FIRST + 2, SWITCH, 0},
    {IP_TRANSPARENT, OPT_TRANSPARENT, SWITCH, 0},
    {IP_RECVORIGDSTADDR, OPT_RECVORIGDST, SWITCH, 0},
    {IP_MINTTL, OPT_MINTTL, 0, 255, 0},
    {IP_CHECKSUM, OPT_OTHER_FIRST + 3, SWITCH, 0},
    {IP_BIND_ADDRESS_NO_PORT, OPT_NO_PORT, SWITCH, 0},
    {IP_MULTICAST_TTL, OPT_MC_TTL, -1, 255, 1},
    {IP_MULTICAST_LOOP, OPT_MC_LOOP, SWITCH, 1},
    {IP_MULTICAST_ALL, OPT_MC_ALL, 0, 1, 1},
};

static const struct inet_option v6_options[] = {
    {IPV6_UNICAST_HOPS, OPT6_HOPS, -1, 255, 64},
    {IPV6_MULTICAST_HOPS, OPT6_MC_HOPS, -1, 255, 1},
    {IPV6_MULTICAST_LOOP, OPT6_MC_LOOP, 0, 1, 1},
    {IPV6_MULTICAST_ALL, OPT6_MC_ALL, 0, 1, 1},
    {IPV6_MULTICAST_IF, OPT6_MC_IF, 0, INT32_MAX, 0},
    {IPV6_MTU_DISCOVER, OPT6_MTU_DISCOVER, 0, 5, 1},
    {IPV6_RECVERR, OPT6_RECVERR, SWITCH, 0},
    {IPV6_RECVPKTINFO, OPT6_PKTINFO, SWITCH, 0},
    {IPV6_RECVHOPLIMIT, OPT6_RECVHOPS, SWITCH, 0},
    {IPV6_RECVTCLASS, OPT6_RECVTCLASS, SWITCH, 0},
    {IPV6_TCLASS, OPT6_TCLASS, -1, 255, 0},
    {IPV6_RECVRTHDR, OPT6_OTHER_FIRST, SWITCH, 0},
    {IPV6_RECVHOPOPTS, OPT6_OTHER_FIRST + 1, SWITCH, 0},
    {IPV6_RECVDSTOPTS, OPT6_OTHER_FIRST + 2, SWITCH, 0},
    {IPV6_RECVPATHMTU, OPT6_OTHER_FIRST + 3, SWITCH, 0},
    {IPV6_AUTOFLOWLABEL, OPT6_OTHER_FIRST + 4, SWITCH, 1},
    {IPV6_DONTFRAG, OPT6_OTHER_FIRST + 5, SWITCH, 0},
    {IPV6_TRANSPARENT, OPT_TRANSPARENT, SWITCH, 0},
    {IPV6_FREEBIND, OPT_FREEBIND, SWITCH, 0},
    {IPV6_RECVORIGDSTADDR, OPT_RECVORIGDST, SWITCH, 0},
};

int32_t inet_option_get(const struct inet_sock *s, uint32_t slot, int32_t standard) {
    if (s->options == NULL || s->options[slot] == UNSET) return standard;
    return s->options[slot];
}

bool inet_option_is_set(const struct inet_sock *s, uint32_t slot) {
    return s->options != NULL && s->options[slot] != UNSET;
}

int inet_option_put(struct inet_sock *s, uint32_t slot, int32_t value) {
    if (s->options == NULL) {
        s->options = kmalloc(OPT_COUNT * sizeof(*s->options));
        if (s->options == NULL) return -ENOMEM;
        for (uint32_t i = 0; i < OPT_COUNT; i++)
            s->options[i] = UNSET;
    }
    s->options[slot] = value;
    return 0;
}

void inet_option_inherit(struct inet_sock *s, const struct inet_sock *from) {
    if (from->options == NULL || inet_option_put(s, 0, 0) != 0) return;
    memcpy(s->options, from->options, OPT_COUNT * sizeof(*s->options));
}

const struct inet_option *inet_option_find(const struct inet_option *table, size_t count,
                                           int name) {
    for (size_t i = 0; i < count; i++)
        if (table[i].name == name) return &table[i];
    return NULL;
}

int inet_option_set_row(struct inet_sock *s, const struct inet_option *o, int32_t value) {
    if (o->least > o->most)
        value = value != 0;
    else if (value < o->least || value > o->most)
        return -EINVAL;
    return inet_option_put(s, o->slot, value);
}

int inet_option_number(gva_t value, uint32_t len, bool byte, int32_t *out) {
    uint8_t small = 0;

    *out = 0;
    if (len >= sizeof(*out)) return get_user(*out, value);
    if (!byte) return -EINVAL;
    if (len >= 1 && get_user(small, value)) return -EFAULT;
    *out = small;
    return 0;
}

int inet_option_answer(gva_t value, uint32_t *len, int32_t number) {
    *len = min(*len, (uint32_t)sizeof(number));
    return copy_to_user(value, &number, *len);
}

/* IP_MULTICAST_IF: an address, one with a group, or an index. */
static int set_interface(struct inet_sock *s, gva_t value, uint32_t len) {
    struct ip_mreqn r = {.imr_ifindex = 0};
    union ip ip;

    if (s->sock.type == SOCK_STREAM) return -EINVAL;
    if (len < sizeof(struct in_addr)) return -EINVAL;
    if (len >= sizeof(r)) {
        if (get_user(r, value)) return -EFAULT;
    } else if (len >= sizeof(struct ip_mreq)) {
        if (copy_from_user(&r, value, sizeof(struct ip_mreq))) return -EFAULT;
    } else if (get_user(r.imr_address, value)) {
        return -EFAULT;
    }
    if (r.imr_ifindex != 0) {
        if (inet_iface((uint32_t)r.imr_ifindex) == NULL) return -EADDRNOTAVAIL;
        return inet_option_put(s, OPT_MC_IF, r.imr_ifindex);
    }
    if (r.imr_address.s_addr == INADDR_ANY) return inet_option_put(s, OPT_MC_IF, 0);
    ip = ip_from_v4(r.imr_address.s_addr);
    if (!ip_is_local(&ip)) return -EADDRNOTAVAIL;
    return inet_option_put(s, OPT_MC_IF, ip_is_loopback(&ip) ? 1 : 2);
}

static int set_v4(struct inet_sock *s, int name, gva_t value, uint32_t len) {
    const struct inet_option *o = inet_option_find(v4_options, ARRAY_LEN(v4_options), name);
    bool stream = s->sock.type == SOCK_STREAM;
    int32_t number;
    int r;

    if (name == IP_MULTICAST_IF) return set_interface(s, value, len);
    if (name == IP_OPTIONS) return len == 0 ? 0 : -EINVAL;
    if (o == NULL) return -ENOPROTOOPT;
    r = inet_option_number(value, len, true, &number);
    if (r) return r;
    switch (name) {
    case IP_TOS:
        number &= stream ? 0xfc : 0xff;
        break;
    case IP_TTL:
        if (number == 0 || len < 1) return -EINVAL;
        if (number == -1) number = o->standard;
        break;
    case IP_MULTICAST_TTL:
        if (stream || len < 1) return -EINVAL;
        if (number == -1) number = o->standard;
        break;
    case IP_MULTICAST_LOOP:
    case IP_MULTICAST_ALL:
        if (len < 1) return -EINVAL;
        break;
    case IP_TRANSPARENT:
        if (number != 0 && !process_capable(CAP_NET_ADMIN)) return -EPERM;
        break;
    default:
        break;
    }
    return inet_option_set_row(s, o, number);
}

static int set_v6only(struct inet_sock *s, int32_t on) {
    if (s->at.port != NULL || s->at.local.port != 0) return -EINVAL;
    s->v6only = on != 0;
    return 0;
}

static bool is_connected(const struct inet_sock *s) {
    return s->sock.type == SOCK_STREAM ? s->at.peer.port != 0 && tcp_is_established(s)
                                       : s->at.peer.port != 0;
}

/* IPV6_ADDRFORM: a socket that is connected by IPv4 becomes one of IPv4. */
static int set_family(struct inet_sock *s, int32_t family) {
    if (family != AF_INET) return -EINVAL;
    if (s->ports == &inet_ping_ports) return -ENOPROTOOPT;
    if (!is_connected(s)) return -ENOTCONN;
    if (s->v6only || !ip_is_v4(&s->at.peer.ip)) return -EADDRNOTAVAIL;
    s->sock.family = AF_INET;
    return 0;
}

static int set_v6(struct inet_sock *s, int name, gva_t value, uint32_t len) {
    const struct inet_option *o = inet_option_find(v6_options, ARRAY_LEN(v6_options), name);
    bool multicast = name == IPV6_MULTICAST_HOPS || name == IPV6_MULTICAST_IF;
    int32_t number;
    int r;

    if (o == NULL && name != IPV6_V6ONLY && name != IPV6_ADDRFORM) return -ENOPROTOOPT;
    if (multicast && s->sock.type == SOCK_STREAM) return -ENOPROTOOPT;
    r = inet_option_number(value, len, false, &number);
    if (r) return r;
    if (name == IPV6_V6ONLY) return set_v6only(s, number);
    if (name == IPV6_ADDRFORM) return set_family(s, number);
    if (name == IPV6_MULTICAST_IF && number != 0 && inet_iface((uint32_t)number) == NULL)
        return -ENODEV;
    if (name == IPV6_TRANSPARENT && number != 0 && !process_capable(CAP_NET_ADMIN)) return -EPERM;
    if (o->least == -1 && number == -1) number = o->standard;
    return inet_option_set_row(s, o, number);
}

/* SO_BINDTODEVICE */
static int set_device(struct inet_sock *s, gva_t value, uint32_t len) {
    char name[IFNAME_MAX] = {0};
    const struct inet_iface *i;

    if (copy_from_user(name, value, min(len, IFNAME_MAX - 1))) return -EFAULT;
    s->device = 0;
    if (name[0] == '\0') return 0;
    i = inet_iface_named(name);
    if (i == NULL) return -ENODEV;
    s->device = i->index;
    return 0;
}

static int set_common(struct inet_sock *s, int name, gva_t value, uint32_t len) {
    int32_t number;

    if (name == SO_BINDTODEVICE) return set_device(s, value, len);
    if (name != SO_INCOMING_CPU && name != SO_BUSY_POLL && name != SO_BINDTOIFINDEX)
        return -ENOPROTOOPT;
    if (inet_option_number(value, len, false, &number)) return -EINVAL;
    if (name != SO_BINDTOIFINDEX) return 0;
    if (number < 0) return -EINVAL;
    if (number != 0 && inet_iface((uint32_t)number) == NULL) return -ENODEV;
    s->device = (uint32_t)number;
    return 0;
}

int inet_setopt(struct socket *sock, int level, int name, gva_t value, uint32_t len) {
    struct inet_sock *s = inet_of(sock);

    if (level == SOL_SOCKET) return set_common(s, name, value, len);
    if (level != IPPROTO_IP && (level != IPPROTO_IPV6 || sock->family != AF_INET6))
        return -ENOPROTOOPT;
    if (inet_group_is_option(level, name)) return inet_group_option(s, level, name, value, len);
    return level == IPPROTO_IP ? set_v4(s, name, value, len) : set_v6(s, name, value, len);
}

static int get_device(const struct inet_sock *s, gva_t value, uint32_t *len) {
    const struct inet_iface *i = inet_iface(s->device);
    uint32_t size = i != NULL ? (uint32_t)strlen(i->name) + 1 : 0;

    if (i != NULL && *len < IFNAME_MAX) return -EINVAL;
    *len = size;
    return i != NULL ? copy_to_user(value, i->name, size) : 0;
}

static int get_mtu(const struct inet_sock *s, int32_t *mtu) {
    if (s->at.peer.port == 0) return -ENOTCONN;
    *mtu = (int32_t)min(inet_iface_of(&s->at.peer.ip)->mtu, 65535u);
    return 0;
}

static int get_v4(const struct inet_sock *s, int name, gva_t value, uint32_t *len) {
    const struct inet_option *o = inet_option_find(v4_options, ARRAY_LEN(v4_options), name);
    int32_t number = 0;
    int r;

    if (o != NULL) {
        number = inet_option_get(s, o->slot, o->standard);
    } else if (name == IP_MULTICAST_IF) {
        const struct inet_iface *i = inet_iface((uint32_t)inet_option_get(s, OPT_MC_IF, 0));

        number = i != NULL ? (int32_t)i->address : 0;
        return inet_option_answer(value, len, number);
    } else if (name == IP_MTU) {
        r = get_mtu(s, &number);
        if (r) return r;
    } else if (name == IP_OPTIONS) {
        *len = 0;
        return 0;
    } else if (name == IP_PROTOCOL) {
        number = s->sock.protocol;
    } else {
        return -ENOPROTOOPT;
    }
    if (*len > 0 && *len < sizeof(number) && number >= 0 && number <= 255) *len = 1;
    return inet_option_answer(value, len, number);
}

static int get_v6(const struct inet_sock *s, int name, gva_t value, uint32_t *len) {
    const struct inet_option *o = inet_option_find(v6_options, ARRAY_LEN(v6_options), name);
    int32_t number;
    int r;

    if (name == IPV6_V6ONLY) return inet_option_answer(value, len, s->v6only);
    if (name == IPV6_ADDRFORM) {
        if (s->ports == &inet_ping_ports) return -ENOPROTOOPT;
        return is_connected(s) ? inet_option_answer(value, len, AF_INET6) : -ENOTCONN;
    }
    if (name == IPV6_MTU) {
        r = get_mtu(s, &number);
        return r ? r : inet_option_answer(value, len, number);
    }
    if (o == NULL) return -ENOPROTOOPT;
    return inet_option_answer(value, len, inet_option_get(s, o->slot, o->standard));
}

int inet_getopt(struct socket *sock, int level, int name, gva_t value, uint32_t *len) {
    const struct inet_sock *s = inet_of(sock);

    if (level == SOL_SOCKET) {
        if (name == SO_BINDTODEVICE) return get_device(s, value, len);
        if (name == SO_BINDTOIFINDEX) return inet_option_answer(value, len, (int32_t)s->device);
        if (name == SO_INCOMING_CPU || name == SO_BUSY_POLL || name == SO_INCOMING_NAPI_ID)
            return inet_option_answer(value, len, 0);
        return -ENOPROTOOPT;
    }
    if (level == IPPROTO_IP) return get_v4(s, name, value, len);
    if (level != IPPROTO_IPV6 || sock->family != AF_INET6) return -ENOPROTOOPT;
    return get_v6(s, name, value, len);
}
