/* SPDX-License-Identifier: MIT */
/* Internet addresses and interfaces.  Owns the table of interfaces: lo, and eth0 where the command
 * line lets the guest out. */
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "inet.h"

#define V4_PREFIX 0xffff0000u /* the third word of a v4-mapped address */
#define LOOPBACK 0x0100007fu  /* 127.0.0.1 */
#define SIN6_MIN 24u          /* bytes: sockaddr_in6 without its scope */

const union ip ip_any4 = {.w = {0, 0, V4_PREFIX, 0}};
const union ip ip_any6 = {.w = {0, 0, 0, 0}};
const union ip ip_loopback4 = {.w = {0, 0, V4_PREFIX, LOOPBACK}};
const union ip ip_loopback6 = {.w = {0, 0, 0, 0x01000000u}};

/* IFF_* of if.h, ARPHRD_* of if_arp.h. */
enum { UP = 0x1, BROADCAST = 0x2, IS_LOOPBACK = 0x8, RUNNING = 0x40, MULTICAST = 0x1000 };
enum { TYPE_ETHER = 1, TYPE_LOOPBACK = 772 };

static const struct inet_iface lo = {.name = "lo",
                                     .index = INET_LO,
                                     .flags = UP | IS_LOOPBACK | RUNNING,
                                     .mtu = 65536,
                                     .type = TYPE_LOOPBACK,
                                     .address = LOOPBACK,
                                     .prefix = 8};

/* As it is now: DHCP may give it another address. */
static const struct inet_iface *eth0(void) {
    static struct inet_iface eth = {.name = "eth0",
                                    .index = 2,
                                    .flags = UP | BROADCAST | RUNNING | MULTICAST,
                                    .mtu = 1500,
                                    .type = TYPE_ETHER};
    const struct hostnet_interface *own = hostnet_interface();

    memcpy(eth.mac, own->mac, sizeof(eth.mac));
    eth.address = own->address;
    eth.prefix = own->prefix;
    eth.addresses6 = own->addresses6;
    eth.count6 = own->count6;
    eth.broadcast = own->address != 0 ? own->address | ~inet_mask(own->prefix) : 0;
    return &eth;
}

uint32_t inet_mask(uint8_t prefix) { return prefix == 0 ? 0 : net32(~0u << (32 - prefix)); }

uint32_t inet_gateway(void) { return hostnet_interface()->gateway; }

uint32_t inet_iface_count(void) { return hostnet_mode() == HOSTNET_NONE ? 1 : 2; }

const struct inet_iface *inet_iface(uint32_t index) {
    if (index < 1 || index > inet_iface_count()) return NULL;
    return index == INET_LO ? &lo : eth0();
}

const struct inet_iface *inet_iface_named(const char *name) {
    for (uint32_t i = 1; i <= inet_iface_count(); i++)
        if (strcmp(inet_iface(i)->name, name) == 0) return inet_iface(i);
    return NULL;
}

/* Is it the address that the guest has in the network? */
static bool is_own(const union ip *ip) {
    const struct hostnet_interface *own = hostnet_interface();

    if (inet_iface_count() == 1) return false;
    if (ip_is_v4(ip)) return ip->w[3] != 0 && ip->w[3] == own->address;
    for (uint32_t i = 0; i < own->count6; i++)
        if (memcmp(own->addresses6[i].bytes, ip->b, sizeof(ip->b)) == 0) return true;
    return false;
}

const struct inet_iface *inet_iface_of(const union ip *ip) {
    return inet_iface_count() == 1 || ip_is_loopback(ip) || is_own(ip) ? &lo : eth0();
}

bool ip_is_v4(const union ip *ip) { return ip->q[0] == 0 && ip->w[2] == V4_PREFIX; }

bool ip_is_any(const union ip *ip) {
    return ip->q[0] == 0 && ip->w[3] == 0 && (ip->w[2] == 0 || ip->w[2] == V4_PREFIX);
}

bool ip_is_loopback(const union ip *ip) {
    return ip_is_v4(ip) ? ip->b[12] == 127 : ip_equal(ip, &ip_loopback6);
}

bool ip_is_multicast(const union ip *ip) {
    return ip_is_v4(ip) ? (ip->b[12] & 0xf0) == 0xe0 : ip->b[0] == 0xff;
}

