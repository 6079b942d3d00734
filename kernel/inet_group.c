/* SPDX-License-Identifier: MIT */
/* Multicast groups that sockets are in.  Owns the memberships, which hang on their sockets. */
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "inet.h"

#define MOST_SOURCES 10u /* net.ipv4.igmp_max_msf */
#define MOST_GROUPS 20u  /* net.ipv4.igmp_max_memberships */

struct inet_group {
    struct inet_group *next;
    union ip ip;
    uint32_t iface;
    bool include; /* only from the sources; else from all others */
    uint32_t count;
    union ip sources[MOST_SOURCES];
};

/* What an option asks for, whichever of the structures it comes in. */
struct request {
    enum { JOIN, LEAVE, BLOCK, UNBLOCK, JOIN_SOURCE, LEAVE_SOURCE } what;
    union ip group, source;
    uint32_t iface; /* 0: any */
};

static const struct {
    uint8_t name, what;
} v4_names[] = {{IP_ADD_MEMBERSHIP, JOIN},
                {IP_DROP_MEMBERSHIP, LEAVE},
                {IP_BLOCK_SOURCE, BLOCK},
                {IP_UNBLOCK_SOURCE, UNBLOCK},
                {IP_ADD_SOURCE_MEMBERSHIP, JOIN_SOURCE},
                {IP_DROP_SOURCE_MEMBERSHIP, LEAVE_SOURCE}},
  any_names[] = {{MCAST_JOIN_GROUP, JOIN},
                 {MCAST_LEAVE_GROUP, LEAVE},
                 {MCAST_BLOCK_SOURCE, BLOCK},
                 {MCAST_UNBLOCK_SOURCE, UNBLOCK},
                 {MCAST_JOIN_SOURCE_GROUP, JOIN_SOURCE},
                 {MCAST_LEAVE_SOURCE_GROUP, LEAVE_SOURCE}};

static int find_name(int level, int name, bool *generic) {
    for (size_t i = 0; i < ARRAY_LEN(any_names); i++) {
        *generic = true;
        if (any_names[i].name == name) return any_names[i].what;
        *generic = false;
        if (level == IPPROTO_IP && v4_names[i].name == name) return v4_names[i].what;
    }
    if (level == IPPROTO_IPV6 && name == IPV6_ADD_MEMBERSHIP) return JOIN;
    if (level == IPPROTO_IPV6 && name == IPV6_DROP_MEMBERSHIP) return LEAVE;
    return -1;
}

bool inet_group_is_option(int level, int name) {
    bool generic;

    return find_name(level, name, &generic) >= 0;
}

/* An address in a sockaddr_storage. */
static int storage_ip(int level, const void *storage, union ip *ip) {
    struct sock_addr a = {.len = SOCK_ADDR_MAX};

    memcpy(a.bytes, storage, SOCK_ADDR_MAX);
    if (level == IPPROTO_IP) {
        if (a.family != AF_INET) return -EINVAL;
        *ip = ip_from_v4(a.in.sin_addr.s_addr);
    } else {
        if (a.family != AF_INET6) return -EADDRNOTAVAIL;
        memcpy(ip->b, &a.in6.sin6_addr, sizeof(ip->b));
    }
    return 0;
}

static int get_generic(struct request *q, int level, gva_t value, uint32_t len) {
    struct group_source_req r;
    bool sources = q->what != JOIN && q->what != LEAVE;
    uint32_t size = sources ? sizeof(r) : sizeof(struct group_req);
    int err;

    if (len < size) return -EINVAL;
    memset(&r, 0, sizeof(r));
    if (copy_from_user(&r, value, size)) return -EFAULT;
    q->iface = r.gsr_interface;
    err = storage_ip(level, &r.gsr_group, &q->group);
    if (err == 0 && sources) err = storage_ip(level, &r.gsr_source, &q->source);
    return err;
}

/* The interface with this address (0: any): its index or -ENODEV. */
static int iface_by_address(uint32_t address, uint32_t *index) {
    union ip ip = ip_from_v4(address);

    *index = 0;
    if (address == INADDR_ANY) return 0;
    if (!ip_is_local(&ip)) return -ENODEV;
    *index = ip_is_loopback(&ip) ? 1 : 2;
    return 0;
}

static int get_v4(struct request *q, gva_t value, uint32_t len) {
    struct ip_mreq_source source;
    struct ip_mreqn r = {.imr_ifindex = 0};

    if (q->what != JOIN && q->what != LEAVE) {
        if (len != sizeof(source)) return -EINVAL;
        if (get_user(source, value)) return -EFAULT;
        q->group = ip_from_v4(source.imr_multiaddr);
        q->source = ip_from_v4(source.imr_sourceaddr);
        return iface_by_address(source.imr_interface, &q->iface);
    }
    if (len < sizeof(struct ip_mreq)) return -EINVAL;
    if (copy_from_user(&r, value, len >= sizeof(r) ? sizeof(r) : sizeof(struct ip_mreq)))
        return -EFAULT;
    q->group = ip_from_v4(r.imr_multiaddr.s_addr);
    q->iface = (uint32_t)r.imr_ifindex;
    if (r.imr_ifindex != 0) return 0;
    return iface_by_address(r.imr_address.s_addr, &q->iface);
}

