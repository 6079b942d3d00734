/* SPDX-License-Identifier: MIT */
/* No network outside the guest: no host socket is ever opened. */
#include <kernel/hostnet.h>

enum hostnet_mode hostnet_mode(void) { return HOSTNET_NONE; }

int hostnet_open(int family, int type, int protocol, struct waitq *q, struct hostnet **out) {
    return -ENETUNREACH;
}

int hostnet_bind(struct hostnet *h, const struct sock_addr *a) { return -ENETUNREACH; }
int hostnet_listen(struct hostnet *h, uint32_t backlog) { return -EACCES; }
int hostnet_accept(struct hostnet *h, struct waitq *q, struct hostnet **out,
                   struct sock_addr *peer) {
    return -EAGAIN;
}
int hostnet_connect(struct hostnet *h, const struct sock_addr *a) { return -ENETUNREACH; }
int64_t hostnet_send(struct hostnet *h, struct sock_msg *m) { return -ENETUNREACH; }
int64_t hostnet_recv(struct hostnet *h, struct sock_msg *m) { return -EAGAIN; }
uint32_t hostnet_poll(struct hostnet *h) { return 0; }
int hostnet_setopt(struct hostnet *h, int level, int name, const void *value, uint32_t len) {
    return -ENOPROTOOPT;
}
int hostnet_getopt(struct hostnet *h, int level, int name, void *value, uint32_t *len) {
    return -ENOPROTOOPT;
}
int hostnet_getname(struct hostnet *h, bool peer, struct sock_addr *out) { return -ENOTCONN; }
int hostnet_error(struct hostnet *h) { return 0; }
void hostnet_shutdown(struct hostnet *h, uint32_t how) {}
void hostnet_close(struct hostnet *h) {}
