/* SPDX-License-Identifier: MIT */
/* kernel/hostnet.h by lwIP: what connections and datagram sockets have in common.  Owns struct
 * stack_sock and the list of those that are to be woken. */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/string.h>

#include "hostnet_ops.h"
#include "lwip_stack.h"

static struct stack_list woken = TAILQ_HEAD_INITIALIZER(woken);

struct stack_sock *stack_new(int family, int type, int protocol, struct waitq *q) {
    struct stack_sock *s = kzalloc(sizeof(*s));
    if (s == NULL) return NULL;
    s->q = q;
    s->family = (uint16_t)family;
    s->type = (uint16_t)type;
    s->protocol = protocol;
    TAILQ_INIT(&s->queue);
    TAILQ_INIT(&s->ready);
    return s;
}

void stack_free(struct stack_sock *s) {
    while (!TAILQ_EMPTY(&s->queue))
        stack_pop(s);
    if (s->woken) TAILQ_REMOVE(&woken, s, woken_link);
    kfree(s);
}

void stack_note(struct stack_sock *s) {
    if (s->woken) return;
    s->woken = true;
    TAILQ_INSERT_TAIL(&woken, s, woken_link);
}

void stack_wake_all(void) {
    struct stack_sock *s;
    while ((s = TAILQ_FIRST(&woken)) != NULL) {
        TAILQ_REMOVE(&woken, s, woken_link);
        s->woken = false;
        if (s->q != NULL) waitq_wake(s->q, 0);
    }
}

int stack_errno(err_t e) {
    switch (e) {
    case ERR_OK:
        return 0;
    case ERR_MEM:
    case ERR_BUF:
        return -ENOBUFS;
    case ERR_TIMEOUT:
    case ERR_ABRT:
        return -ETIMEDOUT;
    case ERR_RTE:
        return -ENETUNREACH;
    case ERR_USE:
        return -EADDRINUSE;
    case ERR_ALREADY:
        return -EALREADY;
    case ERR_ISCONN:
        return -EISCONN;
    case ERR_CONN:
    case ERR_CLSD:
        return -ENOTCONN;
    case ERR_RST:
        return -ECONNRESET;
    case ERR_IF:
        return -ENETDOWN;
    default:
        return -EINVAL;
    }
}

struct stack_item *stack_push(struct stack_sock *s, struct pbuf *p) {
    struct stack_item *i = kmalloc(sizeof(*i));
    if (i == NULL) return NULL;
    i->data = p;
    TAILQ_INSERT_TAIL(&s->queue, i, link);
    s->queued += p->tot_len;
    stack_note(s);
    return i;
}

void stack_pop(struct stack_sock *s) {
    struct stack_item *i = TAILQ_FIRST(&s->queue);
    TAILQ_REMOVE(&s->queue, i, link);
    s->queued -= i->data->tot_len;
    pbuf_free(i->data);
    kfree(i);
}

static int stack_open(int family, int type, int protocol, struct waitq *q, struct hostnet **out) {
    int r = stack_start();
    if (r != 0) return -ENETDOWN;
    struct stack_sock *s = stack_new(family, type, protocol, q);
    if (s == NULL) return -ENOBUFS;
    r = type == SOCK_STREAM ? stack_tcp_open(s) : stack_datagram_open(s);
    if (r != 0) {
        stack_free(s);
        return r;
    }
    *out = (struct hostnet *)s;
    return 0;
}

static int stack_bind(struct hostnet *h, const struct sock_addr *a) {
    struct stack_sock *s = stack_of(h);
    ip_addr_t ip;
    uint16_t port;
    int r = stack_address(s, a, &ip, &port);
    if (r != 0) return r;
    return s->type == SOCK_STREAM ? stack_tcp_bind(s, &ip, port)
                                  : stack_datagram_bind(s, &ip, port);
}

static int stack_listen(struct hostnet *h, uint32_t backlog) {
    int r = stack_tcp_listen(stack_of(h), backlog);
    stack_leave();
    return r;
}

static int stack_accept(struct hostnet *h, struct waitq *q, struct hostnet **out,
                        struct sock_addr *peer) {
    return stack_tcp_accept(stack_of(h), q, (struct stack_sock **)out, peer);
}