static int get_v6(struct request *q, gva_t value, uint32_t len) {
    struct ipv6_mreq r;

    if (len < sizeof(r)) return -EINVAL;
    if (get_user(r, value)) return -EFAULT;
    memcpy(q->group.b, &r.ipv6mr_multiaddr, sizeof(q->group.b));
    q->iface = (uint32_t)r.ipv6mr_ifindex;
    return 0;
}

static struct inet_group **find(struct inet_sock *s, const union ip *ip, uint32_t iface) {
    struct inet_group **at = &s->groups;

    while (*at != NULL && !(ip_equal(&(*at)->ip, ip) && (iface == 0 || (*at)->iface == iface)))
        at = &(*at)->next;
    return at;
}

static int join(struct inet_sock *s, const struct request *q, bool include) {
    struct inet_group *g;
    uint32_t n = 0;

    if (*find(s, &q->group, q->iface) != NULL) return -EADDRINUSE;
    for (g = s->groups; g != NULL; g = g->next)
        n++;
    if (n >= MOST_GROUPS) return -ENOBUFS;
    g = kzalloc(sizeof(*g));
    if (g == NULL) return -ENOBUFS;
    g->ip = q->group;
    g->iface = q->iface != 0 ? q->iface : inet_iface_count();
    g->include = include;
    g->next = s->groups;
    s->groups = g;
    if (g->iface != INET_LO) hostnet_group(g->ip.b, true);
    return 0;
}

static int leave(struct inet_sock *s, const struct request *q) {
    struct inet_group **at = find(s, &q->group, q->iface), *g = *at;

    if (g == NULL) return -EADDRNOTAVAIL;
    *at = g->next;
    if (g->iface != INET_LO) hostnet_group(g->ip.b, false);
    kfree(g);
    return 0;
}

static int add_source(struct inet_group *g, const union ip *source) {
    for (uint32_t i = 0; i < g->count; i++)
        if (ip_equal(&g->sources[i], source)) return -EADDRNOTAVAIL;
    if (g->count == MOST_SOURCES) return -ENOBUFS;
    g->sources[g->count++] = *source;
    return 0;
}

static int remove_source(struct inet_group *g, const union ip *source) {
    for (uint32_t i = 0; i < g->count; i++) {
        if (!ip_equal(&g->sources[i], source)) continue;
        g->sources[i] = g->sources[--g->count];
        return 0;
    }
    return -EADDRNOTAVAIL;
}

static int change_sources(struct inet_sock *s, const struct request *q) {
    bool include = q->what == JOIN_SOURCE || q->what == LEAVE_SOURCE;
    struct inet_group *g;
    int r;

    if (q->what == JOIN_SOURCE) {
        r = join(s, q, true);
        if (r && r != -EADDRINUSE) return r;
    }
    g = *find(s, &q->group, q->iface);
    if (g == NULL) return -EINVAL;
    if (g->include != include) {
        if (g->count > 0) return -EINVAL;
        g->include = include;
    }
    if (q->what == JOIN_SOURCE || q->what == BLOCK) return add_source(g, &q->source);
    r = remove_source(g, &q->source);
    /* The last source takes the membership along. */
    if (r == 0 && include && g->count == 0) return leave(s, q);
    return r;
}

int inet_group_option(struct inet_sock *s, int level, int name, gva_t value, uint32_t len) {
    bool generic;
    int what = find_name(level, name, &generic), r;
    struct request q = {.what = (unsigned)what};

    if (s->sock.type == SOCK_STREAM) return -EPROTO;
    if (generic)
        r = get_generic(&q, level, value, len);
    else
        r = level == IPPROTO_IP ? get_v4(&q, value, len) : get_v6(&q, value, len);
    if (r) return r;
    if (!ip_is_multicast(&q.group) || ip_is_v4(&q.group) != (level == IPPROTO_IP)) return -EINVAL;
    if (q.iface != 0 && inet_iface(q.iface) == NULL) return -ENODEV;
    if (what == JOIN) return join(s, &q, false);
    return what == LEAVE ? leave(s, &q) : change_sources(s, &q);
}

static bool anybody_in(const union ip *group) {
    struct inet_sock *s;

    TAILQ_FOREACH(s, &inet_all, all_link) {
        if (*find(s, group, 0) != NULL) return true;
    }
    return false;
}

bool inet_group_wants(const struct inet_sock *s, const union ip *group, const union ip *source) {
    const struct inet_group *g = *find((struct inet_sock *)s, group, 0);

    if (g == NULL)
        return inet_option_get(s, ip_is_v4(group) ? OPT_MC_ALL : OPT6_MC_ALL, 1) &&
               anybody_in(group);
    for (uint32_t i = 0; i < g->count; i++)
        if (ip_equal(&g->sources[i], source)) return g->include;
    return !g->include;
}

bool hostnet_wants(struct waitq *q, const uint8_t group[16], const uint8_t from[16]) {
    const struct socket *s = container_of(q, struct socket, waitq);
    union ip to, source;

    memcpy(to.b, group, sizeof(to.b));
    memcpy(source.b, from, sizeof(source.b));
    return inet_group_wants((const struct inet_sock *)s, &to, &source);
}

void inet_group_leave_all(struct inet_sock *s) {
    struct inet_group *g;

    while ((g = s->groups) != NULL) {
        s->groups = g->next;
        if (g->iface != INET_LO) hostnet_group(g->ip.b, false);
        kfree(g);
    }
}
