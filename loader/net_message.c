/* SPDX-License-Identifier: MIT */
/* NET_SEND and NET_RECV: messages that go by calls, and the way from a call to its socket.  Owns
 * nothing. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <loader/guest_mem.h>
#include <loader/net_call.h>

#define SEND_FLAGS (MSG_OOB | MSG_DONTROUTE | MSG_CONFIRM | MSG_MORE | MSG_EOR)
#define RECV_FLAGS (MSG_OOB | MSG_PEEK | MSG_TRUNC | MSG_ERRQUEUE)
#define EVENTS (POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLWRNORM | POLLRDHUP)

/* What poll(2) says after the call, and the count of edges that it belongs to: a later one is
 * news. */
static void note_ready(const struct net_socket *s, struct hc_net_message *a) {
    struct pollfd p = {.fd = s->fd, .events = EVENTS};
    a->ready = poll(&p, 1, 0) >= 0 ? (uint16_t)p.revents : 0;
    a->edges = s->slot->edges;
}

/* Control messages to send: those of the internet protocols alone. */
static int read_control(struct msghdr *m, const struct hc_net_message *a, void *buf) {
    if (a->control_len == 0) return 0;
    if (a->control_len > HC_NET_CONTROL) return -EINVAL;
    if (guest_copy_in(buf, a->control, a->control_len) != 0) return -EFAULT;
    m->msg_control = buf;
    m->msg_controllen = a->control_len;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_len < sizeof(*c)) return -EINVAL;
        if (c->cmsg_level != IPPROTO_IP && c->cmsg_level != IPPROTO_IPV6 &&
            c->cmsg_level != IPPROTO_UDP)
            return -EINVAL;
    }
    return 0;
}

/* A program may answer who sends to its published port from the host's loopback, and nobody else
 * there.  The last PEERS of them are known. */
#define PEERS 256

struct net_peers {
    uint32_t next;
    struct net_addr known[PEERS];
};

static bool is_peer(const struct net_peers *p, const struct net_addr *a) {
    for (uint32_t i = 0; p != NULL && i < PEERS; i++) {
        const struct net_addr *k = &p->known[i];
        if (k->family == a->family && k->port == a->port && memcmp(k->bytes, a->bytes, 16) == 0)
            return true;
    }
    return false;
}

static void note_peer(struct net_socket *s, const struct hc_net_addr *from) {
    struct net_addr a;
    if (s->port == NULL || !net_addr_read(&a, from) || !net_addr_is_loopback(&a)) return;
    if (is_peer(s->peers, &a)) return;
    if (s->peers == NULL) s->peers = calloc(1, sizeof(*s->peers));
    if (s->peers != NULL) s->peers->known[s->peers->next++ % PEERS] = a;
}

static int may_send(struct net_socket *s, const struct net_addr *to) {
    bool published = s->port != NULL && net_addr_is_loopback(to);
    if (published) return is_peer(s->peers, to) ? 0 : -EHOSTUNREACH;
    return net_policy_check(to);
}

static int64_t destination(struct net_socket *s, struct msghdr *m, const struct hc_net_addr *a) {
    struct net_addr to;
    if (a->len == 0) return 0;
    if (!net_addr_read(&to, a)) return -EINVAL;
    if (to.family == AF_INET6 && s->family == AF_INET) return -EAFNOSUPPORT;
    int r = may_send(s, &to);
    if (r != 0) return r;
    m->msg_namelen = net_addr_sockaddr(&to, s->family, m->msg_name);
    return 0;
}

int64_t net_call_send(struct net_socket *s, struct hc_net_message *a) {
    struct sockaddr_storage name;
    struct iovec iov[HC_MAX_SEGS];
    _Alignas(8) uint8_t control[HC_NET_CONTROL];
    struct msghdr m = {.msg_name = &name, .msg_iov = iov, .msg_iovlen = a->count};
    int64_t r = guest_iov(a->segs, a->count, iov);
    if (r < 0) return r;
    r = destination(s, &m, &a->addr);
    if (r == 0) r = read_control(&m, a, control);
    if (r != 0) return r;
    if (m.msg_namelen == 0) m.msg_name = NULL;
    int flags = (int)a->flags & SEND_FLAGS;
    ssize_t n = sendmsg(s->fd, &m, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
    r = n < 0 ? -errno : n;
    note_ready(s, a);
    return r;
}

int64_t net_call_recv(struct net_socket *s, struct hc_net_message *a) {
    struct sockaddr_storage name;
    struct iovec iov[HC_MAX_SEGS];
    _Alignas(8) uint8_t control[HC_NET_CONTROL];
    struct msghdr m = {.msg_name = &name,
                       .msg_namelen = sizeof(name),
                       .msg_iov = iov,
                       .msg_iovlen = a->count,
                       .msg_control = control,
                       .msg_controllen = a->control_len};
    if (a->control_len > sizeof(control)) return -EINVAL;
    int64_t r = guest_iov(a->segs, a->count, iov);
    if (r < 0) return r;
    ssize_t n = recvmsg(s->fd, &m, ((int)a->flags & RECV_FLAGS) | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    r = n < 0 ? -errno : n;
    note_ready(s, a);
    if (r < 0) return r;
    a->result_flags = (uint32_t)m.msg_flags;
    a->addr.len = 0;
    if (m.msg_namelen > 0) net_addr_write(&a->addr, &name, s->family, 0);
    note_peer(s, &a->addr);
    a->control_len = (uint32_t)m.msg_controllen;
    if (a->control_len > 0 && guest_copy_out(a->control, control, a->control_len) != 0)
        return -EFAULT;
    return r;
}

/* hc_net_X(): with the socket that the guest names. */
#define CALL(name, member)                                                                         \
    int64_t hc_net_##name(union hc_args *args) {                                                   \
        net_lock();                                                                                \
        if (net_started()) net_run_commands(); /* they were given before */                        \
        struct net_socket *s = net_get(args->member.number);                                       \
        int64_t r = s != NULL && !s->closing ? net_call_##name(s, &args->member) : -EBADF;         \
        net_unlock();                                                                              \
        return r;                                                                                  \
    }
CALL(bind, net_name)
CALL(listen, net_name)
CALL(connect, net_name)
CALL(name, net_name)
CALL(send, net_message)
CALL(recv, net_message)
CALL(setopt, net_option)
CALL(getopt, net_option)
