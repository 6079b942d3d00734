/* SPDX-License-Identifier: MIT */
/* Addresses between the sockets' layer and lwIP, and what way leads to them.  Owns nothing. */
#include <hermit/linux_abi.h>
#include <kernel/string.h>

#include "lwip_stack.h"

#include <lwip/netif.h>
#include <lwip/priv/nd6_priv.h>

#define V4_PREFIX 0xffff0000u /* third word of a v4-mapped address */
#define ETH0 2u               /* index of the interface: link-local addresses are its */

int stack_address(const struct stack_sock *s, const struct sock_addr *a, ip_addr_t *ip,
                  uint16_t *port) {
    uint32_t w[4];
    if (a->len < sizeof(a->family)) return -EINVAL;
    *ip = (ip_addr_t){0};
    if (a->family == AF_INET) {
        if (a->len < sizeof(a->in)) return -EINVAL;
        ip_addr_set_ip4_u32(ip, a->in.sin_addr.s_addr);
        *port = __builtin_bswap16(a->in.sin_port);
        return 0;
    }
    if (a->family != AF_INET6) return -EAFNOSUPPORT;
    if (a->len < offsetof(struct sockaddr_in6, sin6_scope_id)) return -EINVAL;
    memcpy(w, &a->in6.sin6_addr, sizeof(w));
    *port = __builtin_bswap16(a->in6.sin6_port);
    if ((w[0] | w[1]) == 0 && w[2] == V4_PREFIX) {
        ip_addr_set_ip4_u32(ip, w[3]);
        return 0;
    }
    IP_ADDR6(ip, w[0], w[1], w[2], w[3]);
    if ((w[0] | w[1] | w[2] | w[3]) == 0 && !s->v6only) IP_SET_TYPE_VAL(*ip, IPADDR_TYPE_ANY);
    return 0;
}

void stack_put_mapped(const ip_addr_t *ip, uint8_t out[16]) {
    const uint32_t w[4] = {0, 0, V4_PREFIX, ip_2_ip4(ip)->addr};
    memcpy(out, IP_IS_V6_VAL(*ip) ? ip_2_ip6(ip)->addr : w, sizeof(w));
}

void stack_put_address(int family, const ip_addr_t *ip, uint16_t port, struct sock_addr *out) {
    memset(out, 0, sizeof(*out));
    out->family = (uint16_t)family;
    if (family == AF_INET) {
        out->len = sizeof(out->in);
        out->in.sin_addr.s_addr = ip_2_ip4(ip)->addr;
        out->in.sin_port = __builtin_bswap16(port);
        return;
    }
    out->len = sizeof(out->in6);
    stack_put_mapped(ip, (uint8_t *)&out->in6.sin6_addr);
    out->in6.sin6_port = __builtin_bswap16(port);
    if (IP_IS_V6_VAL(*ip) && ip6_addr_islinklocal(ip_2_ip6(ip))) out->in6.sin6_scope_id = ETH0;
}

static int route4(uint32_t address) {
    const struct netif *n = stack_netif();
    uint32_t own = netif_ip4_addr(n)->addr, mask = netif_ip4_netmask(n)->addr;
    bool neighbour = ((address ^ own) & mask) == 0, group = (lwip_ntohl(address) >> 28) == 14;
    if (address == 0) return -EINVAL;
    if (address == UINT32_MAX) return 0; /* a client of DHCP has no address yet */
    if (own == 0) return -ENETUNREACH;
    return neighbour || group || netif_ip4_gw(n)->addr != 0 ? 0 : -ENETUNREACH;
}

static bool route6(const ip6_addr_t *to) {
    const struct netif *n = stack_netif();
    if (ip6_addr_isloopback(to)) return false;
    if (ip6_addr_islinklocal(to) || ip6_addr_ismulticast(to) || stack_gateway6() != NULL)
        return true;
    for (uint32_t i = 0; i < LWIP_ND6_NUM_ROUTERS; i++)
        if (default_router_list[i].neighbor_entry != NULL) return true;
    for (uint32_t i = 0; i < LWIP_ND6_NUM_PREFIXES; i++)
        if (prefix_list[i].netif != NULL && ip6_addr_netcmp(to, &prefix_list[i].prefix))
            return true;
    for (uint32_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++)
        if (ip6_addr_isvalid(netif_ip6_addr_state(n, i)) && netif_ip6_addr_isstatic(n, i) &&
            ip6_addr_netcmp(to, netif_ip6_addr(n, i)))
            return true;
    return false;
}

int stack_route(const ip_addr_t *to) {
    if (!IP_IS_V6_VAL(*to)) return route4(ip_2_ip4(to)->addr);
    if (ip_addr_isany(to)) return -EINVAL;
    return route6(ip_2_ip6(to)) ? 0 : -ENETUNREACH;
}
