/* SPDX-License-Identifier: MIT */
/* AF_NETLINK: sockets whose other end is the kernel.  Each request is answered at once: its answer
 * lies in the socket's queue when send returns.  NETLINK_ROUTE only. netlink(7). */
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "netlink.h"

#define SOL_NETLINK 270
#define LARGEST_REQUEST 65536u
#define PADDED(n) (((n) + 3u) & ~3u)

struct answer {
    TAILQ_ENTRY(answer) link;
    uint8_t *data; /* owned */
    uint32_t len;
};

struct netlink_sock {
    struct socket sock; /* first */
    TAILQ_HEAD(, answer) queue;
    LIST_ENTRY(netlink_sock) link;
    uint64_t arrivals;
    uint32_t port, groups; /* port 0: not bound */
    uint32_t charged;      /* bytes in the queue */
};

static LIST_HEAD(, netlink_sock) all = LIST_HEAD_INITIALIZER(all);

static struct netlink_sock *netlink_of(struct socket *s) { return (struct netlink_sock *)s; }

void netlink_put(struct netlink_text *t, const void *data, uint32_t len) {
    uint32_t need = t->len + PADDED(len);

    if (t->failed) return;
    if (need > t->size) {
        uint32_t size = max(need, max(t->size * 2, 1024u));
        uint8_t *bigger = krealloc(t->data, size);

        t->failed = bigger == NULL;
        if (t->failed) return;
        t->data = bigger;
        t->size = size;
    }
    memset(t->data + t->len, 0, PADDED(len));
    memcpy(t->data + t->len, data, len);
    t->len = need;
}

uint32_t netlink_begin(struct netlink_text *t, const struct netlink_asker *who, uint16_t type,
                       uint16_t flags) {
    struct nlmsghdr h = {.nlmsg_type = type,
                         .nlmsg_flags = flags,
                         .nlmsg_seq = who->sequence,
                         .nlmsg_pid = who->port};
    uint32_t start = t->len;

    netlink_put(t, &h, sizeof(h));
    return start;
}

void netlink_end(struct netlink_text *t, uint32_t start) {
    uint32_t len = t->len - start;

    if (!t->failed) memcpy(t->data + start, &len, sizeof(len)); /* nlmsg_len comes first */
}

void netlink_attribute(struct netlink_text *t, uint16_t type, const void *data, uint32_t len) {
    struct nlattr a = {.nla_len = (uint16_t)(sizeof(a) + len), .nla_type = type};

    netlink_put(t, &a, sizeof(a));
    netlink_put(t, data, len);
}

void netlink_attribute32(struct netlink_text *t, uint16_t type, uint32_t value) {
    netlink_attribute(t, type, &value, sizeof(value));
}

static int create(int type, int protocol, struct socket **out);
const struct socket_family netlink_family = {.family = AF_NETLINK, .create = create};

static bool port_is_taken(uint32_t port) {
    const struct netlink_sock *n;

    LIST_FOREACH(n, &all, link) {
        if (n->port == port) return true;
    }
    return false;
}

static void autobind(struct netlink_sock *n) {
    uint32_t port = (uint32_t)current_process()->pid;

    while (port_is_taken(port) || port == 0)
        port = port > INT32_MAX ? port - 1 : UINT32_MAX - 4096;
    n->port = port;
}

static int netlink_bind(struct socket *s, const struct sock_addr *addr) {
    struct netlink_sock *n = netlink_of(s);

    if (addr->len < sizeof(addr->nl)) return -EINVAL;
    if (addr->family != AF_NETLINK) return -EINVAL;
    if (n->port != 0 && addr->nl.nl_pid != 0 && addr->nl.nl_pid != n->port) return -EINVAL;
    if (n->port == 0) {
        if (addr->nl.nl_pid != 0 && port_is_taken(addr->nl.nl_pid)) return -EADDRINUSE;
        if (addr->nl.nl_pid != 0)
            n->port = addr->nl.nl_pid;
        else
            autobind(n);
    }
    n->groups = addr->nl.nl_groups; /* nothing ever changes that they would hear of */
    return 0;
}

