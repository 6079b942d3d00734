/* SPDX-License-Identifier: MIT */
/* Connections of lwIP.  A connection that is closed goes on without its struct stack_sock until all
 * is sent. */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "lwip_stack.h"

#undef TIME_WAIT /* of timex.h */
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#define PIECE 16384u /* bytes copied at a time */
#define ENOUGH_ROOM (TCP_SND_BUF / 3)
#define MAX_QUEUED (TCP_SND_QUEUELEN / 2)

static err_t on_data(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t e) {
    struct stack_sock *s = arg;
    if (p == NULL) {
        s->ended = true;
        stack_note(s);
        return ERR_OK;
    }
    if (s->shut & SOCK_SHUT_RECV) {
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
        return ERR_OK;
    }
    return stack_push(s, p) != NULL ? ERR_OK : ERR_MEM;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len) {
    stack_note(arg);
    return ERR_OK;
}

/* The connection is gone, and lwIP's record of it. */
static void on_error(void *arg, err_t e) {
    struct stack_sock *s = arg;
    s->tcp = NULL;
    s->ended = true;
    if (e != ERR_CLSD) s->error = -stack_errno(e);
    if (s->connecting && e == ERR_RST) s->error = ECONNREFUSED;
    s->connecting = false;
    stack_note(s);
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t e) {
    struct stack_sock *s = arg;
    s->connecting = false;
    s->connected = true;
    stack_note(s);
    return ERR_OK;
}

static void adopt(struct stack_sock *s, struct tcp_pcb *pcb) {
    s->tcp = pcb;
    tcp_arg(pcb, s);
    tcp_recv(pcb, on_data);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
}

/* From now on lwIP's alone. */
static void disown(struct tcp_pcb *pcb) {
    tcp_arg(pcb, NULL);
    if (pcb->state == LISTEN) {
        tcp_accept(pcb, NULL);
        return;
    }
    tcp_recv(pcb, NULL);
    tcp_sent(pcb, NULL);
    tcp_err(pcb, NULL);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t e) {
    struct stack_sock *door = arg;
    if (e != ERR_OK || pcb == NULL || door == NULL) return ERR_VAL;
    struct stack_sock *s = stack_new(door->family, SOCK_STREAM, door->protocol, NULL);
    if (s == NULL) return ERR_MEM;
    adopt(s, pcb);
    s->connected = true;
    s->door = door;
    s->peer = pcb->remote_ip;
    s->port = pcb->remote_port;
    tcp_backlog_delayed(pcb);
    TAILQ_INSERT_TAIL(&door->ready, s, link);
    stack_note(door);
    return ERR_OK;
}

int stack_tcp_open(struct stack_sock *s) {
    struct tcp_pcb *pcb = tcp_new_ip_type(s->family == AF_INET ? IPADDR_TYPE_V4 : IPADDR_TYPE_ANY);
    if (pcb == NULL) return -ENOBUFS;
    /* The sockets' layer knows which ports are free. */
    ip_set_option(pcb, SOF_REUSEADDR);
    adopt(s, pcb);
    return 0;
}

int stack_tcp_bind(struct stack_sock *s, const ip_addr_t *ip, uint16_t port) {
    return s->tcp != NULL ? stack_errno(tcp_bind(s->tcp, ip, port)) : -EINVAL;
}

int stack_tcp_listen(struct stack_sock *s, uint32_t backlog) {
    uint8_t limit = (uint8_t)min(max(backlog, 1u), 255u);
    err_t e = ERR_OK;
    if (s->tcp == NULL) return -EINVAL;
    if (s->listening) {
        tcp_backlog_set((struct tcp_pcb_listen *)s->tcp, limit);
        return 0;
    }
    struct tcp_pcb *pcb = tcp_listen_with_backlog_and_err(s->tcp, limit, &e);
    if (pcb == NULL) return stack_errno(e);
    s->tcp = pcb;
    s->listening = true;
    tcp_arg(pcb, s);
    tcp_accept(pcb, on_accept);
    return 0;
}

int stack_tcp_accept(struct stack_sock *s, struct waitq *q, struct stack_sock **out,
                     struct sock_addr *peer) {
    struct stack_sock *c = TAILQ_FIRST(&s->ready);
    if (c == NULL) return -EAGAIN;
    TAILQ_REMOVE(&s->ready, c, link);
    c->door = NULL;
    c->q = q;
    if (c->tcp != NULL) tcp_backlog_accepted(c->tcp);
    stack_put_address(s->family, &c->peer, c->port, peer);
    *out = c;
    return 0;
}

