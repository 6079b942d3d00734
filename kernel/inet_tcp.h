/* SPDX-License-Identifier: MIT */
/* Private to inet_tcp*.c and procfs: stream sockets. tcp(7).
 *
 * The two ends of a connection in the guest point to each other; what one sends is at once in the
 * other's queue, so nothing is ever lost, late or out of order.  States are those that a program
 * can see on Linux. */
#ifndef INET_TCP_H
#define INET_TCP_H

#include "inet.h"

enum tcp_state { /* as Linux numbers them */
                 TCP_S_ESTABLISHED = 1,
                 TCP_S_SYN_SENT = 2,
                 TCP_S_FIN_WAIT2 = 5,
                 TCP_S_TIME_WAIT = 6,
                 TCP_S_CLOSE = 7,
                 TCP_S_CLOSE_WAIT = 8,
                 TCP_S_LISTEN = 10
};

/* A piece of the queue. */
struct tcp_chunk {
    struct tcp_chunk *next;
    uint32_t start, end, size; /* bytes: [start, end) of size are filled */
    uint8_t data[];
};

/* Bytes that have arrived. */
struct tcp_queue {
    struct tcp_chunk *first, *last;
    uint64_t head, tail; /* bytes ever taken out, ever put in */
};

struct tcp_sock;
TAILQ_HEAD(tcp_list, tcp_sock);

/* What only a listening socket has. */
struct tcp_listener {
    struct tcp_list ready;    /* connections that wait for accept(2) */
    struct tcp_list deferred; /* those that wait for data first: TCP_DEFER_ACCEPT */
    struct tcp_list knocking; /* sockets that want to connect, but there is no room */
    uint32_t queued, backlog; /* of `ready` and `deferred`; one more than backlog may be there */
};

enum tcp_urgent { URG_NONE, URG_UNREAD, URG_READ };

struct tcp_sock {
    struct inet_sock in; /* first */
    uint8_t state;       /* enum tcp_state */
    uint8_t urgent;      /* enum tcp_urgent */
    uint8_t urgent_byte;
    bool connecting, connected; /* connect(2) has begun; has ended well, or accept(2) has */
    bool ended;                 /* the peer will send no more */
    bool remote;                /* the connection is the host's */
    bool nospace;               /* somebody wants to know when there is room to send */
    struct tcp_sock *peer;      /* the other end; NULL: none, or it is closed */
    struct tcp_queue in_queue;
    uint64_t urgent_at;            /* where in the stream the urgent byte is */
    uint64_t sent;                 /* bytes */
    struct tcp_listener *listener; /* owned; NULL: does not listen */
    struct tcp_sock *door;         /* the listening socket in whose list `link` is */
    struct tcp_list *list;         /* that list */
    TAILQ_ENTRY(tcp_sock) link;
    struct ktimer timer; /* SYN_SENT, or in `deferred`: when to give up waiting */
};

static inline struct tcp_sock *tcp_of(struct socket *s) { return (struct tcp_sock *)s; }

static inline uint64_t tcp_queued(const struct tcp_queue *q) { return q->tail - q->head; }
static inline void tcp_wake(struct tcp_sock *t, uint32_t events) {
    waitq_wake(&t->in.sock.waitq, events);
}

extern const struct socket_ops inet_tcp_ops;

/* inet_tcp_queue.c */
/* Puts in bytes [at, at + len) of the transfer: how many, or -EFAULT, -ENOMEM if none. */
int64_t tcp_queue_put(struct tcp_queue *q, const struct uio *u, uint64_t at, uint64_t len);
/* Copies n bytes that are `skip` behind the head to byte `at` of the transfer: 0 or -EFAULT. */
int tcp_queue_copy(const struct tcp_queue *q, uint64_t skip, const struct uio *u, uint64_t at,
                   uint64_t n);
/* The byte that is `skip` behind the head. */
uint8_t tcp_queue_byte(const struct tcp_queue *q, uint64_t skip);
void tcp_queue_drop(struct tcp_queue *q, uint64_t n);

/* inet_tcp.c */
struct tcp_sock *tcp_new(int family);
/* The connection is over: nothing more goes in or out. */
void tcp_done(struct tcp_sock *t);
/* The peer, or what is in its place, answers with a reset. */
void tcp_reset(struct tcp_sock *t);
/* Ends the sending side. */
void tcp_send_end(struct tcp_sock *t);
/* Follows a connection of the host. */
void tcp_refresh(struct socket *s);
/* connect(2) with AF_UNSPEC and what shutdown(2) does to a listening socket. */
void tcp_disconnect(struct tcp_sock *t);
/* Leaves the list that it is in. */
void tcp_unlist(struct tcp_sock *t);

/* inet_tcp_listen.c */
int tcp_listen(struct socket *s, uint32_t backlog);
int tcp_accept(struct socket *s, bool nonblock, struct socket **out);
void tcp_stop_listening(struct tcp_sock *t);
/* The socket that listens for t's peer address, or NULL. */
struct tcp_sock *tcp_find_listener(const struct tcp_sock *t);
/* Connects t to a listening socket, or lets it wait. */
void tcp_knock(struct tcp_sock *t, struct tcp_sock *door);
/* Something has arrived for a connection that was not to be accepted before. */
void tcp_undefer(struct tcp_sock *t);

/* inet_tcp_connect.c */
int tcp_connect(struct socket *s, const struct sock_addr *addr, bool nonblock);
/* Waits while a connection is on its way: 0, -EAGAIN, -EPIPE, the error. */
int tcp_await_connection(struct tcp_sock *t, int64_t deadline_ns);
/* The buffers of a connection that nobody has chosen the size of. */
#define TCP_SNDBUF_FIRST 16384u
#define TCP_SNDBUF_CONNECTED 425984u
#define TCP_RCVBUF 131072u

/* inet_tcp_send.c, inet_tcp_recv.c */
int64_t tcp_send(struct socket *s, struct sock_msg *m);
int64_t tcp_recv(struct socket *s, struct sock_msg *m);
int64_t tcp_send_file(struct socket *s, uint32_t handle, int64_t pos, uint64_t len, bool nonblock);
/* May a program write?  As poll(2) sees it. */
bool tcp_writable(const struct tcp_sock *t);
/* May it read? */
bool tcp_readable(const struct tcp_sock *t);
/* FIONREAD: bytes up to the urgent one, or all. */
uint64_t tcp_unread(const struct tcp_sock *t);
bool tcp_at_mark(const struct tcp_sock *t);

/* inet_tcp_option.c */
int tcp_setopt(struct socket *s, int level, int name, gva_t value, uint32_t len);
int tcp_getopt(struct socket *s, int level, int name, gva_t value, uint32_t *len);

/* inet_time_wait.c */
/* t's connection ended on its own side first: its ends stay taken for a minute. */
void tcp_time_wait(const struct tcp_sock *t);

#endif