static int netlink_connect(struct socket *s, const struct sock_addr *addr, bool nonblock) {
    struct netlink_sock *n = netlink_of(s);

    if (addr->len < sizeof(addr->family)) return -EINVAL;
    if (addr->family == AF_UNSPEC) return 0;
    if (addr->family != AF_NETLINK || addr->len < sizeof(addr->nl)) return -EINVAL;
    if (addr->nl.nl_pid != 0) return -ECONNREFUSED;
    if (n->port == 0) autobind(n);
    return 0;
}

static int netlink_getname(struct socket *s, bool peer, struct sock_addr *out) {
    const struct netlink_sock *n = netlink_of(s);

    memset(out, 0, sizeof(*out));
    out->len = sizeof(out->nl);
    out->nl.nl_family = AF_NETLINK;
    if (peer) return 0;
    out->nl.nl_pid = n->port;
    out->nl.nl_groups = n->groups;
    return 0;
}

/* The outcome of a request: NLMSG_ERROR. */
static void put_outcome(struct netlink_text *t, const struct netlink_asker *who,
                        const struct nlmsghdr *request, int error) {
    uint32_t start = netlink_begin(t, who, NLMSG_ERROR, error == 0 ? NLM_F_CAPPED : 0);
    int32_t value = error;

    netlink_put(t, &value, sizeof(value));
    netlink_put(t, request, error == 0 ? sizeof(*request) : request->nlmsg_len);
    netlink_end(t, start);
}

static void queue(struct netlink_sock *n, struct netlink_text *t) {
    struct answer *a = t->failed || t->len == 0 ? NULL : kmalloc(sizeof(*a));

    if (a == NULL) {
        if (t->failed || t->len > 0) n->sock.error = ENOBUFS;
        kfree(t->data);
        return;
    }
    a->data = t->data;
    a->len = t->len;
    n->charged += a->len;
    n->arrivals++;
    TAILQ_INSERT_TAIL(&n->queue, a, link);
    waitq_wake(&n->sock.waitq, POLLIN | POLLRDNORM);
}

/* One request after the other; each has an answer of its own. */
static void answer_all(struct netlink_sock *n, const uint8_t *data, uint32_t len) {
    while (len >= sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *h = (const struct nlmsghdr *)data;
        struct netlink_asker who = {n->port, h->nlmsg_seq};
        struct netlink_text t = {0};
        uint32_t step;
        int r = 0;

        if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > len) return;
        if ((h->nlmsg_flags & NLM_F_REQUEST) && h->nlmsg_type >= NLMSG_MIN_TYPE)
            r = netlink_route(&t, &who, h);
        if (r < 0) t.len = 0;
        if (r < 0 || ((h->nlmsg_flags & NLM_F_ACK) && t.len == 0)) put_outcome(&t, &who, h, r);
        queue(n, &t);
        step = PADDED(h->nlmsg_len);
        if (step >= len) return;
        data += step;
        len -= step;
    }
}

static int64_t netlink_send(struct socket *s, struct sock_msg *m) {
    struct netlink_sock *n = netlink_of(s);
    uint32_t len = (uint32_t)m->data->len;
    uint8_t *data;

    if (m->flags & MSG_OOB) return -EOPNOTSUPP;
    if (m->addr != NULL) {
        if (m->addr->len < sizeof(m->addr->nl) || m->addr->family != AF_NETLINK) return -EINVAL;
        if (m->addr->nl.nl_pid != 0) return -ECONNREFUSED;
    }
    if (m->data->len > LARGEST_REQUEST) return -EMSGSIZE;
    if (n->port == 0) autobind(n);
    if (n->charged > s->rcvbuf) return -EAGAIN; /* it does not read its answers */
    data = kmalloc(max(len, 1u));
    if (data == NULL) return -ENOBUFS;
    if (uio_drain(m->data, 0, data, len)) {
        kfree(data);
        return -EFAULT;
    }
    answer_all(n, data, len);
    kfree(data);
    return len;
}

