/* SPDX-License-Identifier: MIT */
/* NETLINK_ROUTE: what interfaces, addresses and routes there are. rtnetlink(7).  They cannot be
 * changed. */
#include <kernel/process.h>
#include <kernel/string.h>

#include "inet.h"
#include "netlink.h"

#define LOWER_UP 0x10000u /* IFF_LOWER_UP */
#define OPER_UNKNOWN 0
#define OPER_UP 6

/* Which messages are wanted; 0: all. */
struct filter {
    uint8_t family;
    uint32_t index;
};

static void put_link(struct netlink_text *t, const struct netlink_asker *who, uint16_t flags,
                     const struct inet_iface *i) {
    static const uint8_t all_ones[6] = {255, 255, 255, 255, 255, 255}, zeros[6];
    struct ifinfomsg info = {.ifi_type = i->type, .ifi_index = (int)i->index};
    struct rtnl_link_stats stats;
    struct rtnl_link_stats64 stats64;
    uint32_t start = netlink_begin(t, who, RTM_NEWLINK, flags);
    uint8_t state = i->index == INET_LO ? OPER_UNKNOWN : OPER_UP, mode = 0;
    const char *queue = i->index == INET_LO ? "noqueue" : "pfifo_fast";

    memset(&stats, 0, sizeof(stats));
    memset(&stats64, 0, sizeof(stats64));
    info.ifi_flags = i->flags | LOWER_UP;
    netlink_put(t, &info, sizeof(info));
    netlink_attribute(t, IFLA_IFNAME, i->name, (uint32_t)strlen(i->name) + 1);
    netlink_attribute32(t, IFLA_TXQLEN, 1000);
    netlink_attribute(t, IFLA_OPERSTATE, &state, sizeof(state));
    netlink_attribute(t, IFLA_LINKMODE, &mode, sizeof(mode));
    netlink_attribute32(t, IFLA_MTU, i->mtu);
    netlink_attribute32(t, IFLA_GROUP, 0);
    netlink_attribute(t, IFLA_QDISC, queue, (uint32_t)strlen(queue) + 1);
    netlink_attribute(t, IFLA_ADDRESS, i->mac, sizeof(i->mac));
    netlink_attribute(t, IFLA_BROADCAST, i->index == INET_LO ? zeros : all_ones, sizeof(zeros));
    netlink_attribute(t, IFLA_STATS64, &stats64, sizeof(stats64));
    netlink_attribute(t, IFLA_STATS, &stats, sizeof(stats));
    netlink_end(t, start);
}

static void put_address(struct netlink_text *t, const struct netlink_asker *who, uint16_t flags,
                        const struct inet_iface *i, const union ip *ip) {
    bool v4 = ip_is_v4(ip), lo = i->index == INET_LO;
    struct ifaddrmsg info = {.ifa_family = v4 ? AF_INET : AF_INET6,
                             .ifa_prefixlen = v4   ? i->prefix
                                              : lo ? 128
                                                   : 64,
                             .ifa_flags = IFA_F_PERMANENT,
                             .ifa_scope = lo                     ? RT_SCOPE_HOST
                                          : ip_is_link_local(ip) ? RT_SCOPE_LINK
                                                                 : RT_SCOPE_UNIVERSE,
                             .ifa_index = i->index};
    struct ifa_cacheinfo cache = {UINT32_MAX, UINT32_MAX, 0, 0};
    uint32_t start = netlink_begin(t, who, RTM_NEWADDR, flags);
    const void *bytes = v4 ? (const void *)&ip->w[3] : ip->b;
    uint32_t size = v4 ? 4 : 16;

    netlink_put(t, &info, sizeof(info));
    netlink_attribute(t, IFA_ADDRESS, bytes, size);
    if (v4) netlink_attribute(t, IFA_LOCAL, bytes, size);
    if (v4 && i->broadcast != 0) netlink_attribute32(t, IFA_BROADCAST, i->broadcast);
    if (v4) netlink_attribute(t, IFA_LABEL, i->name, (uint32_t)strlen(i->name) + 1);
    netlink_attribute32(t, IFA_FLAGS, IFA_F_PERMANENT);
    netlink_attribute(t, IFA_CACHEINFO, &cache, sizeof(cache));
    netlink_end(t, start);
}

struct route {
    uint8_t table, type, scope, prefix;
    union ip to;
    uint32_t gateway, source; /* IPv4, network byte order; 0: none */
    union ip gateway6;
    uint32_t index;
};

