/* SPDX-License-Identifier: MIT */
/* Datagrams of lwIP: UDP, and echo requests with their replies.  Owns nothing. */
#include <hermit/linux_abi.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "lwip_stack.h"

#include <lwip/icmp.h>
#include <lwip/icmp6.h>
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/raw.h>
#include <lwip/udp.h>

#define RECEIVE_MAX 212992u /* bytes that may wait: Linux's rmem_default */

/* What the header of the packet that lwIP is at says. */
static void note_header(struct stack_item *i, uint16_t port) {
    bool v6 = ip_current_is_v6();
    i->from = *ip_current_src_addr();
    i->to = *ip_current_dest_addr();
    i->port = port;
    i->ttl = v6 ? IP6H_HOPLIM(ip6_current_header()) : IPH_TTL(ip4_current_header());
    i->tos = (uint8_t)(v6 ? IP6H_TC(ip6_current_header()) : IPH_TOS(ip4_current_header()));
}

static bool is_wanted(const struct stack_sock *s) {
    uint8_t to[16], from[16];
    if (!ip_addr_ismulticast(ip_current_dest_addr())) return true;
    stack_put_mapped(ip_current_dest_addr(), to);
    stack_put_mapped(ip_current_src_addr(), from);
    return s->q == NULL || hostnet_wants(s->q, to, from);
}

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port) {
    struct stack_sock *s = arg;
    struct stack_item *i = NULL;
    if (s->queued <= RECEIVE_MAX && is_wanted(s)) i = stack_push(s, p);
    if (i != NULL)
        note_header(i, port);
    else
        pbuf_free(p);
}

static bool is_v6_echo(const struct stack_sock *s) { return s->protocol == IPPROTO_ICMPV6; }

/* Every packet of ICMP comes by here, with its IP header; 1: it is nobody else's. */
static u8_t on_echo(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from) {
    struct stack_sock *s = arg;
    struct stack_item *i = NULL;
    u16_t skip = ip_current_header_tot_len();
    struct icmp_echo_hdr h;
    if (p->tot_len < skip + sizeof(h)) return 0;
    pbuf_copy_partial(p, &h, sizeof(h), skip);
    if (h.type != (is_v6_echo(s) ? ICMP6_TYPE_EREP : ICMP_ER) || h.id != lwip_htons(s->port))
        return 0;
    if (!ip_addr_isany_val(s->peer) && !ip_addr_cmp(&s->peer, from)) return 0;
    pbuf_remove_header(p, skip);
    if (s->queued <= RECEIVE_MAX) i = stack_push(s, p);
    if (i != NULL)
        note_header(i, 0);
    else
        pbuf_free(p);
    return 1;
}

static int open_echo(struct stack_sock *s) {
    bool v6 = is_v6_echo(s);
    s->raw = v6 ? raw_new_ip_type(IPADDR_TYPE_V6, IP6_NEXTH_ICMP6)
                : raw_new_ip_type(IPADDR_TYPE_V4, IP_PROTO_ICMP);
    if (s->raw == NULL) return -ENOBUFS;
    if (v6) { /* its checksum covers the addresses */
        s->raw->chksum_reqd = 1;
        s->raw->chksum_offset = offsetof(struct icmp_echo_hdr, chksum);
    }
    raw_recv(s->raw, on_echo, s);
    return 0;
}

int stack_datagram_open(struct stack_sock *s) {
    if (s->protocol == IPPROTO_ICMP || is_v6_echo(s)) return open_echo(s);
    s->udp = udp_new_ip_type(s->family == AF_INET ? IPADDR_TYPE_V4 : IPADDR_TYPE_ANY);
    if (s->udp == NULL) return -ENOBUFS;
    ip_set_option(s->udp, SOF_REUSEADDR); /* the sockets' layer knows which ports are free */
    udp_recv(s->udp, on_datagram, s);
    return 0;
}

void stack_datagram_setopt(struct stack_sock *s, int level, int name, int32_t value) {
    bool v4 = level == IPPROTO_IP;
    if (!v4 && level != IPPROTO_IPV6) return;
    if (name == (v4 ? IP_TTL : IPV6_UNICAST_HOPS)) {
        if (s->udp != NULL) s->udp->ttl = (u8_t)value;
        if (s->raw != NULL) s->raw->ttl = (u8_t)value;
    }
    if (name == (v4 ? IP_TOS : IPV6_TCLASS)) {
        if (s->udp != NULL) s->udp->tos = (u8_t)value;
        if (s->raw != NULL) s->raw->tos = (u8_t)value;
    }
    if (name == (v4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS) && s->udp != NULL)
        udp_set_multicast_ttl(s->udp, (u8_t)value);
}

int stack_datagram_bind(struct stack_sock *s, const ip_addr_t *ip, uint16_t port) {
    if (s->udp != NULL) return stack_errno(udp_bind(s->udp, ip, port));
    s->port = port;
    return 0;
}

int stack_datagram_connect(struct stack_sock *s, const ip_addr_t *ip, uint16_t port) {
    bool nobody = ip_addr_isany(ip);
    int r = nobody ? 0 : stack_route(ip);
    if (r != 0) return r;
    s->peer = *ip;
    if (s->udp == NULL) return 0;
    if (!nobody) return stack_errno(udp_connect(s->udp, ip, port));
    udp_disconnect(s->udp);
    return 0;
}

static int64_t send_echo(struct stack_sock *s, struct pbuf *p, const ip_addr_t *to) {
    struct icmp_echo_hdr *h = p->payload;
    bool v6 = is_v6_echo(s);
    if (p->len < sizeof(*h) || h->type != (v6 ? ICMP6_TYPE_EREQ : ICMP_ECHO) || h->code != 0)
        return -EINVAL;
    if (v6 != IP_IS_V6(to)) return -EINVAL;
    h->id = lwip_htons(s->port);
    h->chksum = 0;
    if (!v6) h->chksum = inet_chksum_pbuf(p);
    return stack_errno(raw_sendto(s->raw, p, to));
}

int64_t stack_datagram_send(struct stack_sock *s, struct sock_msg *m) {
    ip_addr_t to = s->peer;
    uint16_t port = s->udp != NULL ? s->udp->remote_port : 0;
    uint64_t len = m->data->len;
    if (m->addr != NULL) {
        int r = stack_address(s, m->addr, &to, &port);
        if (r != 0) return r;
    }
    if (ip_addr_isany_val(to)) return -EDESTADDRREQ;
    int way = stack_route(&to);
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
    if (m->addr != NULL) stack_put_address(s->family, &i->from, i->port, m->addr);
    if (m->arrival != NULL) {
        *m->arrival =
            (struct hostnet_arrival){.has_to = true, .has_ttl = true, .ttl = i->ttl, .tos = i->tos};
        stack_put_mapped(&i->to, m->arrival->to);
    }
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
        stack_put_address(s->family, &s->udp->remote_ip, s->udp->remote_port, out);
    else
        stack_put_address(s->family, &s->udp->local_ip, s->udp->local_port, out);
    return 0;
}

void stack_datagram_close(struct stack_sock *s) {
    if (s->udp != NULL) udp_remove(s->udp);
    if (s->raw != NULL) raw_remove(s->raw);
}
