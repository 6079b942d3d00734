/* SPDX-License-Identifier: MIT */
/* The options about the guest's own interface: --net tap:IF, --ip, --gateway, --mac, --dns.  Owns
 * nothing. */
#include <loader/diag.h>
#include <loader/options.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

static bool read_v4(const char *text, uint32_t *out) {
    struct in_addr a;
    if (inet_pton(AF_INET, text, &a) != 1 || a.s_addr == 0) return false;
    *out = a.s_addr;
    return true;
}

/* An address that one interface can have: not a group's, loopback or the broadcast's. */
static bool is_unicast(uint32_t address) {
    uint32_t first = ntohl(address) >> 24;
    return first != 0 && first != 127 && first < 224;
}

/* Not a group's, loopback, IPv4's or link-local: the latter the interface has anyway. */
static bool is_unicast6(const struct in6_addr *a) {
    return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_LOOPBACK(a) && !IN6_IS_ADDR_MULTICAST(a) &&
           !IN6_IS_ADDR_V4MAPPED(a) && !IN6_IS_ADDR_LINKLOCAL(a);
}

static const char *parse_address6(const char *text, struct hc_tap_config *out) {
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr a;
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof(copy) || strcmp(slash, "/64") != 0)
        return "not an IPv6 address with a prefix of 64 bits (such as fd00::10/64)";
    memcpy(copy, text, (size_t)(slash - text));
    copy[slash - text] = '\0';
    if (inet_pton(AF_INET6, copy, &a) != 1) return "not an IPv6 address";
    if (!is_unicast6(&a)) return "not the address of one host";
    memcpy(out->address6, &a, sizeof(out->address6));
    return NULL;
}

const char *parse_interface_address(const char *text, struct hc_tap_config *out) {
    static const char malformed[] =
        "not an IPv4 address with the length of its network's prefix (such as 192.168.1.10/24)";
    if (strchr(text, ':')) return parse_address6(text, out);
    char copy[INET_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof(copy)) return malformed;
    memcpy(copy, text, (size_t)(slash - text));
    copy[slash - text] = '\0';
    size_t digits = strspn(slash + 1, "0123456789");
    if (digits == 0 || digits > 2 || slash[1 + digits] || !read_v4(copy, &out->address))
        return malformed;
    unsigned long prefix = strtoul(slash + 1, NULL, 10);
    if (prefix == 0 || prefix > 32) return malformed;
    uint32_t host = prefix == 32 ? 0 : ntohl(out->address) & (~0u >> prefix);
    if (!is_unicast(out->address) || (prefix < 31 && (host == 0 || host == ~0u >> prefix)))
        return "not the address of one host";
    out->prefix = (uint8_t)prefix;
    return NULL;
}

const char *parse_mac(const char *text, uint8_t out[6]) {
    static const char malformed[] = "not an Ethernet address (such as 52:54:00:12:34:56)";
    for (int i = 0; i < 6; i++) {
        if (strspn(text, "0123456789abcdefABCDEF") != 2) return malformed;
        out[i] = (uint8_t)strtoul((char[]){text[0], text[1], '\0'}, NULL, 16);
        if (text[2] != (i < 5 ? ':' : '\0')) return malformed;
        text += 3;
    }
    return out[0] & 1 ? "a group's address, not an interface's" : NULL;
}

void options_set_tap(struct options *o, const char *text) {
    const char *name = text + strlen("tap:");
    if (*name == '\0' || strlen(name) >= IF_NAMESIZE || strpbrk(name, "/ \t\n%") ||
        strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        die(EXIT_HERMIT, "--net %s: not the name of an interface", text);
    o->net = HC_NET_TAP;
    o->tap = name;
}

void options_set_ip(struct options *o, const char *text) {
    const char *error = parse_interface_address(text, &o->tap_config);
    if (error) die(EXIT_HERMIT, "--ip %s: %s", text, error);
    o->tap_given = true;
}

static void set_gateway6(struct options *o, const char *text) {
    struct in6_addr a;
    bool neighbour = inet_pton(AF_INET6, text, &a) == 1 && IN6_IS_ADDR_LINKLOCAL(&a);
    if (inet_pton(AF_INET6, text, &a) != 1 || (!neighbour && !is_unicast6(&a)))
        die(EXIT_HERMIT, "--gateway %s: not the IPv6 address of a host", text);
    memcpy(o->tap_config.gateway6, &a, sizeof(o->tap_config.gateway6));
    o->tap_given = true;
}

void options_set_gateway(struct options *o, const char *text) {
    if (strchr(text, ':')) return set_gateway6(o, text);
    if (!read_v4(text, &o->tap_config.gateway) || !is_unicast(o->tap_config.gateway))
        die(EXIT_HERMIT, "--gateway %s: not the IPv4 address of a host", text);
    o->tap_given = true;
}

void options_set_mac(struct options *o, const char *text) {
    const char *error = parse_mac(text, o->tap_config.mac);
    if (error) die(EXIT_HERMIT, "--mac %s: %s", text, error);
    o->tap_given = true;
}

void options_add_dns(struct options *o, const char *text) {
    uint32_t *list = o->tap_config.resolvers, n = 0;
    while (n < HC_TAP_RESOLVERS && list[n] != 0)
        n++;
    if (n == HC_TAP_RESOLVERS)
        die(EXIT_HERMIT, "--dns %s: there can be %u at most", text, HC_TAP_RESOLVERS);
    if (!read_v4(text, &list[n]) || !is_unicast(list[n]))
        die(EXIT_HERMIT, "--dns %s: not the IPv4 address of a host", text);
    o->tap_given = true;
}

void options_finish_tap(const struct options *o) {
    const struct hc_tap_config *c = &o->tap_config;
    if (o->tap_given && o->net != HC_NET_TAP)
        die(EXIT_HERMIT, "--ip, --gateway, --mac and --dns need --net tap:INTERFACE");
    struct in6_addr gateway6;
    memcpy(&gateway6, c->gateway6, sizeof(gateway6));
    if (is_unicast6(&gateway6) && memcmp(c->gateway6, c->address6, 8) != 0)
        die(EXIT_HERMIT, "--gateway: not a neighbour in the IPv6 network that --ip names");
    if (c->gateway == 0 || c->address == 0) return;
    uint32_t differ = ntohl(c->gateway) ^ ntohl(c->address);
    if (differ == 0 || (c->prefix < 32 ? differ >> (32 - c->prefix) : differ) != 0)
        die(EXIT_HERMIT, "--gateway: not a neighbour in the network that --ip names");
}