static void put_route(struct netlink_text *t, const struct netlink_asker *who, uint16_t flags,
                      const struct route *r) {
    bool v4 = ip_is_v4(&r->to);
    struct rtmsg info = {.rtm_family = v4 ? AF_INET : AF_INET6,
                         .rtm_dst_len = r->prefix,
                         .rtm_table = r->table,
                         .rtm_protocol = r->gateway != 0 ? RTPROT_BOOT : RTPROT_KERNEL,
                         .rtm_scope = r->scope,
                         .rtm_type = r->type};
    uint32_t start = netlink_begin(t, who, RTM_NEWROUTE, flags);

    netlink_put(t, &info, sizeof(info));
    netlink_attribute32(t, RTA_TABLE, r->table);
    if (r->prefix > 0)
        netlink_attribute(t, RTA_DST, v4 ? (const void *)&r->to.w[3] : r->to.b, v4 ? 4 : 16);
    if (r->source != 0) netlink_attribute32(t, RTA_PREFSRC, r->source);
    if (r->gateway != 0) netlink_attribute32(t, RTA_GATEWAY, r->gateway);
    if (!ip_is_any(&r->gateway6))
        netlink_attribute(t, RTA_GATEWAY, r->gateway6.b, sizeof(r->gateway6.b));
    netlink_attribute32(t, RTA_OIF, r->index);
    netlink_end(t, start);
}

/* The route that packets to an IPv4 address (network byte order) take; false: there is none. */
static bool route_to(uint32_t address, struct route *out) {
    union ip to = ip_from_v4(address);
    const struct inet_iface *eth = inet_iface(2);
    bool own = ip_is_local(&to);

    if (!own && eth == NULL) return false;
    *out = (struct route){.table = own ? RT_TABLE_LOCAL : RT_TABLE_MAIN,
                          .type = own ? RTN_LOCAL : RTN_UNICAST,
                          .scope = own ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
                          .prefix = 32,
                          .to = to,
                          .source = inet_source(&to).w[3],
                          .index = own ? INET_LO : eth->index};
    if (!own && ((address ^ eth->address) & inet_mask(eth->prefix)) != 0)
        out->gateway = inet_gateway();
    if (!own && (eth->address == 0 ||
                 (out->gateway == 0 && ((address ^ eth->address) & inet_mask(eth->prefix)) != 0)))
        return false;
    return true;
}

/* Those of IPv6: the networks of the interface's addresses, and the gateway that was given. */
static void put_routes6(struct netlink_text *t, const struct netlink_asker *who,
                        const struct inet_iface *eth) {
    struct route r = {.table = RT_TABLE_MAIN, .type = RTN_UNICAST, .index = eth->index};

    for (uint32_t i = 0; i < eth->count6; i++) {
        r.to = (union ip){{0}};
        memcpy(r.to.b, eth->addresses6[i].bytes, 8);
        r.prefix = 64;
        put_route(t, who, NLM_F_MULTI, &r);
    }
    memcpy(r.gateway6.b, hostnet_interface()->gateway6, sizeof(r.gateway6.b));
    if (ip_is_any(&r.gateway6)) return;
    r.to = ip_any6;
    r.prefix = 0;
    put_route(t, who, NLM_F_MULTI, &r);
}

static void put_routes(struct netlink_text *t, const struct netlink_asker *who, uint8_t family) {
    const struct inet_iface *eth = inet_iface(2);
    struct route r;

    if (family != AF_INET6 && eth != NULL && eth->address != 0) {
        r = (struct route){.table = RT_TABLE_MAIN,
                           .type = RTN_UNICAST,
                           .to = ip_any4,
                           .gateway = inet_gateway(),
                           .index = eth->index};
        if (r.gateway != 0) put_route(t, who, NLM_F_MULTI, &r);
        r = (struct route){.table = RT_TABLE_MAIN,
                           .type = RTN_UNICAST,
                           .scope = RT_SCOPE_LINK,
                           .prefix = eth->prefix,
                           .to = ip_from_v4(eth->address & inet_mask(eth->prefix)),
                           .source = eth->address,
                           .index = eth->index};
        put_route(t, who, NLM_F_MULTI, &r);
        r = (struct route){.table = RT_TABLE_LOCAL,
                           .type = RTN_LOCAL,
                           .scope = RT_SCOPE_HOST,
                           .prefix = 32,
                           .to = ip_from_v4(eth->address),
                           .source = eth->address,
                           .index = eth->index};
        put_route(t, who, NLM_F_MULTI, &r);
    }
    if (family != AF_INET6) {
        r = (struct route){.table = RT_TABLE_LOCAL,
                           .type = RTN_LOCAL,
                           .scope = RT_SCOPE_HOST,
                           .prefix = 8,
                           .to = ip_from_v4(0x0000007fu),
                           .source = ip_loopback4.w[3],
                           .index = INET_LO};
        put_route(t, who, NLM_F_MULTI, &r);
    }
    if (family != AF_INET) {
        r = (struct route){.table = RT_TABLE_LOCAL,
                           .type = RTN_LOCAL,
                           .prefix = 128,
                           .to = ip_loopback6,
                           .index = INET_LO};
        put_route(t, who, NLM_F_MULTI, &r);
        if (eth != NULL) put_routes6(t, who, eth);
    }
}

