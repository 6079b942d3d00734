/* SPDX-License-Identifier: MIT */
/* Private to inet_udp*.c and inet_ping.c: datagram sockets. udp(7), icmp(7). */
#ifndef INET_UDP_H
#define INET_UDP_H

#include "inet.h"

/* One that has arrived, or that has come back with an error. */
struct udp_datagram {
    TAILQ_ENTRY(udp_datagram) link;
    struct inet_end from, to;
    int64_t time_ns; /* CLOCK_REALTIME */
    uint32_t len, charge, device;
    uint8_t ttl, tos;
    uint8_t data[];
};
TAILQ_HEAD(udp_queue, udp_datagram);

struct udp_sock {
    struct inet_sock in; /* first */
    struct udp_queue queue;
    struct udp_queue errors; /* of IP_RECVERR: `to` is whom the datagram did not reach */
    uint32_t charged;        /* bytes of both that count against SO_RCVBUF */
    uint32_t dropped;        /* datagrams that found the buffer full */
    uint64_t arrivals;       /* ever */
    uint16_t host_family;    /* of in.host */
    bool host_stamps;        /* in.host notes when datagrams arrive */
};

static inline struct udp_sock *udp_of(struct socket *s) { return (struct udp_sock *)s; }
static inline bool udp_is_ping(const struct udp_sock *u) { return u->in.ports == &inet_ping_ports; }

/* What a datagram is sent with besides its data. */
struct udp_sending {
    struct inet_end from, to;
    uint8_t ttl, tos;
    uint16_t segment; /* UDP_SEGMENT: bytes of a datagram, of which the data is several; 0: one */
    uint32_t device;  /* 0: any */
};

/* inet_udp.c */
extern const struct socket_ops inet_udp_ops;
int udp_create(int family, int protocol, struct inet_port_table *ports, struct socket **out);
/* A port if there is none yet. */
int udp_autobind(struct udp_sock *u);

/* inet_udp_host.c */
/* The host's socket, opened when it is needed: 0 or -errno. */
int udp_open_host(struct udp_sock *u);
/* After bind(2): what comes from outside to a port that the command line lets in. */
int udp_bind_host(struct udp_sock *u);
/* An option was set: the host's socket is told if it is one that matters there. */
void udp_option_changed(struct udp_sock *u, int level, int name);

/* inet_udp_send.c */
int64_t udp_send(struct socket *s, struct sock_msg *m);
/* Puts a datagram made of the transfer into u's queue, or drops it: 0 or -EFAULT. */
int udp_enqueue(struct udp_sock *u, const struct udp_sending *how, const struct uio *data);
/* A datagram of u's has found nobody. */
void udp_unreachable(struct udp_sock *u, const struct udp_sending *how, const struct uio *data);
/* Takes d, which is in no queue any more, out of the account. */
void udp_datagram_free(struct udp_sock *u, struct udp_datagram *d);

/* inet_udp_control.c */
/* What sendmsg(2) says: fills *how. */
int udp_control_get(const struct sock_msg *m, struct udp_sending *how);
/* What the receiver wants to know about a datagram. */
void udp_control_put(const struct udp_sock *u, struct sock_msg *m, const struct udp_datagram *d);
/* Does it want to know anything?  And when it arrived? */
bool udp_control_wanted(const struct udp_sock *u);
bool udp_control_stamps(const struct udp_sock *u);
/* The same of a datagram that came back: IP_RECVERR. */
void udp_control_put_error(const struct udp_sock *u, struct sock_msg *m,
                           const struct udp_datagram *d);

/* inet_udp_recv.c */
int64_t udp_recv(struct socket *s, struct sock_msg *m);

/* inet_ping.c */
/* Sends an echo request: bytes or -errno. */
int64_t ping_send(struct udp_sock *u, const struct sock_msg *m, const struct udp_sending *how);

#endif
