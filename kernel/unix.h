/* SPDX-License-Identifier: MIT */
/* Private to unix_*.c: sockets of AF_UNIX. unix(7).
 *
 * A socket has a queue of messages that were sent to it.  A message counts against the sender's
 * SO_SNDBUF until it has been read, and holds a reference to the sender.  Closing a socket makes
 * it dead; its memory stays until the last reference is gone. */
#ifndef UNIX_H
#define UNIX_H

#include <kernel/socket.h>

enum unix_state { UNIX_CLOSED, UNIX_LISTENING, UNIX_CONNECTED };

/* Files on their way to another socket. */
struct unix_rights {
    struct unix_rights *next; /* while they wait to be freed */
    uint32_t count;
    struct file *files[]; /* owned */
};

/* Control data that comes with a message. */
struct unix_scm {
    struct unix_rights *rights; /* owned, NULL: none */
    struct k_ucred cred;
};

struct unix_message {
    TAILQ_ENTRY(unix_message) link;
    struct unix_sock *sender; /* a reference */
    struct unix_scm scm;
    uint32_t len, read; /* bytes; read: taken from the front by a stream */
    uint32_t charge;    /* bytes that count against the sender */
    bool peeked;
    char data[];
};
TAILQ_HEAD(unix_messages, unix_message);

struct unix_sock {
    struct socket sock; /* first */
    uint32_t refs;
    enum unix_state state;
    bool dead;
    struct unix_sock *peer; /* a reference; may be dead */
    struct sock_addr name;  /* len 0: unnamed */
    struct unix_messages queue;
    uint32_t queued;   /* messages, or connections that wait for accept(2) */
    uint32_t backlog;  /* of either: how many more than this there may be before others wait */
    uint64_t arrivals; /* ever */
    uint32_t charged;  /* bytes sent and not yet read by others */
    TAILQ_HEAD(, unix_sock) pending; /* connections that wait; a reference each */
    TAILQ_ENTRY(unix_sock) pending_link;
    TAILQ_ENTRY(unix_sock) all_link;
    /* Bound: found by the name (abstract) or by the file system's object. */
    struct unix_sock *bound_next;
    bool bound;
    uint64_t dev, ino; /* ino 0: an abstract name */
    /* Of the collector. */
    uint32_t inflight; /* messages that carry the socket's file */
    TAILQ_ENTRY(unix_sock) flying_link;
    bool reachable;
    struct unix_sock *gc_next;
};
TAILQ_HEAD(unix_socks, unix_sock);
extern struct unix_socks unix_all;

static inline struct unix_sock *unix_of(struct socket *s) { return (struct unix_sock *)s; }
static inline bool unix_stream_like(const struct unix_sock *u) {
    return u->sock.type != SOCK_DGRAM;
}
static inline bool unix_full(const struct unix_sock *u) { return u->queued > u->backlog; }
static inline void unix_wake(struct unix_sock *u) { waitq_wake(&u->sock.waitq, 0); }

extern const struct socket_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops;

/* unix_socket.c */
int unix_create(int type, int protocol, struct socket **out);
struct unix_sock *unix_new(int type);
void unix_ref(struct unix_sock *u);
void unix_unref(struct unix_sock *u);
/* Makes u dead, drops what is queued and one reference.  embryo: was never accepted. */
void unix_close(struct unix_sock *u, bool embryo);
/* Credentials of the calling process as SO_PEERCRED shows them. */
struct k_ucred unix_own_cred(void);
int unix_shutdown(struct socket *s, uint32_t how);
int unix_getname(struct socket *s, bool peer, struct sock_addr *out);
int64_t unix_ioctl(struct socket *s, uint32_t request, gva_t arg);
void unix_release(struct socket *s);
int unix_pair(struct socket *a, struct socket *b);

/* unix_poll.c */
uint32_t unix_stream_poll(struct socket *s);
uint32_t unix_dgram_poll(struct socket *s);

/* unix_name.c */
int unix_bind(struct socket *s, const struct sock_addr *addr);
/* Gives u an abstract name of its own if it has none and passes credentials. */
int unix_autobind_sender(struct unix_sock *u);
void unix_unbind(struct unix_sock *u);
int unix_check_addr(const struct sock_addr *addr);
/* The socket with this name and type, with a reference. */
int unix_find(const struct sock_addr *addr, int type, struct unix_sock **out);

/* unix_connect.c */
int unix_listen(struct socket *s, uint32_t backlog);
int unix_accept(struct socket *s, bool nonblock, struct socket **out);
int unix_stream_connect(struct socket *s, const struct sock_addr *addr, bool nonblock);
int unix_dgram_connect(struct socket *s, const struct sock_addr *addr, bool nonblock);

/* unix_message.c */
/* Waits for room in u's send buffer, then makes a message of len bytes that counts against it. */
int unix_message_new(struct unix_sock *u, uint32_t len, int64_t deadline_ns,
                     struct unix_message **out);
/* Puts m at the end of `to`'s queue; it takes the control data along (*scm is left empty). */
void unix_message_queue(struct unix_sock *to, struct unix_message *m, struct unix_sock *from,
                        struct unix_scm *scm);
/* For waiting: u, a struct unix_sock, takes another message or connection, or never will. */
bool unix_has_room(void *u);
/* Takes m off u's queue. */
void unix_message_take(struct unix_sock *u, struct unix_message *m);
void unix_message_free(struct unix_message *m);
/* Empties the queue. */
void unix_purge(struct unix_sock *u);
/* SO_PEEK_OFF: where a peek starts, and how it moves. */
uint32_t unix_peek_start(const struct unix_sock *u, uint32_t flags);
void unix_peek_moved(struct unix_sock *u, bool peek, uint32_t bytes);

/* unix_rights.c */
/* The control messages of a send: descriptors become files. */
int unix_scm_read(const struct sock_msg *m, struct unix_scm *scm);
void unix_scm_drop(struct unix_scm *scm);
/* Gives the receiver what a message carried; drops what does not fit. */
void unix_scm_give(struct unix_sock *u, struct sock_msg *m, struct unix_scm *scm);
/* Marks the files as being in a message, or not any longer. */
int unix_rights_may_fly(const struct unix_rights *rights);
void unix_rights_fly(struct unix_rights *rights);
void unix_rights_land(struct unix_rights *rights);
struct unix_rights *unix_rights_copy(const struct unix_rights *rights);

/* unix_gc.c */
/* u's file is in one message more, or less. */
void unix_gc_fly(struct unix_sock *u);
void unix_gc_land(struct unix_sock *u);
/* Frees sockets that only messages in queues of such sockets refer to. */
void unix_collect(void);

/* unix_stream.c, unix_dgram.c */
int64_t unix_stream_send(struct socket *s, struct sock_msg *m);
int64_t unix_stream_recv(struct socket *s, struct sock_msg *m);
int64_t unix_dgram_send(struct socket *s, struct sock_msg *m);
int64_t unix_dgram_recv(struct socket *s, struct sock_msg *m);
int64_t unix_seqpacket_send(struct socket *s, struct sock_msg *m);
int64_t unix_seqpacket_recv(struct socket *s, struct sock_msg *m);
/* u's peer is another one now, or none: what is queued came from the old one. */
void unix_dgram_disconnected(struct unix_sock *u, struct unix_sock *old);

#endif