static void put_all(struct netlink_text *t, const struct netlink_asker *who, uint16_t type,
                    const struct filter *f) {
    bool links = f->family == AF_UNSPEC || f->family == AF_PACKET;

    for (uint32_t n = 1; n <= inet_iface_count(); n++) {
        const struct inet_iface *i = inet_iface(n);
        union ip v4 = ip_from_v4(i->address);

        if (f->index != 0 && f->index != n) continue;
        if (type == RTM_GETLINK && links) put_link(t, who, NLM_F_MULTI, i);
        if (type != RTM_GETADDR) continue;
        if (f->family != AF_INET6 && i->address != 0) put_address(t, who, NLM_F_MULTI, i, &v4);
        for (uint32_t k = 0; f->family != AF_INET && k < i->count6; k++) {
            union ip v6;

            memcpy(v6.b, i->addresses6[k].bytes, sizeof(v6.b));
            put_address(t, who, NLM_F_MULTI, i, &v6);
        }
        if (f->family != AF_INET && n == INET_LO)
            put_address(t, who, NLM_F_MULTI, i, &ip_loopback6);
    }
    if (type == RTM_GETROUTE) put_routes(t, who, f->family);
}

static int dump(struct netlink_text *t, const struct netlink_asker *who,
                const struct nlmsghdr *request) {
    struct filter f = {0};
    uint32_t start;
    int32_t ok = 0;

    if (request->nlmsg_len > sizeof(*request)) f.family = *(const uint8_t *)(request + 1);
    put_all(t, who, request->nlmsg_type, &f);
    start = netlink_begin(t, who, NLMSG_DONE, NLM_F_MULTI);
    netlink_put(t, &ok, sizeof(ok));
    netlink_end(t, start);
    return 0;
}

/* An attribute behind a header of `skip` bytes, or NULL. */
static const struct nlattr *find_attribute(const struct nlmsghdr *request, uint32_t skip,
                                           uint16_t type) {
    const uint8_t *at = (const uint8_t *)(request + 1) + skip;
    const uint8_t *end = (const uint8_t *)request + request->nlmsg_len;

    while (at < end && (size_t)(end - at) >= sizeof(struct nlattr)) {
        const struct nlattr *a = (const struct nlattr *)at;

        if (a->nla_len < sizeof(*a) || a->nla_len > end - at) return NULL;
        if (a->nla_type == type) return a;
        at += (a->nla_len + 3u) & ~3u;
    }
    return NULL;
}

static int one_link(struct netlink_text *t, const struct netlink_asker *who,
                    const struct nlmsghdr *request) {
    const struct ifinfomsg *info = (const struct ifinfomsg *)(request + 1);
    const struct inet_iface *i = NULL;
    const struct nlattr *a;
    char name[16] = {0};

    if (request->nlmsg_len < sizeof(*request) + sizeof(*info)) return -EINVAL;
    a = find_attribute(request, sizeof(*info), IFLA_IFNAME);
    if (info->ifi_index > 0) {
        i = inet_iface((uint32_t)info->ifi_index);
    } else if (a != NULL) {
        memcpy(name, a + 1, min(a->nla_len - sizeof(*a), sizeof(name) - 1));
        i = inet_iface_named(name);
    } else {
        return -EINVAL;
    }
    if (i == NULL) return -ENODEV;
    put_link(t, who, 0, i);
    return 0;
}

static int one_route(struct netlink_text *t, const struct netlink_asker *who,
                     const struct nlmsghdr *request) {
    const struct rtmsg *info = (const struct rtmsg *)(request + 1);
    const struct nlattr *a;
    struct route r;
    uint32_t to;

    if (request->nlmsg_len < sizeof(*request) + sizeof(*info)) return -EINVAL;
    if (info->rtm_family != AF_INET) return -ENETUNREACH;
    a = find_attribute(request, sizeof(*info), RTA_DST);
    if (a == NULL || a->nla_len < sizeof(*a) + sizeof(to)) return -EINVAL;
    memcpy(&to, a + 1, sizeof(to));
    if (!route_to(to, &r)) return -ENETUNREACH;
    put_route(t, who, 0, &r);
    return 0;
}

int netlink_route(struct netlink_text *t, const struct netlink_asker *who,
                  const struct nlmsghdr *request) {
    uint16_t type = request->nlmsg_type;

    if (type < RTM_BASE || type > RTM_MAX) return -EOPNOTSUPP;
    /* Four of each kind: new, delete, get, set. */
    if ((type - RTM_BASE) % 4 != 2) return -EPERM;
    if (request->nlmsg_len <= sizeof(*request)) return -EINVAL;
    if ((request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) return dump(t, who, request);
    if (type == RTM_GETLINK) return one_link(t, who, request);
    return type == RTM_GETROUTE ? one_route(t, who, request) : -EOPNOTSUPP;
}
