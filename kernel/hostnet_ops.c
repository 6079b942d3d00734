/* SPDX-License-Identifier: MIT */
/* Which network the guest has: chosen once, by the boot block.  Owns nothing. */
#include "hostnet_ops.h"

#include <hermit/boot.h>
#include <kernel/hc.h>

enum hostnet_mode hostnet_mode(void) { return (enum hostnet_mode)boot_info()->net; }

static const struct hostnet_ops *ops(void) {
    return hostnet_mode() == HOSTNET_TAP ? &hostnet_stack : &hostnet_proxy;
}

int hostnet_open(int family, int type, int protocol, struct waitq *q, struct hostnet **out) {
    return ops()->open(family, type, protocol, q, out);
}
int hostnet_bind(struct hostnet *h, const struct sock_addr *a) { return ops()->bind(h, a); }
int hostnet_listen(struct hostnet *h, uint32_t backlog) { return ops()->listen(h, backlog); }
int hostnet_accept(struct hostnet *h, struct waitq *q, struct hostnet **out,
                   struct sock_addr *peer) {
    return ops()->accept(h, q, out, peer);
}
int hostnet_connect(struct hostnet *h, const struct sock_addr *a) { return ops()->connect(h, a); }
int64_t hostnet_send(struct hostnet *h, struct sock_msg *m) { return ops()->send(h, m); }
int64_t hostnet_recv(struct hostnet *h, struct sock_msg *m) { return ops()->recv(h, m); }
int64_t hostnet_send_file(struct hostnet *h, uint32_t handle, int64_t offset, uint64_t len) {
    return ops()->send_file != NULL ? ops()->send_file(h, handle, offset, len) : -EOPNOTSUPP;
}
uint32_t hostnet_readable(struct hostnet *h) { return ops()->readable(h); }
uint32_t hostnet_unsent(struct hostnet *h) { return ops()->unsent(h); }
uint32_t hostnet_poll(struct hostnet *h) { return ops()->poll(h); }
int hostnet_setopt(struct hostnet *h, int level, int name, const void *value, uint32_t len) {
    return ops()->setopt(h, level, name, value, len);
}
int hostnet_getopt(struct hostnet *h, int level, int name, void *value, uint32_t *len) {
    return ops()->getopt(h, level, name, value, len);
}
int hostnet_getname(struct hostnet *h, bool peer, struct sock_addr *out) {
    return ops()->getname(h, peer, out);
}
int hostnet_error(struct hostnet *h) { return ops()->error(h); }
void hostnet_shutdown(struct hostnet *h, uint32_t how) { ops()->shutdown(h, how); }
void hostnet_close(struct hostnet *h) { ops()->close(h); }
void hostnet_look(void) {
    if (hostnet_mode() != HOSTNET_NONE) ops()->look();
}
