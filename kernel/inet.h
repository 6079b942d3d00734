/* SPDX-License-Identifier: MIT */
/* Private to inet_*.c, netlink_*.c and procfs_inet.c: sockets of AF_INET and AF_INET6. ip(7),
 * ipv6(7), tcp(7), udp(7).
 *
 * Sockets whose peer is in the guest meet in its memory: bytes of a stream and datagrams go
 * straight into the receiver's queue.  What leaves the guest goes through a socket of the host
 * (kernel/hostnet.h).  Every address is kept as an IPv6 one, IPv4 as ::ffff:a.b.c.d. */
#ifndef INET_H
#define INET_H

#include <bsd/sys/queue.h>
#include <kernel/hostnet.h>
#include <kernel/ktimer.h>

union ip { /* network byte order */
    uint8_t b[16];
    uint32_t w[4];
    uint64_t q[2];
};

struct inet_end {
    union ip ip;
    uint32_t scope; /* index of the interface of a link-local address */
    uint16_t port;  /* host byte order; 0: none */
};

static inline uint16_t net16(uint16_t v) { return __builtin_bswap16(v); }
static inline uint32_t net32(uint32_t v) { return __builtin_bswap32(v); }

/* Who holds a port: a socket, or a connection that ended a while ago. */
struct inet_holder {
    struct inet_port *port; /* NULL: holds none */
    TAILQ_ENTRY(inet_holder) link;
    struct inet_end local, peer;
    struct inet_sock *sock; /* NULL: TIME_WAIT, with the switches that the socket had */
    bool reuse_addr, reuse_port;
};

/* The ports of one protocol. */
struct inet_port_table;
extern struct inet_port_table inet_tcp_ports, inet_udp_ports, inet_udplite_ports, inet_ping_ports;

struct inet_group; /* a multicast group that a socket is in */

struct inet_sock {
    struct socket sock; /* first */
    struct inet_holder at;
    TAILQ_ENTRY(inet_sock) all_link; /* for /proc/net */
    struct inet_port_table *ports;
    struct hostnet *host;      /* owned; NULL: only the guest */
    int32_t *options;          /* owned; NULL: all have their defaults */
    struct inet_group *groups; /* owned */
    uint32_t device;           /* SO_BINDTODEVICE: index of an interface, 0: any */
    bool addr_locked;          /* bind(2) chose the address */
    bool port_locked;          /* likewise the port */
    bool v6only;
};
TAILQ_HEAD(inet_socks, inet_sock);
extern struct inet_socks inet_all;

static inline struct inet_sock *inet_of(struct socket *s) { return (struct inet_sock *)s; }

/* inet_addr.c */
extern const union ip ip_any4, ip_any6, ip_loopback4, ip_loopback6;
static inline bool ip_equal(const union ip *a, const union ip *b) {
    return a->q[0] == b->q[0] && a->q[1] == b->q[1];
}
bool ip_is_v4(const union ip *ip);
bool ip_is_any(const union ip *ip);
bool ip_is_loopback(const union ip *ip);
bool ip_is_multicast(const union ip *ip);
bool ip_is_broadcast(const union ip *ip);
bool ip_is_link_local(const union ip *ip); /* fe80::/10 */
/* An address of the guest itself. */
bool ip_is_local(const union ip *ip);
/* Does what is sent there leave the guest?  Loopback stays inside, but for the host's own resolver,
 * and in host mode, where it is the host's unless somebody inside has the port. */
bool inet_leaves(const struct inet_end *to, bool somebody_inside);
union ip ip_from_v4(uint32_t address);
/* What connect(2) and sendto(2) are given, for a socket of this family: -EINVAL,
 * -EAFNOSUPPORT. */
int inet_end_get(const struct inet_sock *s, const struct sock_addr *addr, struct inet_end *out);
void inet_end_put(int family, const struct inet_end *end, struct sock_addr *out);
/* The address that packets to `to` come from. */
union ip inet_source(const union ip *to);
/* Says once which flag would let the program out. */
void inet_refused(const struct inet_end *to);

