/* SPDX-License-Identifier: MIT */
/* What is behind kernel/hostnet.h: sockets of the host (hostnet*.c), or a TCP/IP stack of the
 * guest's own at a network device (lwip_*.c).  Members are as the functions there. */
#ifndef HOSTNET_OPS_H
#define HOSTNET_OPS_H

#include <kernel/hostnet.h>

struct hostnet_ops {
    int (*open)(int family, int type, int protocol, struct waitq *q, struct hostnet **out);
    int (*bind)(struct hostnet *h, const struct sock_addr *a);
    int (*listen)(struct hostnet *h, uint32_t backlog);
    int (*accept)(struct hostnet *h, struct waitq *q, struct hostnet **out, struct sock_addr *peer);
    int (*connect)(struct hostnet *h, const struct sock_addr *a);
    int64_t (*send)(struct hostnet *h, struct sock_msg *m);
    int64_t (*recv)(struct hostnet *h, struct sock_msg *m);
    int64_t (*send_file)(struct hostnet *h, uint32_t handle, int64_t offset, uint64_t len);
    uint32_t (*readable)(struct hostnet *h);
    uint32_t (*unsent)(struct hostnet *h);
    uint32_t (*poll)(struct hostnet *h);
    int (*setopt)(struct hostnet *h, int level, int name, const void *value, uint32_t len);
    int (*getopt)(struct hostnet *h, int level, int name, void *value, uint32_t *len);
    int (*getname)(struct hostnet *h, bool peer, struct sock_addr *out);
    int (*error)(struct hostnet *h);
    void (*shutdown)(struct hostnet *h, uint32_t how);
    void (*close)(struct hostnet *h);
    void (*look)(void);
};
extern const struct hostnet_ops hostnet_proxy, hostnet_stack;

#endif
