/* SPDX-License-Identifier: MIT */
/* Datagrams of lwIP: UDP, and echo requests with their replies.  Owns nothing. */
#include <hermit/linux_abi.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "lwip_stack.h"

#include <lwip/icmp.h>
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/raw.h>
#include <lwip/udp.h>

#define RECEIVE_MAX 212992u /* bytes that may wait: Linux's rmem_default */

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port) {
    struct stack_sock *s = arg;
    if (s->queued > RECEIVE_MAX || !stack_push(s, p, from->addr, port)) pbuf_free(p);
}

/* Every packet of ICMP comes by here, with its IP header; 1: it is nobody else's. */
static u8_t on_echo(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from) {
    struct stack_sock *s = arg;
    u16_t skip = ip_current_header_tot_len();
    struct icmp_echo_hdr h;
    if (p->tot_len < skip + sizeof(h)) return 0;
    pbuf_copy_partial(p, &h, sizeof(h), skip);
    if (h.type != ICMP_ER || h.id != lwip_htons(s->port)) return 0;
    if (s->peer != 0 && s->peer != from->addr) return 0;
    pbuf_remove_header(p, skip);
    if (s->queued <= RECEIVE_MAX && stack_push(s, p, from->addr, 0)) return 1;
    pbuf_free(p);
    return 1;
}

int stack_datagram_open(struct stack_sock *s) {
    if (s->protocol == IPPROTO_ICMP) {
        s->raw = raw_new(IP_PROTO_ICMP);
        if (s->raw == NULL) return -ENOBUFS;
        raw_recv(s->raw, on_echo, s);
        return 0;
    }
    s->udp = udp_new();
    if (s->udp == NULL) return -ENOBUFS;
    ip_set_option(s->udp, SOF_REUSEADDR); /* the sockets' layer knows which ports are free */
    udp_recv(s->udp, on_datagram, s);
    return 0;
}

int stack_datagram_bind(struct stack_sock *s, uint32_t address, uint16_t port) {
    ip4_addr_t ip = {address};
    if (s->udp != NULL) return stack_errno(udp_bind(s->udp, &ip, port));
    s->port = port;
    return 0;
}

int stack_datagram_connect(struct stack_sock *s, uint32_t address, uint16_t port) {
    ip4_addr_t ip = {address};
    int r = address != 0 ? stack_route(address) : 0;
    if (r != 0) return r;
    s->peer = address;
    if (s->udp == NULL) return 0;
    if (address != 0) return stack_errno(udp_connect(s->udp, &ip, port));
    udp_disconnect(s->udp);
    return 0;
}

static int64_t send_echo(struct stack_sock *s, struct pbuf *p, const ip4_addr_t *to) {
    struct icmp_echo_hdr *h = p->payload;
    if (p->len < sizeof(*h) || h->type != ICMP_ECHO || h->code != 0) return -EINVAL;
    h->id = lwip_htons(s->port);
    h->chksum = 0;
    h->chksum = inet_chksum_pbuf(p);
    return stack_errno(raw_sendto(s->raw, p, to));
}

int64_t stack_datagram_send(struct stack_sock *s, struct sock_msg *m) {
    ip4_addr_t to = {s->peer};
    uint16_t port = s->udp != NULL ? s->udp->remote_port : 0;
    uint64_t len = m->data->len;
    if (m->addr != NULL) {
        int r = stack_address(m->addr, &to.addr, &port);
        if (r != 0) return r;
    }
    if (to.addr == 0) return -EDESTADDRREQ;
    int way = stack_route(to.addr);
    if (way != 0) return way;
    if (len > UINT16_MAX - 64) return -EMSGSIZE;
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM);
    if (p == NULL) return -ENOBUFS;
    int64_t r = len > 0 ? uio_drain(m->data, 0, p->payload, len) : 0;
    if (r == 0 && s->udp == NULL)
        r = send_echo(s, p, &to);
    else if (r == 0)
        r = stack_errno(udp_sendto(s->udp, p, &to, port));
    pbuf_free(p);
    /* An interface whose queue is full, or a neighbour that is not known yet: lost on the way. */
    return r == 0 || r == -ENOBUFS ? (int64_t)len : r;
}

int64_t stack_datagram_recv(struct stack_sock *s, struct sock_msg *m) {
    struct stack_item *i = TAILQ_FIRST(&s->queue);
    uint64_t done = 0;
    if (i == NULL) return -EAGAIN;
    uint32_t len = i->data->tot_len;
    struct pbuf *held = i->data;
    pbuf_ref(held); /* the copy may wait, and others read meanwhile */
    if (m->addr != NULL) stack_put_address(s->family, i->from, i->port, m->addr);
    if (!(m->flags & MSG_PEEK)) stack_pop(s);
    int r = 0;
    for (struct pbuf *p = held; p != NULL && r == 0 && done < m->data->len; p = p->next) {
        uint64_t n = min(m->data->len - done, (uint64_t)p->len);
        r = uio_fill(m->data, done, p->payload, n);
        done += n;
    }
    pbuf_free(held);
    if (r != 0) return -EFAULT;
    if (done < len) m->result_flags |= MSG_TRUNC;
    return m->flags & MSG_TRUNC ? len : (int64_t)done;
}

int stack_datagram_getname(struct stack_sock *s, bool peer, struct sock_addr *out) {
    if (s->udp == NULL) return -ENOTCONN;
    if (peer)
        stack_put_address(s->family, s->udp->remote_ip.addr, s->udp->remote_port, out);
    else
        stack_put_address(s->family, s->udp->local_ip.addr, s->udp->local_port, out);
    return 0;
}

void stack_datagram_close(struct stack_sock *s) {
    if (s->udp != NULL) udp_remove(s->udp);
    if (s->raw != NULL) raw_remove(s->raw);
}