static int stack_connect(struct hostnet *h, const struct sock_addr *a) {
    struct stack_sock *s = stack_of(h);
    ip_addr_t ip = {0};
    uint16_t port = 0;
    bool nobody = a->len >= sizeof(a->family) && a->family == AF_UNSPEC;
    int r = nobody ? 0 : stack_address(s, a, &ip, &port);
    if (r != 0) return r;
    r = s->type == SOCK_STREAM ? stack_tcp_connect(s, &ip, port)
                               : stack_datagram_connect(s, &ip, port);
    stack_leave();
    return r;
}

static int64_t stack_send(struct hostnet *h, struct sock_msg *m) {
    struct stack_sock *s = stack_of(h);
    int64_t r = s->type == SOCK_STREAM ? stack_tcp_send(s, m) : stack_datagram_send(s, m);
    stack_leave();
    return r;
}

static int64_t stack_recv(struct hostnet *h, struct sock_msg *m) {
    struct stack_sock *s = stack_of(h);
    int64_t r = s->type == SOCK_STREAM ? stack_tcp_recv(s, m) : stack_datagram_recv(s, m);
    stack_leave();
    return r;
}

static uint32_t stack_readable(struct hostnet *h) {
    const struct stack_sock *s = stack_of(h);
    const struct stack_item *first = TAILQ_FIRST(&s->queue);
    if (s->type == SOCK_STREAM) return s->queued;
    return first != NULL ? first->data->tot_len : 0;
}

static uint32_t stack_unsent(struct hostnet *h) {
    return stack_of(h)->type == SOCK_STREAM ? stack_tcp_unsent(stack_of(h)) : 0;
}

static uint32_t stack_poll(struct hostnet *h) {
    struct stack_sock *s = stack_of(h);
    if (s->type == SOCK_STREAM) return stack_tcp_poll(s);
    uint32_t events = POLLOUT | POLLWRNORM;
    if (!TAILQ_EMPTY(&s->queue)) events |= POLLIN | POLLRDNORM;
    return s->error != 0 ? events | POLLERR : events;
}

/* What the program asks for that lwIP has nothing like is left to chance, as on a busy network. */
static int stack_setopt(struct hostnet *h, int level, int name, const void *value, uint32_t len) {
    struct stack_sock *s = stack_of(h);
    int32_t number = 0;
    memcpy(&number, value, min(len, (uint32_t)sizeof(number)));
    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY) s->v6only = number != 0;
    if (s->type == SOCK_STREAM) return stack_tcp_setopt(s, level, name, value, len);
    stack_datagram_setopt(s, level, name, number);
    return 0;
}

static int stack_getopt(struct hostnet *h, int level, int name, void *value, uint32_t *len) {
    return -ENOPROTOOPT;
}

static int stack_getname(struct hostnet *h, bool peer, struct sock_addr *out) {
    struct stack_sock *s = stack_of(h);
    return s->type == SOCK_STREAM ? stack_tcp_getname(s, peer, out)
                                  : stack_datagram_getname(s, peer, out);
}

static int stack_error(struct hostnet *h) {
    struct stack_sock *s = stack_of(h);
    int error = s->error;
    s->error = 0;
    return error;
}

static void stack_shutdown(struct hostnet *h, uint32_t how) {
    struct stack_sock *s = stack_of(h);
    s->shut |= how;
    if (s->type == SOCK_STREAM) stack_tcp_shutdown(s, how);
    stack_leave();
}

static void stack_close(struct hostnet *h) {
    struct stack_sock *s = stack_of(h);
    if (s->type == SOCK_STREAM)
        stack_tcp_close(s);
    else
        stack_datagram_close(s);
    stack_free(s);
    stack_leave();
}

const struct hostnet_ops hostnet_stack = {
    .open = stack_open,
    .bind = stack_bind,
    .listen = stack_listen,
    .accept = stack_accept,
    .connect = stack_connect,
    .send = stack_send,
    .recv = stack_recv,
    .readable = stack_readable,
    .unsent = stack_unsent,
    .poll = stack_poll,
    .setopt = stack_setopt,
    .getopt = stack_getopt,
    .getname = stack_getname,
    .error = stack_error,
    .shutdown = stack_shutdown,
    .close = stack_close,
    .look = stack_look,
};
