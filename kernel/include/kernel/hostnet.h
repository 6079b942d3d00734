/* SPDX-License-Identifier: MIT */
/* Sockets of the host, for the guest's internet sockets: what leaves the machine.  With --net tap
 * those of a TCP/IP stack of the guest's own at a network device.
 *
 * An internet socket (kernel/inet.h) owns its struct hostnet and frees it with hostnet_close().
 * Addresses are struct sockaddr_in and sockaddr_in6 as programs write them; a v4-mapped address
 * is given to an AF_INET host socket by its IPv4 address, so both sides see sockaddr_in there.
 *
 * All calls return at once: >= 0 or -errno, -EAGAIN where the host socket would block and
 * -EINPROGRESS where a connection is on its way.  None of them waits (gives up the kernel lock). */
#ifndef KERNEL_HOSTNET_H
#define KERNEL_HOSTNET_H

#include <kernel/socket.h>

struct hostnet;

/* What is known of a datagram besides its data and its sender, as far as the socket was told to
 * tell (IP_PKTINFO, IP_RECVTTL, ...).  In user mode it has come to the guest's own address. */
struct hostnet_arrival {
    bool has_to, has_ttl;
    uint8_t to[16]; /* IPv6 address or ::ffff:a.b.c.d */
    uint8_t ttl, tos;
    int64_t time_ns; /* CLOCK_REALTIME; 0: unknown */
};

/* What the command line allows. */
enum hostnet_mode { HOSTNET_NONE, HOSTNET_USER, HOSTNET_HOST, HOSTNET_TAP };
enum hostnet_mode hostnet_mode(void);

/* type: SOCK_STREAM or SOCK_DGRAM; protocol: IPPROTO_TCP, UDP, ICMP, ICMPV6.  q is woken, with the
 * POLL* that may be new or 0, whenever hostnet_poll()'s answer may have changed, and again for all
 * data that arrives although POLLIN holds already (edge-triggered epoll sees each arrival).
 * HOSTNET_NONE: -ENETUNREACH. */
int hostnet_open(int family, int type, int protocol, struct waitq *q, struct hostnet **out);
/* Host mode: as the program asks.  User mode: a wildcard or the guest's own address; the host's
 * port need not be the one that is asked for. */
int hostnet_bind(struct hostnet *h, const struct sock_addr *a);
/* User mode: only ports that were published (-p).  -EACCES: this one was not; the guest listens
 * inside only.  A datagram socket that is published gets its port by hostnet_bind(), the same
 * way. */
int hostnet_listen(struct hostnet *h, uint32_t backlog);
/* -EAGAIN: no connection waits.  The new one wakes q. */
int hostnet_accept(struct hostnet *h, struct waitq *q, struct hostnet **out,
                   struct sock_addr *peer);
/* Also of datagram sockets, where AF_UNSPEC takes the peer away.  A stream answers 0 or
 * -EINPROGRESS; once hostnet_poll() says POLLOUT or POLLERR, hostnet_error() tells how it went. */
int hostnet_connect(struct hostnet *h, const struct sock_addr *a);
/* Bytes, or -errno; m->data, addr, flags (MSG_DONTWAIT is meant always), control as socket_ops'
 * send and recv do.  A stream's end is 0. SIGPIPE is the caller's affair.  Control messages of what
 * is received: of MSG_ERRQUEUE alone; else m->arrival says what they are made of. */
int64_t hostnet_send(struct hostnet *h, struct sock_msg *m);
int64_t hostnet_recv(struct hostnet *h, struct sock_msg *m);
/* A stream sends up to len bytes (one or more), which are there, from offset on of the host file
 * that is open as `handle`; the handle may be closed at once.  -EOPNOTSUPP: not here or now. */
int64_t hostnet_send_file(struct hostnet *h, uint32_t handle, int64_t offset, uint64_t len);
/* FIONREAD: bytes that can be read, of a datagram socket those of the next one; SIOCOUTQ: bytes
 * that the host has not taken. */
uint32_t hostnet_readable(struct hostnet *h);
uint32_t hostnet_unsent(struct hostnet *h);
/* POLL* now, as poll(2) of the host socket. */
uint32_t hostnet_poll(struct hostnet *h);
/* Options of any level, values in kernel memory.  *len: the room in and the length out. */
int hostnet_setopt(struct hostnet *h, int level, int name, const void *value, uint32_t len);
int hostnet_getopt(struct hostnet *h, int level, int name, void *value, uint32_t *len);
int hostnet_getname(struct hostnet *h, bool peer, struct sock_addr *out);
/* Takes SO_ERROR: 0 or a positive errno. */
int hostnet_error(struct hostnet *h);
void hostnet_shutdown(struct hostnet *h, uint32_t how); /* SOCK_SHUT_* */
/* SO_LINGER of the host socket decides what becomes of unsent data.  Frees h; q is not used any
 * more. */
void hostnet_close(struct hostnet *h);

/* Is this loopback address that of a resolver which the host itself uses?  Then it is the host's
 * that is meant: what is sent there goes out. */
bool hostnet_is_resolver(const struct sock_addr *a);
/* Wakes who waits for sockets of the host that have news.  Called where a CPU has nothing to run.
 */
void hostnet_look(void);
/* Likewise, for a program that looks without sleeping, which a CPU that never idles lets nobody
 * else do: asks the host now and then. */
void hostnet_ask(void);
/* Is there something to look at? */
bool hostnet_has_news(void);
/* Is there something that the loader has not been told of? */
bool hostnet_has_commands(void);

/* --net tap: brings the interface up, before the first program: waits for an answer of DHCP. */
void hostnet_up(void);
/* The program has ended: what it has written is delivered, for some seconds where peers are slow.
 */
void hostnet_finish(void);
/* --net tap: the interface joins a multicast group, or leaves it; an address as hostnet_arrival's.
 */
void hostnet_group(const uint8_t group[16], bool join);
/* Of the sockets' layer: urgent data has come for the socket that has q.  SIGURG. */
void hostnet_urgent(struct waitq *q);
/* Likewise: is what came to this group for the socket that has q? */
bool hostnet_wants(struct waitq *q, const uint8_t group[16], const uint8_t from[16]);

#define HOSTNET_ADDRESSES6 5u
/* The interface as it is now; address 0: it has none.  Network byte order. */
struct hostnet_interface {
    uint8_t mac[6];
    uint8_t prefix; /* bits */
    uint32_t address, gateway;
    /* --net tap: those of IPv6, whose prefixes are of 64 bits. */
    struct hostnet_address6 {
        uint8_t bytes[16];
        bool announced; /* by a router; else made by us, or given */
    } addresses6[HOSTNET_ADDRESSES6];
    uint32_t count6;
    uint8_t gateway6[16]; /* that was given */
};
const struct hostnet_interface *hostnet_interface(void);
/* The HC_TAP_RESOLVERS name servers that it was told of; 0: no more. */
const uint32_t *hostnet_resolvers(void);

#endif
