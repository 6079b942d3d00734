/* SPDX-License-Identifier: MIT */
/* Sockets, whatever their address family: what socket(2) makes and the socket calls work on.
 *
 * A family is a `struct socket_family` in the table of socket.c.  It embeds struct socket as the
 * first member of its own and serves struct socket_ops.  Everything that families have in common
 * (files, SOL_SOCKET options, control messages) is here. */
#ifndef KERNEL_SOCKET_H
#define KERNEL_SOCKET_H

#include <hermit/linux_socket.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>
#include <kernel/waitq.h>

struct socket;

/* An address as the program writes it: the family comes first. */
#define SOCK_ADDR_MAX 128u
struct sock_addr {
    uint32_t len; /* bytes; 0: none */
    union {
        uint16_t family;
        uint8_t bytes[SOCK_ADDR_MAX];
        struct sockaddr_un un;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_nl nl;
    };
};

struct hostnet_arrival;

/* One message on its way in or out. */
struct sock_msg {
    const struct uio *data;
    uint32_t flags; /* MSG_*; with MSG_DONTWAIT if the file does not block */
    /* Send: where to, NULL: no address given.  Receive: OUT where from (len 0: nowhere), or
     * NULL. */
    struct sock_addr *addr;
    /* Send: a kernel copy of the control messages. */
    const uint8_t *control;
    uint64_t control_len;
    /* Receive: where control messages go, and the room that is left (bytes); both move on. */
    gva_t control_at;
    uint64_t control_room;
    uint32_t result_flags;           /* receive: OUT MSG_TRUNC, MSG_CTRUNC, ... */
    struct hostnet_arrival *arrival; /* hostnet_recv(): OUT, or NULL */
};

/* Operations of a socket type.  NULL members: -EOPNOTSUPP.  All return >= 0 or -errno, and wait
 * only where they are not told not to; a caller holds the file. */
struct socket_ops {
    int (*pair)(struct socket *a, struct socket *b);
    int (*bind)(struct socket *s, const struct sock_addr *addr);
    int (*listen)(struct socket *s, uint32_t backlog);
    /* A new socket without a file, owned by the caller. */
    int (*accept)(struct socket *s, bool nonblock, struct socket **out);
    int (*connect)(struct socket *s, const struct sock_addr *addr, bool nonblock);
    int (*getname)(struct socket *s, bool peer, struct sock_addr *out);
    int64_t (*send)(struct socket *s, struct sock_msg *m);
    int64_t (*recv)(struct socket *s, struct sock_msg *m);
    /* Sends len bytes from pos on of a host file that has as many: bytes, or -EOPNOTSUPP where
     * they have to be read first. */
    int64_t (*send_file)(struct socket *s, uint32_t handle, int64_t pos, uint64_t len,
                         bool nonblock);
    int (*shutdown)(struct socket *s, uint32_t how); /* SOCK_SHUT_* */
    uint32_t (*poll)(struct socket *s);
    void (*refresh)(struct socket *s); /* brings s->error up to date; NULL: it always is */
    int64_t (*ioctl)(struct socket *s, uint32_t request, gva_t arg); /* NULL: none */
    /* Levels other than SOL_SOCKET, and of that one what socket.h does not know; -ENOPROTOOPT: not
     * known here either.  get: *len is the room in and the length out. */
    int (*setopt)(struct socket *s, int level, int name, gva_t value, uint32_t len);
    int (*getopt)(struct socket *s, int level, int name, gva_t value, uint32_t *len);
    /* The file is gone, or never came.  Frees s, now or later. */
    void (*release)(struct socket *s);
};

enum { SOCK_SHUT_RECV = 1, SOCK_SHUT_SEND = 2, SOCK_SHUT_BOTH = 3 };

struct socket {
    const struct socket_ops *ops;
    struct file *file; /* borrowed; NULL: not accepted yet, or closed */
    uint16_t family, type;
    int32_t protocol;
    uint32_t shutdown;  /* SOCK_SHUT_* */
    int32_t error;      /* positive: what the next call reports, once */
    bool listening;     /* SO_ACCEPTCONN */
    struct waitq waitq; /* woken whenever poll()'s answer may have changed */
    struct k_ucred peer_cred;

    /* fstat(2) */
    uint64_t ino;
    uint32_t mode, uid, gid;
    int64_t time_ns;

    /* SOL_SOCKET options. */
    uint64_t switches; /* bit SO_*: the options that are on or off */
    uint32_t sndbuf, rcvbuf, rcvlowat, priority, mark; /* bytes; bytes; bytes */
    int64_t send_timeout_ns, recv_timeout_ns;          /* WAIT_FOREVER: none; 0: do not wait */
    int32_t peek_offset;                               /* bytes, -1: off */
    struct k_linger linger;
};

struct socket_family {
    uint16_t family;
    /* 0 with a socket that socket_init() has filled, or -errno. */
    int (*create)(int type, int protocol, struct socket **out);
};
extern const struct socket_family unix_family, inet_family, inet6_family, netlink_family;

/* Fills the common part of a zeroed socket. */
void socket_init(struct socket *s, const struct socket_ops *ops, int family, int type,
                 int protocol);
/* socket(2) without the descriptor: the checks of family and type. */
int socket_create(int family, int type, int protocol, struct socket **out);
/* An open file for s (flags: O_NONBLOCK), which takes s over; NULL: no memory, s is released. */
struct file *socket_file(struct socket *s, uint32_t flags);
/* sendfile(2) from a host file, `in`, without reading it; -EOPNOTSUPP: read and write instead. */
int64_t socket_send_file(struct file *out, struct file *in, int64_t pos, uint64_t len);
/* The socket behind a file, or NULL. */
struct socket *socket_of(const struct file *f);
static inline bool socket_has(const struct socket *s, int option) {
    return s->switches >> option & 1;
}

/* Takes the pending error: 0 or -errno. */
int socket_take_error(struct socket *s);
/* When a call that may wait has to give up: WAIT_FOREVER, 0 (at once) or CLOCK_MONOTONIC. */
int64_t socket_deadline(int64_t timeout_ns, bool nonblock);
/* Waits on q: 0, -EAGAIN at the deadline, -ERESTARTSYS, or -EINTR where the call has a timeout. */
int socket_wait(struct waitq *q, bool (*ready)(void *arg), void *arg, int64_t deadline_ns);

/* ioctl(2) about interfaces, which every socket answers; -ENOTTY: not one of these.
 * netdevice(7). */
int64_t socket_ioctl_interface(uint32_t request, gva_t arg);

/* SOL_SOCKET: socket(7). */
int socket_setopt(struct socket *s, int name, gva_t value, uint32_t len);
int socket_getopt(struct socket *s, int name, gva_t value, uint32_t *len);

/* cmsg(3).  The next control message of a send at *at (0 at first): its header and data, or NULL
 * with *bad set where it is malformed. */
const struct k_cmsghdr *control_next(const struct sock_msg *m, uint64_t *at, bool *bad);
/* Gives the receiver a control message; what does not fit is cut and flagged MSG_CTRUNC. */
int control_put(struct sock_msg *m, int level, int type, const void *data, uint32_t len);
/* SCM_RIGHTS: installs as many files as there is room for; true if all were. */
bool control_put_files(struct sock_msg *m, struct file *const *files, uint32_t count);

#endif
