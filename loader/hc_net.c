/* SPDX-License-Identifier: MIT */
/* The NET_* calls but transfers and options: set-up and addresses.  Every number, family and
 * address of the guest is checked here.  Owns nothing. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hermit/layout.h>
#include <loader/guest_mem.h>
#include <loader/hc_path.h>
#include <loader/net_call.h>

int64_t hc_net_start(union hc_args *args) {
    int64_t r = net_call_mode();
    if (r == HC_NET_NONE) return r;
    net_lock();
    if (net_started())
        r = -EALREADY;
    else if (args->net_start.net % 64 != 0 || !net_queue_start(args->net_start.net))
        r = -EFAULT;
    else if (net_start_service() != 0)
        r = -ENOMEM;
    net_unlock();
    return r;
}

int64_t hc_net_give(union hc_args *args) {
    const struct hc_net_give *a = &args->net_give;
    bool slots = a->kind == HC_NET_MEM_SLOTS;
    if (!net_started() || a->kind > HC_NET_MEM_TX || a->gpa % HERMIT_PAGE_SIZE != 0) return -EINVAL;
    if (!slots && (a->count == 0 || a->count > HC_NET_RINGS)) return -EINVAL;
    uint64_t bytes =
        slots ? HC_NET_SLOTS * sizeof(struct hc_net_slot) : (uint64_t)a->count * HC_NET_RING;
    void *at = guest_ptr(a->gpa, bytes);
    if (at == NULL) return -EFAULT;
    net_lock();
    int r = slots ? net_add_slots(at) : net_add_rings(a->kind, at, a->count);
    net_unlock();
    return r;
}

static bool may_open(const struct hc_net_open *a) {
    uint32_t protocol = a->protocol;
    if (a->family != AF_INET && a->family != AF_INET6) return false;
    if (a->type == SOCK_STREAM) return protocol == 0 || protocol == IPPROTO_TCP;
    if (a->type != SOCK_DGRAM) return false;
    uint32_t ping = a->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    return protocol == 0 || protocol == IPPROTO_UDP || protocol == ping;
}

static int64_t open_socket(struct hc_net_open *a) {
    int family = (int)a->family, type = (int)a->type, protocol = (int)a->protocol;
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd < 0 && errno == EMFILE && fd_limit_raise())
        fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd < 0) return -errno;
    struct net_socket *s = net_new(fd, family, type, protocol);
    if (s == NULL) {
        close(fd);
        return -ENOBUFS;
    }
    int r = type == SOCK_STREAM ? 0 : net_watch(s);
    if (r != 0) {
        net_destroy(s);
        return r;
    }
    a->generation = s->generation;
    return s->number;
}

int64_t hc_net_open(union hc_args *args) {
    if (!net_started()) return -ENETUNREACH;
    if (!may_open(&args->net_open)) return -EPROTONOSUPPORT;
    net_lock();
    int64_t r = open_socket(&args->net_open);
    net_unlock();
    return r;
}

static int64_t bind_here(struct net_socket *s, const struct net_addr *a) {
    struct sockaddr_storage to;
    socklen_t len = net_addr_sockaddr(a, s->family, &to);
    return bind(s->fd, (struct sockaddr *)&to, len) == 0 ? 0 : -errno;
}

/* User mode: the guest's ports are its own.  One that is published leads to the host's; any other
 * is bound inside only. */
static int64_t bind_in_user_mode(struct net_socket *s, const struct net_addr *a) {
    bool stream = s->type == SOCK_STREAM;
    if (s->port != NULL) return -EINVAL;
    s->bound = a->port != 0;
    s->bound_to = *a;
    if (stream || a->port == 0 || s->protocol == IPPROTO_ICMP || s->protocol == IPPROTO_ICMPV6)
        return 0;
    struct net_port *p = net_port_find(true, a->port);
    if (p == NULL) return 0;
    int r = net_port_give(p, s);
    return r == 0 ? net_watch(s) : r;
}

int64_t net_call_bind(struct net_socket *s, struct hc_net_name *a) {
    struct net_addr to;
    if (!net_addr_read(&to, &a->addr)) return -EINVAL;
    if (to.family == AF_INET6 && s->family == AF_INET) return -EAFNOSUPPORT;
    return net_call_mode() == HC_NET_USER ? bind_in_user_mode(s, &to) : bind_here(s, &to);
}

int64_t net_call_listen(struct net_socket *s, struct hc_net_name *a) {
    return net_listen(s, a->flags);
}

static int64_t connect_stream(struct net_socket *s, const struct sockaddr *to, socklen_t len) {
    if (s->state & HC_NET_LISTENING) return -EISCONN;
    if (s->state & HC_NET_CONNECTED) return -EISCONN;
    if (s->state & HC_NET_CONNECTING) return -EALREADY;
    int r = net_watch(s);
    if (r != 0) return r;
    net_listener_end(s); /* it will not listen */
    net_set_state(s, HC_NET_CONNECTING, ~0u);
    if (connect(s->fd, to, len) == 0) {
        net_set_state(s, HC_NET_CONNECTED, HC_NET_CONNECTING);
        return 0;
    }
    if (errno == EINPROGRESS) return -EINPROGRESS;
    r = -errno;
    net_set_state(s, 0, ~0u);
    return r;
}

int64_t net_call_connect(struct net_socket *s, struct hc_net_name *a) {
    struct sockaddr_storage storage;
    struct net_addr to;
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    sa_family_t family;
    memcpy(&family, a->addr.bytes, sizeof(family));
    if (a->addr.len >= sizeof(family) && family == AF_UNSPEC && s->type != SOCK_STREAM)
        return connect(s->fd, &nobody, sizeof(nobody)) == 0 ? 0 : -errno;
    if (!net_addr_read(&to, &a->addr)) return -EINVAL;
    if (to.family == AF_INET6 && s->fd_family == AF_INET)
        return s->family == AF_INET ? -EAFNOSUPPORT : -ENETUNREACH;
    int r = net_policy_check(&to);
    if (r != 0) return r;
    socklen_t len = net_addr_sockaddr(&to, s->fd_family, &storage);
    if (s->type == SOCK_STREAM) return connect_stream(s, (struct sockaddr *)&storage, len);
    return connect(s->fd, (struct sockaddr *)&storage, len) == 0 ? 0 : -errno;
}

int64_t net_call_name(struct net_socket *s, struct hc_net_name *a) {
    struct sockaddr_storage name;
    socklen_t len = sizeof(name);
    bool peer = a->flags != 0;
    int r = peer ? getpeername(s->fd, (struct sockaddr *)&name, &len)
                 : getsockname(s->fd, (struct sockaddr *)&name, &len);
    if (r != 0) return -errno;
    bool published = !peer && s->port != NULL;
    net_addr_write(&a->addr, &name, s->family, published ? net_port_guest(s->port) : 0);
    return 0;
}
