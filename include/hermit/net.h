/* SPDX-License-Identifier: MIT */
/* The guest's way to the host's network: the NET_* calls and the memory that the two sides share.
 *
 * A host socket has a number and a struct hc_net_slot.  What is rare goes by calls; the data of
 * connections goes through rings, and what is ordered but needs no answer through the command
 * queue, so that a connection can be accepted, served and closed without a call.
 *
 * Every word has one writer.  Positions count bytes or entries and wrap at 2^32; between equal
 * positions there is nothing.  The host copies the guest's words once, and a position that makes
 * no sense costs only the socket that it belongs to.
 *
 * A ring is HC_NET_RING bytes; byte p of a direction lies at (p - base) % HC_NET_RING of the ring
 * that the writer has chosen.  The writer may take the ring away, or choose another base, while
 * both positions are equal.
 *
 * A piece of a host file is sent without passing through the guest: the slot says which, and behind
 * which byte of the ring it comes.  The file is read when it is sent.  Its handle may be closed
 * before that, and the guest may truncate it; if others do, the connection ends (EIO). */
#ifndef HERMIT_NET_H
#define HERMIT_NET_H

#include <stdint.h>

typedef uint64_t gpa_t; /* guest-physical address, bytes */

/* Part of HC_LIST. */
#define HC_NET_LIST(X)                                                                             \
    X(NET_START, net_start)                                                                        \
    X(NET_GIVE, net_give)                                                                          \
    X(NET_OPEN, net_open)                                                                          \
    X(NET_BIND, net_bind)                                                                          \
    X(NET_LISTEN, net_listen)                                                                      \
    X(NET_CONNECT, net_connect)                                                                    \
    X(NET_NAME, net_name)                                                                          \
    X(NET_SEND, net_send)                                                                          \
    X(NET_RECV, net_recv)                                                                          \
    X(NET_GETOPT, net_getopt)                                                                      \
    X(NET_SETOPT, net_setopt)                                                                      \
    X(NET_SERVE, net_serve)                                                                        \
    X(NET_DEVICE, net_device)

#define HC_NET_RING 524288u
#define HC_NET_NO_RING UINT32_MAX
#define HC_NET_NOBODY UINT32_MAX /* news that are no socket's: `wanted` */
#define HC_NET_QUEUE 2048u       /* entries of the two queues; a power of two, as the ring's size */
#define HC_NET_SOCKETS 65536u    /* numbers at most */
#define HC_NET_SLOTS 256u        /* slots that one NET_MEMORY brings */
#define HC_NET_RINGS 512u        /* rings of a direction at most */
#define HC_NET_RESOLVERS 3u
#define HC_NET_FILE_MAX (1u << 20) /* bytes of one piece of a file */
#define HC_NET_CONTROL 256u        /* bytes of control messages at most */
#define HC_NET_OPTION 256u         /* bytes of an option's value at most */

enum hc_net_mode { HC_NET_NONE, HC_NET_USER, HC_NET_HOST, HC_NET_TAP };

struct hc_net_addr { /* struct sockaddr_in or sockaddr_in6 */
    uint32_t len;    /* bytes; 0: none */
    uint8_t bytes[28];
};

enum hc_net_state { /* what the host says of a stream */
                    HC_NET_CONNECTING = 1,
                    HC_NET_CONNECTED = 2,
                    HC_NET_LISTENING = 4,
                    HC_NET_EOF = 8,       /* nothing comes after what is in the ring */
                    HC_NET_HUP = 16,      /* the connection is gone */
                    HC_NET_RX_WAITS = 32, /* there is more than room; tell when there is room */
                    HC_NET_FREE = 64,     /* closed to the end: nobody's */
};

struct hc_net_slot {
    /* Of the guest. */
    uint32_t tx_head, tx_base, tx_ring; /* bytes to send */
    uint32_t rx_tail;                   /* bytes received */
    uint32_t tx_waits;                  /* 1: tell when there is room, or nothing left to send */
    uint32_t tx_cork;                   /* 1: more follows, TCP_CORK */
    uint32_t file_seq;                  /* pieces of files so far; the last one: */
    uint32_t file_handle;
    uint64_t file_offset; /* bytes */
    uint32_t file_len;    /* bytes, from 1 to HC_NET_FILE_MAX */
    uint32_t file_at;     /* it follows the ring's bytes before this position */
    uint32_t pad[4];
    /* Of the host. */
    uint32_t tx_tail;
    uint32_t rx_head, rx_base, rx_ring;
    uint32_t state;         /* enum hc_net_state */
    uint32_t errors, error; /* errors so far, and the last one's number */
    uint32_t edges;         /* datagrams: grows when something arrives, or room comes */
    uint32_t ready;         /* datagrams: POLL* at the last edge */
    uint32_t generation;    /* of the socket that has this number now */
    uint32_t file_done;     /* file_seq of the last piece that was sent; there is one at a time */
    uint32_t pad2[5];
};