int stack_tcp_connect(struct stack_sock *s, const ip_addr_t *ip, uint16_t port) {
    if (s->tcp == NULL) return -EINVAL;
    int r = stack_route(ip);
    if (r != 0) return r;
    s->connecting = true;
    r = stack_errno(tcp_connect(s->tcp, ip, port, on_connected));
    if (r == 0) return -EINPROGRESS;
    s->connecting = false;
    return r == -EADDRINUSE ? -EADDRNOTAVAIL : r;
}

static bool has_room(const struct tcp_pcb *pcb) {
    return pcb->snd_buf >= ENOUGH_ROOM && tcp_sndqueuelen(pcb) < MAX_QUEUED;
}

/* Copies a piece: bytes, 0: there is no room, or -errno. */
static int64_t send_piece(struct stack_sock *s, struct sock_msg *m, uint64_t at, uint8_t *buffer) {
    if (s->tcp == NULL || tcp_sndqueuelen(s->tcp) >= MAX_QUEUED) return 0;
    uint64_t n = min(min(m->data->len - at, (uint64_t)s->tcp->snd_buf), (uint64_t)PIECE);
    bool last = at + n == m->data->len && !(m->flags & MSG_MORE);
    uint8_t flags = TCP_WRITE_FLAG_COPY | (last ? 0 : TCP_WRITE_FLAG_MORE);
    if (n == 0) return 0;
    if (uio_drain(m->data, at, buffer, n)) return -EFAULT;
    if (s->tcp == NULL) return 0; /* the copy may have waited */
    return tcp_write(s->tcp, buffer, (u16_t)n, flags) == ERR_OK ? (int64_t)n : 0;
}

int64_t stack_tcp_send(struct stack_sock *s, struct sock_msg *m) {
    uint64_t sent = 0;
    if (s->error != 0) {
        int error = s->error;
        s->error = 0;
        return -error;
    }
    if ((s->shut & SOCK_SHUT_SEND) || (s->connected && s->tcp == NULL)) return -EPIPE;
    if (s->connecting) return -EAGAIN;
    if (!s->connected) return -ENOTCONN;
    if (m->flags & MSG_OOB) return -EOPNOTSUPP;
    if (m->data->len == 0) return 0;
    uint8_t *buffer = kmalloc(min(m->data->len, (uint64_t)PIECE));
    int64_t n = buffer != NULL ? 1 : -ENOBUFS;
    while (n > 0 && sent < m->data->len) {
        n = send_piece(s, m, sent, buffer);
        if (n > 0) sent += (uint64_t)n;
    }
    kfree(buffer);
    if (s->tcp != NULL) tcp_output(s->tcp);
    if (sent > 0) return (int64_t)sent;
    return n < 0 ? n : s->tcp == NULL ? -EPIPE : -EAGAIN;
}

/* Takes n bytes off the queue; the peer may send as many. */
static void consume(struct stack_sock *s, uint64_t n) {
    for (uint64_t left = n; left > 0;) {
        struct stack_item *i = TAILQ_FIRST(&s->queue);
        u16_t part = (u16_t)min(left, (uint64_t)i->data->tot_len);
        if (part == i->data->tot_len) {
            stack_pop(s);
        } else {
            i->data = pbuf_free_header(i->data, part);
            s->queued -= part;
        }
        left -= part;
        if (s->tcp != NULL) tcp_recved(s->tcp, part);
    }
}

/* Copies from the front of the queue: bytes or -EFAULT. */
static int64_t copy_out(struct stack_sock *s, struct sock_msg *m) {
    uint64_t done = 0;
    if (m->flags & MSG_TRUNC) return (int64_t)min(m->data->len, (uint64_t)s->queued);
    for (struct stack_item *i = TAILQ_FIRST(&s->queue); i != NULL; i = TAILQ_NEXT(i, link)) {
        for (struct pbuf *p = i->data; p != NULL && done < m->data->len; p = p->next) {
            uint64_t n = min(m->data->len - done, (uint64_t)p->len);
            if (uio_fill(m->data, done, p->payload, n)) return -EFAULT;
            done += n;
        }
        if (done == m->data->len) break;
    }
    return (int64_t)done;
}

int64_t stack_tcp_recv(struct stack_sock *s, struct sock_msg *m) {
    if (m->addr != NULL) m->addr->len = 0;
    if (m->flags & MSG_OOB) return -EINVAL;
    if (m->data->len == 0) return 0;
    if (s->queued > 0) {
        int64_t n = copy_out(s, m);
        if (n > 0 && !(m->flags & MSG_PEEK)) consume(s, (uint64_t)n);
        return n;
    }
    if (s->error != 0) {
        int error = s->error;
        s->error = 0;
        return -error;
    }
    if (s->ended || (s->shut & SOCK_SHUT_RECV)) return 0;
    return s->connected || s->connecting ? -EAGAIN : -ENOTCONN;
}

