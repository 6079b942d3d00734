/* SPDX-License-Identifier: MIT */
/* Where a program in user mode may send to.  Owns the rules in force and what was said of them.
 *
 * The host's loopback is not the guest's: it is refused here whatever the guest's kernel does,
 * but for port 53 of resolvers that the host itself uses there. */
#include <loader/net_policy.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <loader/diag.h>

#define DNS_PORT 53
#define LOOPBACK_INDEX 1 /* the interface lo, in any network namespace */

static enum hc_net_mode mode;
static const struct net_rule *rules;
static size_t rule_count;
static struct net_addr resolvers[HC_NET_RESOLVERS];
static uint32_t resolver_count;
static bool said_loopback, said_blocked;

#define MAPPED_BITS 96 /* of an IPv6 address before the IPv4 one in it */
static const uint8_t mapped[MAPPED_BITS / 8] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void unmap(struct net_addr *a) {
    if (a->family != AF_INET6 || memcmp(a->bytes, mapped, sizeof(mapped)) != 0) return;
    a->family = AF_INET;
    memcpy(a->bytes, a->bytes + 12, 4);
    memset(a->bytes + 4, 0, sizeof(a->bytes) - 4);
}

bool net_addr_read(struct net_addr *out, const struct hc_net_addr *a) {
    sa_family_t family;
    if (a->len < sizeof(family) || a->len > sizeof(a->bytes)) return false;
    memcpy(&family, a->bytes, sizeof(family));
    *out = (struct net_addr){.family = family};
    if (family == AF_INET && a->len >= 8) {
        struct sockaddr_in in = {0};
        memcpy(&in, a->bytes, a->len < sizeof(in) ? a->len : sizeof(in));
        out->port = ntohs(in.sin_port);
        memcpy(out->bytes, &in.sin_addr, 4);
        return true;
    }
    if (family == AF_INET6 && a->len >= 24) {
        struct sockaddr_in6 in6 = {0};
        memcpy(&in6, a->bytes, a->len);
        out->port = ntohs(in6.sin6_port);
        out->scope = in6.sin6_scope_id;
        memcpy(out->bytes, &in6.sin6_addr, 16);
        unmap(out);
        return true;
    }
    return false;
}

socklen_t net_addr_sockaddr(const struct net_addr *a, int family, struct sockaddr_storage *out) {
    memset(out, 0, sizeof(*out));
    if (a->family == AF_INET && family != AF_INET6) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(a->port);
        memcpy(&in->sin_addr, a->bytes, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(a->port);
    in6->sin6_scope_id = a->scope;
    uint8_t *bytes = (uint8_t *)&in6->sin6_addr;
    if (a->family == AF_INET) {
        bool any = memcmp(a->bytes, bytes, 4) == 0; /* both wildcards */
        if (!any) memcpy(bytes, mapped, sizeof(mapped));
        memcpy(bytes + 12, a->bytes, 4);
    } else {
        memcpy(bytes, a->bytes, 16);
    }
    return sizeof(*in6);
}

static void write_in(struct hc_net_addr *out, const void *addr, in_port_t port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = port};
    if (addr != NULL) memcpy(&in.sin_addr, addr, 4);
    out->len = sizeof(in);
    memcpy(out->bytes, &in, sizeof(in));
}

void net_addr_write(struct hc_net_addr *out, const struct sockaddr_storage *a, int family,
                    uint16_t port) {
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    memset(out, 0, sizeof(*out));
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)a;
        in_port_t shown = port != 0 ? htons(port) : in->sin_port;
        if (family == AF_INET) return write_in(out, &in->sin_addr, shown);
        in6.sin6_port = shown;
        memcpy(&in6.sin6_addr, mapped, sizeof(mapped));
        memcpy((uint8_t *)&in6.sin6_addr + 12, &in->sin_addr, 4);
    } else if (a->ss_family == AF_INET6) {
        memcpy(&in6, a, sizeof(in6));
        if (port != 0) in6.sin6_port = htons(port);
        const uint8_t *bytes = (const uint8_t *)&in6.sin6_addr;
        bool is_mapped = memcmp(bytes, mapped, sizeof(mapped)) == 0;
        if (family == AF_INET) return write_in(out, is_mapped ? bytes + 12 : NULL, in6.sin6_port);
    } else {
        return;
    }
    out->len = sizeof(in6);
    memcpy(out->bytes, &in6, sizeof(in6));
}

