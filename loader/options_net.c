/* SPDX-License-Identifier: MIT */
/* The options about the network: --net, -p, --net-allow, --net-block.  Owns nothing. */
#include <loader/diag.h>
#include <loader/options.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define PORT_MAX 65535

/* A decimal number from 1 to 65535 that ends where `stop` says; NULL if it is none. */
static const char *read_port(const char *text, uint16_t *out) {
    size_t digits = strspn(text, "0123456789");
    unsigned long n = digits > 0 && digits <= 5 ? strtoul(text, NULL, 10) : 0;
    *out = (uint16_t)n;
    return n >= 1 && n <= PORT_MAX ? text + digits : NULL;
}

/* PORT or PORT-PORT. */
static const char *read_range(const char *text, uint16_t *first, uint16_t *last) {
    text = read_port(text, first);
    *last = *first;
    if (text != NULL && *text == '-') text = read_port(text + 1, last);
    return text != NULL && *first <= *last ? text : NULL;
}

/* An address of len bytes of text. */
static bool read_address(const char *text, size_t len, struct net_addr *out) {
    char copy[INET6_ADDRSTRLEN];
    if (len >= sizeof(copy)) return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    out->family = strchr(copy, ':') ? AF_INET6 : AF_INET;
    return inet_pton(out->family, copy, out->bytes) == 1;
}

/* "IP:", "[IP]:" or nothing before the host's port; NULL: malformed. */
static const char *read_publish_address(const char *text, struct net_addr *out) {
    *out = (struct net_addr){.family = AF_UNSPEC};
    if (*text == '[') {
        const char *end = strchr(text, ']');
        if (!end || end[1] != ':' || !read_address(text + 1, (size_t)(end - text - 1), out))
            return NULL;
        return end + 2;
    }
    size_t len = strcspn(text, ":");
    if (strchr(text, ':') == strrchr(text, ':')) return text; /* one colon: ports only */
    return read_address(text, len, out) ? text + len + 1 : NULL;
}

const char *parse_publish(const char *text, struct publish_option *out) {
    uint16_t guest_last;
    *out = (struct publish_option){.text = text};
    text = read_publish_address(text, &out->address);
    if (!text) return "not an address (such as 127.0.0.1 or [::1])";
    text = read_range(text, &out->first, &out->last);
    if (!text || *text != ':')
        return "not [IP:]HOST[-HOST]:GUEST[/udp], with ports from 1 to 65535";
    text = read_range(text + 1, &out->guest, &guest_last);
    if (text && strcmp(text, "/udp") == 0)
        out->udp = true;
    else if (!text || (*text && strcmp(text, "/tcp") != 0))
        return "not [IP:]HOST[-HOST]:GUEST[/udp], with ports from 1 to 65535";
    int count = out->last - out->first;
    if (guest_last != out->guest && guest_last - out->guest != count)
        return "the two ranges of ports are of different lengths";
    if (out->guest + count > PORT_MAX) return "the guest's ports end beyond 65535";
    return NULL;
}

static bool read_prefix(const char *text, size_t len, unsigned max, unsigned *out) {
    *out = max;
    if (len == 0) return true;
    if (*text != '/' || len < 2 || len > 4 || strspn(text + 1, "0123456789") != len - 1)
        return false;
    *out = (unsigned)strtoul(text + 1, NULL, 10);
    return *out <= max;
}

/* A.B.C.D[/N][:PORT], IPV6[/N] or [IPV6[/N]][:PORT]. */
const char *parse_net_rule(const char *text, struct net_rule *out) {
    static const char malformed[] = "not an address with a prefix and perhaps a port (such as "
                                    "10.0.0.0/8, 10.1.2.3:443 or [fd00::/8]:53)";
    const char *end, *port = NULL;
    *out = (struct net_rule){.text = text};
    if (*text == '[') {
        end = strchr(++text, ']');
        if (!end || (end[1] && end[1] != ':')) return malformed;
        if (end[1]) port = end + 2;
    } else {
        end = strchr(text, ':');
        if (!end || strchr(end + 1, ':'))
            end = text + strlen(text); /* without a port, or IPv6 */
        else
            port = end + 1;
    }
    size_t len = strcspn(text, "/");
    if (len > (size_t)(end - text)) len = (size_t)(end - text);
    if (!read_address(text, len, &out->net)) return malformed;
    unsigned bits = out->net.family == AF_INET ? 32 : 128;
    if (!read_prefix(text + len, (size_t)(end - text) - len, bits, &out->prefix)) return malformed;
    if (port) {
        end = read_port(port, &out->net.port);
        if (!end || *end) return malformed;
    }
    return NULL;
}

void options_set_net(struct options *o, const char *text) {
    if (strcmp(text, "none") == 0)
        o->net = HC_NET_NONE;
    else if (strcmp(text, "user") == 0)
        o->net = HC_NET_USER;
    else if (strcmp(text, "host") == 0)
        o->net = HC_NET_HOST;
    else if (strncmp(text, "tap:", 4) == 0)
        options_set_tap(o, text);
    else
        die(EXIT_HERMIT, "--net %s: not one of none, user, host, tap:INTERFACE", text);
    o->net_given = true;
}

static void *grow(void *list, size_t count, size_t size) {
    void *p = realloc(list, (count + 1) * size);
    if (!p) die(EXIT_HERMIT, "out of memory");
    return p;
}

void options_add_publish(struct options *o, const char *text) {
    struct publish_option publish;
    const char *error = parse_publish(text, &publish);
    if (error) die(EXIT_HERMIT, "--publish %s: %s", text, error);
    o->publish = grow(o->publish, o->publish_count, sizeof(publish));
    o->publish[o->publish_count++] = publish;
}

void options_add_net_rule(struct options *o, const char *text, bool allow) {
    struct net_rule rule;
    const char *error = parse_net_rule(text, &rule);
    if (error) die(EXIT_HERMIT, "--net-%s %s: %s", allow ? "allow" : "block", text, error);
    rule.allow = allow;
    o->net_rules = grow(o->net_rules, o->net_rule_count, sizeof(rule));
    o->net_rules[o->net_rule_count++] = rule;
}

void options_finish_net(struct options *o) {
    if (o->publish_count && !o->net_given) o->net = HC_NET_USER;
    if (o->publish_count && o->net != HC_NET_USER)
        die(EXIT_HERMIT, "--publish needs --net user, and not --net %s",
            o->net == HC_NET_HOST  ? "host, where the program's ports are the host's"
            : o->net == HC_NET_TAP ? "tap, where the guest has an address of its own"
                                   : "none");
    if (o->net_rule_count && !o->net_given && !o->publish_count) o->net = HC_NET_USER;
    if (o->net_rule_count && o->net != HC_NET_USER)
        die(EXIT_HERMIT, "--net-allow and --net-block need --net user");
    options_finish_tap(o);
}
