/* SPDX-License-Identifier: MIT */
/* Shared by hostnet*.c only: sockets of the host as the kernel knows them (hermit/net.h). */
#ifndef HOSTNET_INTERNAL_H
#define HOSTNET_INTERNAL_H

#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/hostnet.h>

struct hostnet {
    struct hc_net_slot *slot;
    struct waitq *q;
    uint32_t number, generation;
    uint16_t family, type;
    int32_t protocol;
    uint32_t tx_head, tx_base, rx_tail; /* as in the slot */
    uint32_t tx_ring;                   /* HC_NET_NO_RING: none */
    uint32_t file_seq, file_len;        /* as in the slot */
    uint32_t errors;                    /* of the slot's, taken */
    uint32_t edges, ready;              /* datagrams: POLL*, and the edge they belong to */
    uint32_t seen_edges;                /* streams: what SIGURG was sent for */
    uint32_t queued_at;                 /* place of the last LOOK, if there was one */
    bool queued;
    bool host_corks;         /* TCP_CORK is the host socket's affair */
    uint8_t empty_reads;     /* in a row, up to 2 */
    uint32_t shut;           /* SOCK_SHUT_* */
    struct hc_net_addr peer; /* of an accepted connection */
};

/* hostnet_queue.c */
extern struct hc_net *hostnet_shared; /* NULL: not started */
/* Starts the service: 0 or -errno. */
int hostnet_start(void);
struct hc_net_slot *hostnet_slot(uint32_t number);
/* Makes h known by its number, or no longer. */
bool hostnet_register(struct hostnet *h);
void hostnet_unregister(struct hostnet *h);
void hostnet_command(struct hostnet *h, enum hc_net_op op, uint32_t a, uint32_t b);
/* Something in the slot has changed: the host is to look at it. */
void hostnet_kick(struct hostnet *h);
void proxy_look(void);
/* Has the loader move what it can move now. */
void hostnet_serve(void);
/* More numbers; false: none to be had. */
bool hostnet_give_slots(void);

/* hostnet_memory.c */
void *hostnet_rx_ring(uint32_t index);
/* A ring for data to send, HC_NET_NO_RING where there is none: then h->tx_ring, at a new base. */
bool hostnet_take_ring(struct hostnet *h);
void *hostnet_tx_ring(const struct hostnet *h);
/* h goes; the host may still be sending what is in its ring. */
void hostnet_leave_ring(struct hostnet *h);
bool hostnet_give_rings(enum hc_net_memory kind);

/* hostnet_stream.c */
int64_t hostnet_stream_send(struct hostnet *h, struct sock_msg *m);
int64_t hostnet_stream_send_file(struct hostnet *h, uint32_t handle, int64_t offset, uint64_t len);
/* Has the loader send what is there now. */
void hostnet_stream_push(struct hostnet *h);
uint32_t proxy_unsent(struct hostnet *h);
uint32_t proxy_readable(struct hostnet *h);
int64_t hostnet_stream_recv(struct hostnet *h, struct sock_msg *m);
uint32_t hostnet_stream_poll(struct hostnet *h);
/* There are news: tells of urgent data. */
void hostnet_stream_look(struct hostnet *h);
int hostnet_stream_error(struct hostnet *h);
/* Reads a record of a listening socket: false: there is none. */
bool hostnet_take_record(struct hostnet *h, struct hc_net_accepted *out);

/* hostnet_message.c: by calls. */
int64_t hostnet_message_send(struct hostnet *h, struct sock_msg *m);
int64_t hostnet_message_recv(struct hostnet *h, struct sock_msg *m);

static inline uint32_t net_load(const uint32_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}
static inline void net_store(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

#endif