bool net_addr_is_loopback(const struct net_addr *a) {
    static const uint8_t none[16], one[16] = {[15] = 1};
    if (a->family == AF_INET) return a->bytes[0] == 127 || memcmp(a->bytes, none, 4) == 0;
    /* Link-local addresses and groups may name an interface; and there is a scope of groups that do
     * not leave the machine. */
    bool local = (a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80) || a->bytes[0] == 0xff;
    if (local && (a->scope == LOOPBACK_INDEX || (a->bytes[0] == 0xff && (a->bytes[1] & 15) <= 1)))
        return true;
    return memcmp(a->bytes, one, 16) == 0 || memcmp(a->bytes, none, 16) == 0;
}

void net_policy_init(enum hc_net_mode m, const struct net_rule *r, size_t count) {
    mode = m;
    rules = r;
    rule_count = count;
}

static void add_resolver(const char *text, struct hc_net_addr out[]) {
    struct net_addr a = {.family = AF_INET, .port = DNS_PORT};
    struct sockaddr_storage s;
    if (inet_pton(AF_INET, text, a.bytes) != 1) {
        a.family = AF_INET6;
        if (inet_pton(AF_INET6, text, a.bytes) != 1) return;
    }
    if (!net_addr_is_loopback(&a) || resolver_count == HC_NET_RESOLVERS) return;
    net_addr_sockaddr(&a, a.family, &s);
    net_addr_write(&out[resolver_count], &s, a.family, 0);
    resolvers[resolver_count++] = a;
}

uint32_t net_policy_resolvers(struct hc_net_addr out[HC_NET_RESOLVERS]) {
    char line[256], address[64];
    FILE *f = mode == HC_NET_USER ? fopen("/etc/resolv.conf", "re") : NULL;
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, " nameserver %63s", address) == 1) add_resolver(address, out);
    if (f != NULL) fclose(f);
    return resolver_count;
}

static bool is_resolver(const struct net_addr *to) {
    for (uint32_t i = 0; i < resolver_count; i++) {
        const struct net_addr *r = &resolvers[i];
        if (r->family == to->family && to->port == DNS_PORT &&
            memcmp(r->bytes, to->bytes, r->family == AF_INET ? 4 : 16) == 0)
            return true;
    }
    return false;
}

static bool fits(const struct net_rule *r, const struct net_addr *to) {
    struct net_addr net = r->net;
    unsigned prefix = r->prefix;
    if (prefix >= MAPPED_BITS) unmap(&net); /* a rule may be written as ::ffff:10.0.0.0/104 */
    if (net.family != r->net.family) prefix -= MAPPED_BITS;
    if (net.family != to->family || (net.port != 0 && net.port != to->port)) return false;
    for (unsigned bit = 0; bit < prefix; bit += 8) {
        unsigned left = prefix - bit;
        uint8_t mask = left >= 8 ? 0xff : (uint8_t)(0xff << (8 - left));
        if ((net.bytes[bit / 8] ^ to->bytes[bit / 8]) & mask) return false;
    }
    return true;
}

/* NULL: allowed; else why not. */
static const char *blocked_by(const struct net_addr *to) {
    const char *blocked = NULL;
    for (size_t i = 0; i < rule_count; i++)
        if (rules[i].allow) blocked = "no --net-allow fits";
    for (size_t i = 0; i < rule_count; i++)
        if (fits(&rules[i], to)) blocked = rules[i].allow ? NULL : rules[i].text;
    return blocked;
}

static void describe(const struct net_addr *to, char *out, size_t size) {
    char text[INET6_ADDRSTRLEN] = "?";
    inet_ntop(to->family, to->bytes, text, sizeof(text));
    snprintf(out, size, to->family == AF_INET ? "%s:%u" : "[%s]:%u", text, to->port);
}

int net_policy_check(const struct net_addr *to) {
    char text[80];
    if (mode == HC_NET_HOST) return 0;
    if (mode != HC_NET_USER) return -ENETUNREACH;
    if (net_addr_is_loopback(to)) {
        if (is_resolver(to)) return 0;
        if (!said_loopback) warn_line("the host's loopback is not reachable with --net user");
        said_loopback = true;
        return -ECONNREFUSED;
    }
    const char *why = blocked_by(to);
    if (why == NULL) return 0;
    describe(to, text, sizeof(text));
    if (!said_blocked) warn_line("%s is blocked: %s (--net-allow, --net-block)", text, why);
    said_blocked = true;
    return -EACCES;
}