static bool has_news(void *arg) {
    const struct netlink_sock *n = arg;

    return !TAILQ_EMPTY(&n->queue) || n->sock.error != 0;
}

static int64_t netlink_recv(struct socket *s, struct sock_msg *m) {
    struct netlink_sock *n = netlink_of(s);
    int64_t deadline_ns = socket_deadline(s->recv_timeout_ns, m->flags & MSG_DONTWAIT), r;
    struct answer *a;
    uint32_t bytes;

    if (m->flags & MSG_OOB) return -EOPNOTSUPP;
    for (;;) {
        r = socket_take_error(s);
        if (r) return r;
        a = TAILQ_FIRST(&n->queue);
        if (a != NULL) break;
        r = socket_wait(&s->waitq, has_news, n, deadline_ns);
        if (r) return r;
    }
    bytes = (uint32_t)min((uint64_t)a->len, m->data->len);
    if (uio_fill(m->data, 0, a->data, bytes)) return -EFAULT;
    if (bytes < a->len) m->result_flags |= MSG_TRUNC;
    if (m->addr != NULL) netlink_getname(s, true, m->addr);
    r = m->flags & MSG_TRUNC ? a->len : bytes;
    if (m->flags & MSG_PEEK) return r;
    TAILQ_REMOVE(&n->queue, a, link);
    n->charged -= a->len;
    kfree(a->data);
    kfree(a);
    return r;
}

static uint32_t netlink_poll(struct socket *s) {
    struct netlink_sock *n = netlink_of(s);
    uint32_t events = POLLOUT | POLLWRNORM | POLLWRBAND;

    if (s->error != 0) events |= POLLERR;
    return TAILQ_EMPTY(&n->queue) ? events : events | POLLIN | POLLRDNORM;
}

/* SOL_NETLINK: what is about notifications and how errors look. */
static int netlink_setopt(struct socket *s, int level, int name, gva_t value, uint32_t len) {
    int32_t number;

    if (level != SOL_NETLINK) return -ENOPROTOOPT;
    if (len < sizeof(number)) return -EINVAL;
    if (get_user(number, value)) return -EFAULT;
    switch (name) {
    case NETLINK_ADD_MEMBERSHIP:
    case NETLINK_DROP_MEMBERSHIP:
    case NETLINK_PKTINFO:
    case NETLINK_NO_ENOBUFS:
    case NETLINK_CAP_ACK:
    case NETLINK_EXT_ACK:
    case NETLINK_GET_STRICT_CHK:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int netlink_getopt(struct socket *s, int level, int name, gva_t value, uint32_t *len) {
    return -ENOPROTOOPT;
}

static void netlink_release(struct socket *s) {
    struct netlink_sock *n = netlink_of(s);
    struct answer *a;

    while ((a = TAILQ_FIRST(&n->queue)) != NULL) {
        TAILQ_REMOVE(&n->queue, a, link);
        kfree(a->data);
        kfree(a);
    }
    LIST_REMOVE(n, link);
    kfree(n);
}

static const struct socket_ops netlink_ops = {
    .bind = netlink_bind,
    .connect = netlink_connect,
    .getname = netlink_getname,
    .send = netlink_send,
    .recv = netlink_recv,
    .poll = netlink_poll,
    .setopt = netlink_setopt,
    .getopt = netlink_getopt,
    .release = netlink_release,
};

static int create(int type, int protocol, struct socket **out) {
    struct netlink_sock *n;

    if (type != SOCK_RAW && type != SOCK_DGRAM) return -ESOCKTNOSUPPORT;
    if (protocol != NETLINK_ROUTE) return -EPROTONOSUPPORT;
    n = kzalloc(sizeof(*n));
    if (n == NULL) return -ENOBUFS;
    socket_init(&n->sock, &netlink_ops, AF_NETLINK, type, protocol);
    TAILQ_INIT(&n->queue);
    LIST_INSERT_HEAD(&all, n, link);
    *out = &n->sock;
    return 0;
}
