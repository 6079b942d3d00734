/* SPDX-License-Identifier: MIT */
/* NET_SEND and NET_RECV: messages that go by calls, and the way from a call to its socket.  Owns
 * nothing. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stddef.h>
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

/* Control messages that the guest may send.  Others choose a way past the rules (source routes) or
 * are the host's affair. */
static bool may_send_control(int level, int type) {
    switch (level) {
    case IPPROTO_IP:
        return type == IP_PKTINFO || type == IP_TTL || type == IP_TOS;
    case IPPROTO_IPV6:
        return type == IPV6_PKTINFO || type == IPV6_HOPLIMIT || type == IPV6_TCLASS;
    case IPPROTO_UDP:
        return type == UDP_SEGMENT;
    default:
        return false;
    }
}

/* In user mode the guest's addresses and interfaces are its own. */
static bool is_source(int level, int type) {
    return (level == IPPROTO_IP && type == IP_PKTINFO) ||
           (level == IPPROTO_IPV6 && type == IPV6_PKTINFO);
}

/* The guest's interfaces have numbers of their own: the route decides. */
static void forget_interface(struct cmsghdr *c, uint8_t *at) {
    static const int none;
    size_t where = c->cmsg_level == IPPROTO_IP ? offsetof(struct in_pktinfo, ipi_ifindex)
                                               : offsetof(struct in6_pktinfo, ipi6_ifindex);
    if (c->cmsg_len >= CMSG_LEN(where + sizeof(none)))
        memcpy(at + CMSG_LEN(where), &none, sizeof(none));
}

/* Copies what the host is to know into `out` (HC_NET_CONTROL bytes).  Not by CMSG_NXTHDR: that
 * passes over a last one without padding, which the host's kernel does not. */
static int read_control(struct msghdr *m, const struct hc_net_message *a, uint8_t *out) {
    uint8_t in[HC_NET_CONTROL];
    struct cmsghdr c;
    size_t used = 0;
    if (a->control_len > sizeof(in)) return -EINVAL;
    if (a->control_len > 0 && guest_copy_in(in, a->control, a->control_len) != 0) return -EFAULT;
    for (size_t at = 0; at < a->control_len; at += CMSG_ALIGN(c.cmsg_len)) {
        if (a->control_len - at < sizeof(c)) break;
        memcpy(&c, in + at, sizeof(c));
        if (c.cmsg_len < sizeof(c) || c.cmsg_len > a->control_len - at) return -EINVAL;
        if (!may_send_control(c.cmsg_level, c.cmsg_type)) return -EINVAL;
        if (net_call_mode() == HC_NET_USER && is_source(c.cmsg_level, c.cmsg_type)) continue;
        memcpy(out + used, in + at, c.cmsg_len);
        if (is_source(c.cmsg_level, c.cmsg_type)) forget_interface(&c, out + used);
        used += CMSG_ALIGN(c.cmsg_len);
    }
    m->msg_control = used > 0 ? out : NULL;
    m->msg_controllen = used;
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
    if (to.family == AF_INET6 && s->fd_family == AF_INET)
        return s->family == AF_INET ? -EAFNOSUPPORT : -ENETUNREACH;
    int r = may_send(s, &to);
    if (r != 0) return r;
    m->msg_namelen = net_addr_sockaddr(&to, s->fd_family, m->msg_name);
    return 0;
}

int64_t net_call_send(struct net_socket *s, struct hc_net_message *a) {
    struct sockaddr_storage name;
    struct iovec iov[HC_MAX_SEGS];
    _Alignas(8) uint8_t control[HC_NET_CONTROL] = {0};
    struct msghdr m = {.msg_name = &name, .msg_iov = iov, .msg_iovlen = a->count};
    if (net_has_unsent(s)) return -EAGAIN; /* it comes first */
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
    _Alignas(8) uint8_t control[HC_NET_CONTROL] = {0}; /* the host leaves gaps */
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
    a->result_flags = (uint32_t)(m.msg_flags & ~MSG_CMSG_CLOEXEC); /* which was not the guest's */
    a->addr.len = 0;
    if (m.msg_namelen > 0) net_addr_write(&a->addr, &name, s->family, 0);
    if (!(a->flags & MSG_ERRQUEUE)) note_peer(s, &a->addr); /* there: whom a message was for */
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
