/* SPDX-License-Identifier: MIT */
/* Addresses of the network, and where a program in user mode may send to. */
#ifndef LOADER_NET_POLICY_H
#define LOADER_NET_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <hermit/net.h>

struct net_addr {
    int family; /* AF_INET, AF_INET6, or AF_UNSPEC */
    uint8_t bytes[16];
    uint16_t port;  /* 0: none */
    uint32_t scope; /* IPv6: interface of a link-local address */
};

struct net_rule {
    const char *text; /* as given */
    bool allow;
    struct net_addr net;
    unsigned prefix; /* bits that must agree */
};

/* Reads a guest's address (already copied).  False: no internet address of that family. */
bool net_addr_read(struct net_addr *out, const struct hc_net_addr *a);
/* As a struct sockaddr_in or sockaddr_in6, for a socket of that family; the length. */
socklen_t net_addr_sockaddr(const struct net_addr *a, int family, struct sockaddr_storage *out);
/* A host address as the guest gets it: IPv4 as v4-mapped where its socket is AF_INET6, and the
 * other way round.  port != 0: shown in place of the address's own. */
void net_addr_write(struct hc_net_addr *out, const struct sockaddr_storage *a, int family,
                    uint16_t port);
bool net_addr_is_loopback(const struct net_addr *a);

/* The rules of user mode (borrowed), and the host's resolvers, which stay reachable at loopback
 * addresses. */
void net_policy_init(enum hc_net_mode mode, const struct net_rule *rules, size_t count);
/* Reads the host's resolv.conf: fills out with those resolvers; their number. */
uint32_t net_policy_resolvers(struct hc_net_addr out[HC_NET_RESOLVERS]);
/* May the guest send to this address?  0, or -errno; says so once for each reason. */
int net_policy_check(const struct net_addr *to);

#endif