bool ip_is_broadcast(const union ip *ip) {
    if (!ip_is_v4(ip)) return false;
    return ip->w[3] == UINT32_MAX || ip->w[3] == 0xffffff7fu ||
           (inet_iface_count() > 1 && ip->w[3] != 0 && ip->w[3] == eth0()->broadcast);
}

bool ip_is_link_local(const union ip *ip) { return ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80; }

bool ip_is_local(const union ip *ip) {
    if (ip_is_broadcast(ip)) return false;
    if (ip_is_loopback(ip)) return true;
    return is_own(ip);
}

bool inet_leaves(const struct inet_end *to, bool somebody_inside) {
    struct sock_addr addr;

    if (!ip_is_local(&to->ip)) return true;
    if (!ip_is_loopback(&to->ip)) return false;
    if (hostnet_mode() == HOSTNET_HOST) return !somebody_inside;
    inet_end_put(ip_is_v4(&to->ip) ? AF_INET : AF_INET6, to, &addr);
    return hostnet_is_resolver(&addr);
}

union ip ip_from_v4(uint32_t address) {
    return (union ip){.w = {0, 0, V4_PREFIX, address}};
}

static int get_v4(const struct sock_addr *addr, struct inet_end *out) {
    if (addr->len < sizeof(addr->in)) return -EINVAL;
    out->ip = ip_from_v4(addr->in.sin_addr.s_addr);
    out->port = net16(addr->in.sin_port);
    out->scope = 0;
    return 0;
}

int inet_end_get(const struct inet_sock *s, const struct sock_addr *addr, struct inet_end *out) {
    if (s->sock.family == AF_INET) {
        if (addr->len < sizeof(addr->in)) return -EINVAL;
        if (addr->family != AF_INET) return -EAFNOSUPPORT;
        return get_v4(addr, out);
    }
    /* A datagram socket of IPv6 takes an address of IPv4, too. */
    if (s->sock.type == SOCK_DGRAM && addr->len >= sizeof(addr->family) && addr->family == AF_INET)
        return s->v6only ? -ENETUNREACH : get_v4(addr, out);
    if (addr->len < SIN6_MIN) return -EINVAL;
    if (addr->family != AF_INET6) return -EAFNOSUPPORT;
    memcpy(out->ip.b, &addr->in6.sin6_addr, sizeof(out->ip.b));
    out->port = net16(addr->in6.sin6_port);
    out->scope = addr->len >= sizeof(addr->in6) ? addr->in6.sin6_scope_id : 0;
    return 0;
}

void inet_end_put(int family, const struct inet_end *end, struct sock_addr *out) {
    memset(out, 0, sizeof(*out));
    out->family = (uint16_t)family;
    if (family == AF_INET) {
        out->len = sizeof(out->in);
        out->in.sin_port = net16(end->port);
        out->in.sin_addr.s_addr = end->ip.w[3];
        return;
    }
    out->len = sizeof(out->in6);
    out->in6.sin6_port = net16(end->port);
    memcpy(&out->in6.sin6_addr, end->ip.b, sizeof(end->ip.b));
    out->in6.sin6_scope_id = end->scope;
}

/* Of the interface's addresses the first that reaches as far as `to`, of its network if there is
 * one. */
static union ip source6(const union ip *to) {
    const struct hostnet_interface *own = hostnet_interface();
    bool near = ip_is_link_local(to) || (to->b[0] == 0xff && (to->b[1] & 0xf) <= 2);
    union ip best = ip_loopback6, a;
    bool found = false;

    if (inet_iface_count() == 1 || ip_is_loopback(to)) return best;
    for (uint32_t i = 0; i < own->count6; i++) {
        memcpy(a.b, own->addresses6[i].bytes, sizeof(a.b));
        if (a.q[0] == to->q[0]) return a;
        if (found || (i > 0 && ip_is_link_local(&a) != near)) continue;
        best = a; /* the first one, link-local, for want of another */
        found = ip_is_link_local(&a) == near;
    }
    return best;
}

union ip inet_source(const union ip *to) {
    if (ip_is_v4(to)) {
        if (ip_is_loopback(to) || inet_iface_count() == 1) return ip_loopback4;
        return ip_from_v4(hostnet_interface()->address);
    }
    return source6(to);
}

void inet_refused(const struct inet_end *to) {
    static bool said;

    if (said || hostnet_mode() != HOSTNET_NONE) return;
    said = true;
    kprint("hermit-run: %s: the program has no network (--net user lets it out)\n",
           current_thread()->comm);
}
