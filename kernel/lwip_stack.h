/* SPDX-License-Identifier: MIT */
/* Private to lwip_*.c: the TCP/IP stack of --net tap.
 *
 * lwIP runs under the kernel lock and calls back only where we call it: frames that have arrived
 * (stack_look), timers, and what a socket does.  A callback notes what has happened; who waits is
 * woken when lwIP has returned (stack_leave), because it may come back with another call. */
#ifndef LWIP_STACK_H
#define LWIP_STACK_H

#include <bsd/sys/queue.h>
#include <kernel/hostnet.h>

#include <lwip/err.h>
#include <lwip/ip_addr.h>
#include <lwip/pbuf.h>

struct tcp_pcb;
struct udp_pcb;
struct raw_pcb;

/* What has arrived: bytes of a connection, or a datagram. */
struct stack_item {
    TAILQ_ENTRY(stack_item) link;
    struct pbuf *data;
    ip_addr_t from, to; /* datagrams */
    uint16_t port;
    uint8_t ttl, tos;
};
TAILQ_HEAD(stack_items, stack_item);

struct stack_sock;
TAILQ_HEAD(stack_list, stack_sock);

/* Behind struct hostnet. */
struct stack_sock {
    struct waitq *q; /* NULL: not accepted yet */
    uint16_t family, type;
    int32_t protocol;
    struct tcp_pcb *tcp; /* of the three one, or none when a connection is over */
    struct udp_pcb *udp;
    struct raw_pcb *raw;
    struct stack_items queue;
    uint32_t queued; /* bytes in `queue` */
    int32_t error;   /* positive */
    bool connecting, connected, listening, ended, woken;
    bool abort;    /* SO_LINGER with 0 seconds */
    uint32_t shut; /* SOCK_SHUT_* */
    bool v6only;
    ip_addr_t peer;          /* accepted from it, or connected to it; any: to nobody */
    uint16_t port;           /* accepted: the peer's; echo sockets: their number */
    struct stack_list ready; /* listening: connections that wait */
    struct stack_sock *door; /* in whose list this is */
    TAILQ_ENTRY(stack_sock) link, woken_link;
};

static inline struct stack_sock *stack_of(struct hostnet *h) { return (struct stack_sock *)h; }

/* lwip_netif.c */
/* Brings the interface up: 0 or -errno. */
int stack_start(void);
/* After every call into lwIP: who was noted is woken, frames are on their way, the timer is set. */
void stack_leave(void);
void stack_look(void);
struct netif *stack_netif(void);

/* lwip_segments.c */
struct virtio_net_header;
/* Sends the frame behind h, the device's buffer, zeroes: as far as the device's features
 * (enum hc_tap_features) go it completes the checksum and gets several segments as one. */
void stack_send_frame(struct virtio_net_header *h, uint32_t len, uint32_t features);

/* lwip_address.c */
/* Is there a way to this address?  0 or -ENETUNREACH, -EINVAL. */
int stack_route(const ip_addr_t *to);
/* Address and port; -EAFNOSUPPORT, -EINVAL.  The unspecified address of a socket of both families
 * is that of any kind. */
int stack_address(const struct stack_sock *s, const struct sock_addr *a, ip_addr_t *ip,
                  uint16_t *port);
void stack_put_address(int family, const ip_addr_t *ip, uint16_t port, struct sock_addr *out);
/* As an IPv6 address; IPv4 mapped. */
void stack_put_mapped(const ip_addr_t *ip, uint8_t out[16]);

/* lwip_group.c */
/* After every call: what hosts are to be told of groups is told in time. */
void stack_group_tick(void);

/* lwip_socket.c */
struct stack_sock *stack_new(int family, int type, int protocol, struct waitq *q);
/* Something about s has changed. */
void stack_note(struct stack_sock *s);
void stack_wake_all(void);
int stack_errno(err_t e);
/* A new item at the end of the queue, or NULL: no memory. */
struct stack_item *stack_push(struct stack_sock *s, struct pbuf *p);
void stack_pop(struct stack_sock *s);
void stack_free(struct stack_sock *s);

/* lwip_tcp.c */
int stack_tcp_open(struct stack_sock *s);
int stack_tcp_bind(struct stack_sock *s, const ip_addr_t *ip, uint16_t port);
int stack_tcp_listen(struct stack_sock *s, uint32_t backlog);
int stack_tcp_accept(struct stack_sock *s, struct waitq *q, struct stack_sock **out,
                     struct sock_addr *peer);
int stack_tcp_connect(struct stack_sock *s, const ip_addr_t *ip, uint16_t port);
int64_t stack_tcp_send(struct stack_sock *s, struct sock_msg *m);
int64_t stack_tcp_recv(struct stack_sock *s, struct sock_msg *m);
uint32_t stack_tcp_poll(struct stack_sock *s);
uint32_t stack_tcp_unsent(struct stack_sock *s);
int stack_tcp_setopt(struct stack_sock *s, int level, int name, const void *value, uint32_t len);
int stack_tcp_getname(struct stack_sock *s, bool peer, struct sock_addr *out);
void stack_tcp_shutdown(struct stack_sock *s, uint32_t how);
void stack_tcp_close(struct stack_sock *s);
/* The program has ended. */
void stack_tcp_close_all(void);
/* Is there data of any connection that the peer has not acknowledged? */
bool stack_tcp_busy(void);

/* lwip_datagram.c: UDP, and echo requests. */
void stack_datagram_setopt(struct stack_sock *s, int level, int name, int32_t value);
int stack_datagram_open(struct stack_sock *s);
int stack_datagram_bind(struct stack_sock *s, const ip_addr_t *ip, uint16_t port);
/* ip any: to nobody any more. */
int stack_datagram_connect(struct stack_sock *s, const ip_addr_t *ip, uint16_t port);
int64_t stack_datagram_send(struct stack_sock *s, struct sock_msg *m);
int64_t stack_datagram_recv(struct stack_sock *s, struct sock_msg *m);
int stack_datagram_getname(struct stack_sock *s, bool peer, struct sock_addr *out);
void stack_datagram_close(struct stack_sock *s);

#endif