uint32_t stack_tcp_poll(struct stack_sock *s) {
    uint32_t events = 0;
    if (s->listening) return TAILQ_EMPTY(&s->ready) ? 0 : POLLIN | POLLRDNORM;
    if (s->queued > 0) events |= POLLIN | POLLRDNORM;
    if (s->error != 0) events |= POLLERR;
    if (s->connecting) return events;
    bool gone = s->tcp == NULL || !s->connected;
    bool in_ended = s->ended || gone || (s->shut & SOCK_SHUT_RECV);
    bool out_ended = gone || (s->shut & SOCK_SHUT_SEND);
    if (in_ended) events |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (gone || (in_ended && out_ended)) events |= POLLHUP;
    if (out_ended || has_room(s->tcp)) events |= POLLOUT | POLLWRNORM;
    return events;
}

uint32_t stack_tcp_unsent(struct stack_sock *s) {
    if (s->tcp == NULL || s->listening) return 0;
    return (uint32_t)(TCP_SND_BUF - s->tcp->snd_buf);
}

static int set_tcp(struct tcp_pcb *pcb, int name, int32_t value) {
    switch (name) {
    case TCP_NODELAY:
        if (value)
            tcp_nagle_disable(pcb);
        else
            tcp_nagle_enable(pcb);
        return 0;
    case TCP_KEEPIDLE:
        pcb->keep_idle = (u32_t)value * 1000;
        return 0;
    case TCP_KEEPINTVL:
        pcb->keep_intvl = (u32_t)value * 1000;
        return 0;
    case TCP_KEEPCNT:
        pcb->keep_cnt = (u32_t)value;
        return 0;
    default:
        return 0;
    }
}

int stack_tcp_setopt(struct stack_sock *s, int level, int name, const void *value, uint32_t len) {
    int32_t number = 0;
    memcpy(&number, value, min(len, (uint32_t)sizeof(number)));
    if (level == SOL_SOCKET && name == SO_LINGER && len >= sizeof(struct k_linger)) {
        const struct k_linger *l = value;
        s->abort = l->on && l->seconds == 0;
        return 0;
    }
    if (s->tcp == NULL || s->listening) return 0;
    if (level == SOL_SOCKET && name == SO_KEEPALIVE) {
        if (number)
            ip_set_option(s->tcp, SOF_KEEPALIVE);
        else
            ip_reset_option(s->tcp, SOF_KEEPALIVE);
    }
    if ((level == IPPROTO_IP && name == IP_TOS) || (level == IPPROTO_IPV6 && name == IPV6_TCLASS))
        s->tcp->tos = (u8_t)number;
    return level == IPPROTO_TCP ? set_tcp(s->tcp, name, number) : 0;
}

int stack_tcp_getname(struct stack_sock *s, bool peer, struct sock_addr *out) {
    if (s->tcp == NULL || (peer && s->listening)) return -ENOTCONN;
    if (peer)
        stack_put_address(s->family, &s->tcp->remote_ip, s->tcp->remote_port, out);
    else
        stack_put_address(s->family, &s->tcp->local_ip, s->tcp->local_port, out);
    return 0;
}

void stack_tcp_shutdown(struct stack_sock *s, uint32_t how) {
    if (how & SOCK_SHUT_RECV) stack_note(s);
    if ((how & SOCK_SHUT_SEND) && s->tcp != NULL && s->connected) tcp_shutdown(s->tcp, 0, 1);
}

void stack_tcp_close(struct stack_sock *s) {
    struct stack_sock *waiting;
    while ((waiting = TAILQ_FIRST(&s->ready)) != NULL) {
        TAILQ_REMOVE(&s->ready, waiting, link);
        waiting->abort = true;
        stack_tcp_close(waiting);
        stack_free(waiting);
    }
    struct tcp_pcb *pcb = s->tcp;
    s->tcp = NULL;
    if (pcb == NULL) return;
    disown(pcb);
    if (s->listening) {
        tcp_close(pcb);
        return;
    }
    if (s->abort || s->queued > 0 || tcp_close(pcb) != ERR_OK) tcp_abort(pcb);
}

/* The first of a list that a program still has. */
static struct tcp_pcb *find_owned(struct tcp_pcb *list) {
    while (list != NULL && list->callback_arg == NULL)
        list = list->next;
    return list;
}

void stack_tcp_close_all(void) {
    struct tcp_pcb *pcb;
    while ((pcb = find_owned(tcp_listen_pcbs.pcbs)) != NULL)
        stack_tcp_close(pcb->callback_arg);
    while ((pcb = find_owned(tcp_active_pcbs)) != NULL)
        stack_tcp_close(pcb->callback_arg);
}

bool stack_tcp_busy(void) {
    for (const struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next)
        if (pcb->unsent != NULL || pcb->unacked != NULL) return true;
    return false;
}