/* Interfaces: lo and, with a network, eth0. */
struct inet_iface {
    const char *name;
    uint32_t index, flags, mtu;
    uint16_t type; /* ARPHRD_* */
    uint8_t mac[6];
    uint32_t address, broadcast; /* IPv4, network byte order; broadcast 0: none */
    uint8_t prefix;              /* bits */
    const struct hostnet_address6
        *addresses6; /* with prefixes of 64 bits; lo's is not among them */
    uint32_t count6;
};
#define INET_LO 1u
uint32_t inet_iface_count(void);
const struct inet_iface *inet_iface(uint32_t index);         /* 1 to the count; else NULL */
const struct inet_iface *inet_iface_named(const char *name); /* or NULL */
/* The interface that packets to or from an address of the guest use. */
const struct inet_iface *inet_iface_of(const union ip *ip);
/* Network byte order; 0: there is none. */
uint32_t inet_gateway(void);
uint32_t inet_mask(uint8_t prefix);
/* Are the ports the guest's own, and none of the host's? */
static inline bool inet_own_ports(void) {
    return hostnet_mode() == HOSTNET_USER || hostnet_mode() == HOSTNET_TAP;
}

/* inet_port.c */
#define INET_EPHEMERAL_FIRST 32768u
#define INET_EPHEMERAL_LAST 60999u
/* Gives s the port (0: a free one) at s->at.local.ip.  -EADDRINUSE, -ENOMEM. */
int inet_port_bind(struct inet_sock *s, uint16_t port);
/* The same for a socket of TCP that connects to s->at.peer: -EADDRNOTAVAIL. */
int inet_port_connect(struct inet_sock *s);
/* Makes h share the port of `with`: a connection of a listening socket, or what stays of one. */
void inet_port_join(struct inet_holder *h, struct inet_holder *with);
void inet_port_release(struct inet_holder *h);
/* Two sockets may not both listen here: -EADDRINUSE. */
int inet_port_recheck(struct inet_sock *s);
/* Listening sockets come first, so that they are found among their connections. */
void inet_port_front(struct inet_holder *h);
/* All holders of a port, in order; NULL: no more. */
struct inet_holder *inet_port_first(struct inet_port_table *t, uint16_t port);
static inline struct inet_holder *inet_port_next(struct inet_holder *h) {
    return TAILQ_NEXT(h, link);
}
/* How well a socket is meant by a packet from one end to another; -1: not at all. */
int inet_match(const struct inet_holder *h, const struct inet_end *to, const struct inet_end *from,
               uint32_t device);

/* inet_socket.c */
/* The common part of a zeroed socket. */
void inet_init(struct inet_sock *s, const struct socket_ops *ops, int family, int type,
               int protocol, struct inet_port_table *ports);
/* Lets go of all that a socket has; the memory stays. */
void inet_destroy(struct inet_sock *s);
int inet_bind(struct socket *s, const struct sock_addr *addr);
int inet_getname(struct socket *s, bool peer, struct sock_addr *out);
/* Forgets the peer, and what connect(2) chose. */
void inet_unconnect(struct inet_sock *s);