/* What the receive ring of a listening socket holds: a connection that was accepted. */
struct hc_net_accepted {
    uint32_t number, generation;
    struct hc_net_addr peer;
    uint32_t pad[6];
};

enum hc_net_op {
    HC_NET_OP_LOOK,     /* something in the slot has changed: data to send, room to receive */
    HC_NET_OP_SHUTDOWN, /* a: SHUT_*; sends what is in the ring first */
    HC_NET_OP_CLOSE,    /* likewise; the number is free when HC_NET_FREE says so */
    HC_NET_OP_OPTION,   /* a: level << 16 | name, b: an int; an error is nobody's */
};
struct hc_net_command {
    uint32_t number, op, a, b;
};

/* Shared by all sockets. */
struct hc_net {
    /* Of the guest. */
    uint32_t command_head, news_tail;
    uint32_t pad[14];
    /* Of the host. */
    uint32_t command_tail, news_head;
    uint32_t lost;   /* grows when news did not fit: look at every socket */
    uint32_t wanted; /* bit n: enum hc_net_memory n runs short */
    uint32_t pad2[12];
    struct hc_net_command commands[HC_NET_QUEUE]; /* from the guest */
    uint32_t news[HC_NET_QUEUE];                  /* from the host: numbers of sockets to look at */
};

/* The arguments of the calls.  -EBADF: no such socket.  Where `ready` is OUT: POLL* after the call,
 * `edges` the slot's then. */

/* Once, before all others.  net: struct hc_net, zeroes.  Result: enum hc_net_mode. */
struct hc_net_start {
    gpa_t net;
};
/* Gives the host HC_NET_SLOTS zeroed slots, or `count` rings, at gpa, for good.  -ENOSPC: it has
 * all it can use. */
enum hc_net_memory { HC_NET_MEM_SLOTS, HC_NET_MEM_RX, HC_NET_MEM_TX };
struct hc_net_give {
    gpa_t gpa;
    uint32_t kind;
    uint32_t count;
};
/* As socket(2); result: its number.  -ENOBUFS: no slot is free.  -ENETUNREACH: --net none. */
struct hc_net_open {
    uint32_t family, type, protocol;
    uint32_t generation; /* OUT */
};
/* NET_BIND, NET_CONNECT, NET_NAME (OUT addr; flags 1: the peer's), NET_LISTEN (flags: backlog).  In
 * user mode NET_LISTEN gives -EACCES but for a bound port that is published. */
struct hc_net_name {
    uint32_t number, flags;
    struct hc_net_addr addr;
};
/* NET_SEND, NET_RECV: as sendmsg(2) and recvmsg(2), at once; for what is no connection, and for
 * flags. */
struct hc_net_message {
    uint32_t number, flags;
    gpa_t segs;
    uint32_t count;
    uint32_t result_flags; /* OUT MSG_* */
    struct hc_net_addr addr;
    gpa_t control;        /* HC_NET_CONTROL bytes, or 0; NET_SEND: -EINVAL for other kinds than
                           * the source, hop limit, class and segment size */
    uint32_t control_len; /* bytes; NET_RECV: OUT */
    uint32_t ready;
    uint32_t edges;
    uint32_t pad;
};
/* NET_SERVE: moves what can be moved, now.
 *
 * NET_GETOPT, NET_SETOPT: value contiguous, len in and out. */
struct hc_net_option {
    uint32_t number;
    int32_t level, name;
    uint32_t len;
    gpa_t value;
};

/* NET_DEVICE: starts the tap service (hermit/tap.h), once.  tap: struct hc_tap, queues empty.
 * Result: enum hc_tap_features.  -ENETUNREACH: another mode. */
struct hc_net_device {
    gpa_t tap;
};

#define HC_NET_CONTROL_BYTES 49152 /* room for struct hc_net, whole pages */
_Static_assert(sizeof(struct hc_net) <= HC_NET_CONTROL_BYTES, "room");
_Static_assert(sizeof(struct hc_net_slot) == 128, "wire size");
_Static_assert(sizeof(struct hc_net_accepted) == 64, "wire size");
_Static_assert(sizeof(struct hc_net_name) == 40, "wire size");
_Static_assert(sizeof(struct hc_net_message) == 80, "wire size");
_Static_assert(sizeof(struct hc_net_option) == 24, "wire size");

#endif
