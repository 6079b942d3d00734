/* SPDX-License-Identifier: MIT */
/* Sockets of the guest, to the files of the network service only.  All of it under net_lock(). */
#ifndef LOADER_NET_SOCKET_H
#define LOADER_NET_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <hermit/net.h>
#include <loader/net_policy.h>
#include <loader/services.h>

#define NET_REPLAY 16   /* options that a socket takes along to a published port */
#define NET_PENDING 256 /* connections accepted in advance */

struct net_port;
struct net_peers; /* who has sent to a published port from the host's loopback */

struct net_option {
    int level, name, value;
};

/* Connections that the guest has been told of; those it has not taken end with the listener. */
struct net_listener {
    uint32_t limit;
    uint32_t numbers[NET_PENDING], generations[NET_PENDING]; /* by position in the ring */
    struct net_option options[NET_REPLAY];                   /* set before listen(2) */
    uint32_t option_count;
};

/* A piece of a host file that is to be sent, as the slot had it. */
struct net_file {
    uint32_t seq;    /* the slot's when it was looked at last */
    uint32_t left;   /* bytes; 0: there is none */
    uint32_t at;     /* position in the ring that it follows */
    uint32_t handle; /* pinned if fd >= 0 */
    int fd;          /* -1: the guest's nonsense */
    off_t offset;
    uint8_t *copy; /* its last `copied` bytes, since the file may have changed; NULL: none */
    uint32_t copied;
};

struct net_socket {
    int fd; /* -1: free */
    uint32_t number, generation;
    struct hc_net_slot *slot;           /* the guest's too: read once, believe nothing */
    int family, type, protocol;         /* as the guest has it */
    int fd_family;                      /* AF_INET: a port that is published for IPv4 alone */
    uint32_t state;                     /* enum hc_net_state, as in the slot */
    uint32_t tx_tail, rx_head, rx_base; /* as in the slot */
    uint8_t *rx_ring;                   /* NULL: none */
    uint32_t news_at;                   /* place of the last news, in the queue if told */
    bool told;
    bool watched;  /* in the epoll set */
    bool bound;    /* the guest asked for bound_port */
    bool ending;   /* the peer has ended its side: there is no edge to come */
    bool rx_more;  /* data may wait in the host's socket */
    bool waiting;  /* in the list of those to be tried again */
    bool shut;     /* SHUT_WR when all is sent */
    bool closing;  /* closed when all is sent */
    bool tx_stuck; /* the host's socket is full */
    bool tx_held;  /* the host may hold back what was sent last (MSG_MORE) */
    struct net_file file;
    struct net_addr bound_to;
    struct net_port *port; /* published; it keeps the descriptor */
    struct net_listener *listener;
    struct net_peers *peers;
    struct net_socket *next; /* of the free list, or of `waiting` */
};

/* net_socket.c: the table. */
void net_lock(void);
void net_unlock(void);
struct net_socket *net_get(uint32_t number);
uint32_t net_socket_count(void); /* numbers below may be in use */
/* A free one that takes fd over, or NULL: fd stays the caller's. */
struct net_socket *net_new(int fd, int family, int type, int protocol);
/* Is there a free one?  If there are few, the guest is asked for more. */
bool net_any_free(void);
/* Closes and frees it. */
void net_destroy(struct net_socket *s);
/* Adds the slots of one NET_GIVE; 0 or -errno. */
int net_add_slots(struct hc_net_slot *slots);
void net_set_state(struct net_socket *s, uint32_t set, uint32_t clear);
void net_set_error(struct net_socket *s, int error);

/* net_queue.c: what both sides share. */
extern struct hc_net *net_shared; /* NULL: not started */
bool net_queue_start(gpa_t at);
/* Puts s into the queue of news unless it is there. */
void net_tell(struct net_socket *s);
bool net_has_news(void);
uint32_t net_news_taken(void); /* how far the guest has come */
/* The guest is asked for memory of that kind (enum hc_net_memory), or no longer. */
void net_want(uint32_t kind, bool want);
/* Serves the commands that are there; true if there were any. */
bool net_run_commands(void);
bool net_has_commands(void);
/* Notes the pieces of files that commands not yet run tell of. */
void net_note_commands(void);

/* net_ring.c: data. */
int net_add_rings(uint32_t kind, uint8_t *at, uint32_t count);
void net_receive(struct net_socket *s);
void net_send(struct net_socket *s);
/* Bytes that the guest has written to the ring and that were not sent. */
uint32_t net_unsent(struct net_socket *s);
/* Is there anything to be sent, of ring or file? */
bool net_has_unsent(struct net_socket *s);
void net_forget_ring(struct net_socket *s);
/* Room for a record of n bytes in the receive ring, to be published by net_advance(). */
void *net_record(struct net_socket *s, uint32_t n);
void net_advance(struct net_socket *s, uint32_t n);
/* The bytes that the guest has not taken; may be nonsense. */
uint32_t net_untaken(const struct net_socket *s);

/* net_file.c.  Looks whether the guest has added a piece, and pins its file. */
void net_file_note(struct net_socket *s);
/* Sends what the host's socket takes: bytes, or -1 with errno. */
ssize_t net_file_send(const struct net_socket *s);
/* All of a piece that is no longer than NET_FILE_SMALL or was kept, valid until the next such call:
 * 0, or -1 with errno. */
#define NET_FILE_SMALL 32768u
int net_file_small(const struct net_file *f, struct iovec *out);
/* n bytes of the piece are sent. */
void net_file_advance(struct net_socket *s, uint32_t n);
/* The piece is gone, sent or not. */
void net_file_forget(struct net_socket *s);

/* net_listen.c */
int net_listen(struct net_socket *s, uint32_t backlog);
void net_accept(struct net_socket *s);
void net_listener_end(struct net_socket *s);
/* Notes an option for the socket that will listen in its place. */
void net_note_option(struct net_socket *s, int level, int name, const void *value, uint32_t len);

/* net_option.c: 0 or -errno; -ENOPROTOOPT for those that no guest may set. */
int64_t net_set_option(struct net_socket *s, int level, int name, const void *value, uint32_t len);

/* net_publish.c */
struct net_port *net_port_find(bool udp, uint16_t guest);
/* The port's own socket takes the place of the one that s has, which is watched no longer: 0 or
 * -errno. */
int net_port_give(struct net_port *p, struct net_socket *s);
/* The guest's socket is closed: the port is as before. */
void net_port_release(struct net_port *p, int family);
uint16_t net_port_guest(const struct net_port *p);

/* net_serve.c */
bool net_started(void);
int net_start_service(void);
/* Adds s to the set of watched descriptors; 0 or -errno. */
int net_watch(struct net_socket *s);
/* Takes it out, where closing the descriptor does not: a published port's is a duplicate. */
void net_unwatch(struct net_socket *s);
/* Tries s again the next time. */
void net_retry(struct net_socket *s);
void net_forget_retry(struct net_socket *s);

#endif