/* inet_option.c: IP and IPv6 level, and what SOL_SOCKET leaves to the family. */
enum inet_option_slot {
    OPT_TOS,
    OPT_TTL,
    OPT_MC_TTL,
    OPT_MC_LOOP,
    OPT_MC_ALL,
    OPT_MC_IF,
    OPT_MTU_DISCOVER,
    OPT_RECVERR,
    OPT_PKTINFO,
    OPT_RECVTTL,
    OPT_RECVTOS,
    OPT_RECVORIGDST,
    OPT_FREEBIND,
    OPT_TRANSPARENT,
    OPT_NO_PORT,
    OPT_MINTTL,
    OPT_OTHER_FIRST,
    OPT_OTHER_LAST = OPT_OTHER_FIRST + 3,
    OPT6_TCLASS,
    OPT6_HOPS,
    OPT6_MC_HOPS,
    OPT6_MC_LOOP,
    OPT6_MC_ALL,
    OPT6_MC_IF,
    OPT6_MTU_DISCOVER,
    OPT6_RECVERR,
    OPT6_PKTINFO,
    OPT6_RECVHOPS,
    OPT6_RECVTCLASS,
    OPT6_OTHER_FIRST,
    OPT6_OTHER_LAST = OPT6_OTHER_FIRST + 5,
    OPT_TCP_FIRST, /* inet_tcp_option.c */
    OPT_TCP_NODELAY = OPT_TCP_FIRST,
    OPT_TCP_CORK,
    OPT_TCP_KEEPIDLE,
    OPT_TCP_KEEPINTVL,
    OPT_TCP_KEEPCNT,
    OPT_TCP_SYNCNT,
    OPT_TCP_LINGER2,
    OPT_TCP_DEFER_ACCEPT,
    OPT_TCP_WINDOW_CLAMP,
    OPT_TCP_QUICKACK,
    OPT_TCP_USER_TIMEOUT,
    OPT_TCP_FASTOPEN,
    OPT_TCP_FASTOPEN_CONNECT,
    OPT_TCP_NOTSENT_LOWAT,
    OPT_TCP_MAXSEG,
    OPT_TCP_INQ,
    OPT_TCP_OTHER_FIRST,
    OPT_TCP_OTHER_LAST = OPT_TCP_OTHER_FIRST + 3,
    OPT_UDP_SEGMENT,
    OPT_UDP_GRO,
    OPT_LITE_SEND,
    OPT_LITE_RECV,
    OPT_COUNT
};
/* A row of a table of options that are numbers. */
struct inet_option {
    uint8_t name, slot;
    int32_t least, most, standard; /* least > most: on or off */
};
int32_t inet_option_get(const struct inet_sock *s, uint32_t slot, int32_t standard);
/* Has the program ever set it? */
bool inet_option_is_set(const struct inet_sock *s, uint32_t slot);
/* -ENOMEM */
int inet_option_put(struct inet_sock *s, uint32_t slot, int32_t value);
static inline bool inet_option_on(const struct inet_sock *s, uint32_t slot) {
    return s->options != NULL && inet_option_get(s, slot, 0) != 0;
}
const struct inet_option *inet_option_find(const struct inet_option *table, size_t count, int name);
int inet_option_set_row(struct inet_sock *s, const struct inet_option *o, int32_t value);
/* Reads an option's number as Linux does: an int, or a byte where there is room for no more. */
int inet_option_number(gva_t value, uint32_t len, bool byte, int32_t *out);
int inet_option_answer(gva_t value, uint32_t *len, int32_t number);
/* setopt and getopt of the levels that every internet socket has. */
int inet_setopt(struct socket *s, int level, int name, gva_t value, uint32_t len);
int inet_getopt(struct socket *s, int level, int name, gva_t value, uint32_t *len);
/* Copies the options of a listening socket to a connection. */
void inet_option_inherit(struct inet_sock *s, const struct inet_sock *from);

/* inet_group.c: multicast. */
int inet_group_option(struct inet_sock *s, int level, int name, gva_t value, uint32_t len);
/* 0: not an option of groups. */
bool inet_group_is_option(int level, int name);
bool inet_group_wants(const struct inet_sock *s, const union ip *group, const union ip *source);
void inet_group_leave_all(struct inet_sock *s);

/* inet_tcp.c ff. */
int inet_tcp_create(int family, int protocol, struct socket **out);
/* Is it a connection, as Linux's ESTABLISHED?  s is of TCP. */
bool tcp_is_established(const struct inet_sock *s);
/* inet_udp.c, inet_ping.c */
int inet_udp_create(int family, int protocol, struct socket **out);
int inet_ping_create(int family, int protocol, struct socket **out);

/* For /proc/net: state as in Linux's enum, bytes that wait to be sent and read. */
struct inet_shown {
    uint32_t state, send_queue, recv_queue;
};
void inet_tcp_show(const struct inet_sock *s, struct inet_shown *out);
void inet_udp_show(const struct inet_sock *s, struct inet_shown *out);

#endif
