/* SPDX-License-Identifier: MIT */
/* Datagrams and out-of-band data: one call a message, from and to the program's memory.  Owns
 * nothing. */
#include <kernel/heap.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "hostnet_internal.h"

#define FEW_SEGS 48
#define MANY_SEGS 248

static void put_address(struct hc_net_addr *to, const struct sock_addr *from) {
    to->len = min(from->len, (uint32_t)sizeof(to->bytes));
    memcpy(to->bytes, from->bytes, to->len);
}

/* The call, once the segments are known; what it says of readiness. */
static int64_t call(struct hostnet *h, enum hc_nr nr, union hc_args *args) {
    int64_t r = hypercall(nr, args);
    if (h->type == SOCK_STREAM) {
        h->edges = args->net_message.edges;
    } else if (r != -EBADF && r != -EFAULT && r != -EINVAL) {
        h->ready = args->net_message.ready;
        h->edges = args->net_message.edges;
    }
    return r;
}

static int64_t with_segments(struct hostnet *h, enum hc_nr nr, const struct uio *u,
                             union hc_args *args) {
    struct hc_seg few[FEW_SEGS], *segs = few, *many = NULL;
    uint32_t count = 0, most = FEW_SEGS;
    bool stream = h->type == SOCK_STREAM;
    if (u->len > (FEW_SEGS - 1) * PAGE_SIZE || u->count > FEW_SEGS / 2) {
        many = kmalloc(MANY_SEGS * sizeof(*many));
        if (many == NULL) return -ENOBUFS;
        segs = many;
        most = MANY_SEGS;
    }
    int64_t r = 0;
    if (u->len > 0) r = uio_segments(u, 0, u->len, nr == HC_NET_RECV, segs, most, &count);
    /* A datagram goes as a whole; one that arrives is no longer than 64 KiB. */
    if (r >= 0 && (uint64_t)r < u->len && nr == HC_NET_SEND && !stream) r = -EMSGSIZE;
    if (r >= 0) {
        args->net_message.segs = frame_gpa(segs);
        args->net_message.count = count;
        r = call(h, nr, args);
    }
    kfree(many);
    return r;
}

int64_t hostnet_message_send(struct hostnet *h, struct sock_msg *m) {
    uint8_t control[HC_NET_CONTROL] = {0};
    union hc_args args = {.net_message = {.number = h->number, .flags = m->flags}};
    if (m->addr != NULL && h->type != SOCK_STREAM) put_address(&args.net_message.addr, m->addr);
    if (m->control_len > sizeof(control)) return -ENOBUFS;
    if (m->control_len > 0) {
        memcpy(control, m->control, m->control_len);
        args.net_message.control = frame_gpa(control);
        args.net_message.control_len = (uint32_t)m->control_len;
    }
    return with_segments(h, HC_NET_SEND, m->data, &args);
}

/* Passes the control messages on. */
static void put_control(struct sock_msg *m, const uint8_t *control, uint32_t len) {
    for (uint32_t at = 0; at + sizeof(struct k_cmsghdr) <= len;) {
        struct k_cmsghdr c;
        memcpy(&c, control + at, sizeof(c));
        if (c.len < sizeof(c) || c.len > len - at) return;
        control_put(m, c.level, c.type, control + at + sizeof(c), (uint32_t)(c.len - sizeof(c)));
        at += (uint32_t)((c.len + 7) & ~7ULL);
    }
}

static void note(struct hostnet_arrival *a, const struct k_cmsghdr *c, const void *data,
                 uint32_t len) {
    bool v6 = c->level == IPPROTO_IPV6;
    uint32_t number = 0;
    memcpy(&number, data, min(len, (uint32_t)sizeof(number)));
    if (c->level == SOL_SOCKET && c->type == SO_TIMESTAMPNS_OLD && len >= sizeof(struct timespec)) {
        const struct timespec *t = data;
        a->time_ns = t->tv_sec * NSEC_PER_SEC + t->tv_nsec;
    } else if (v6 && c->type == IPV6_PKTINFO && len >= sizeof(struct in6_pktinfo)) {
        memcpy(a->to, data, sizeof(a->to));
        a->has_to = true;
    } else if (c->level == IPPROTO_IP && c->type == IP_PKTINFO &&
               len >= sizeof(struct in_pktinfo)) {
        memset(a->to, 0, 10);
        memset(a->to + 10, 0xff, 2);
        memcpy(a->to + 12, &((const struct in_pktinfo *)data)->ipi_addr, 4);
        a->has_to = true;
    } else if (c->type == (v6 ? IPV6_HOPLIMIT : IP_TTL)) {
        a->ttl = (uint8_t)number;
        a->has_ttl = true;
    } else if (c->type == (v6 ? IPV6_TCLASS : IP_TOS)) {
        a->tos = (uint8_t)number;
    }
}

static void note_arrival(struct hostnet_arrival *a, const uint8_t *control, uint32_t len) {
    *a = (struct hostnet_arrival){0};
    for (uint32_t at = 0; at + sizeof(struct k_cmsghdr) <= len;) {
        struct k_cmsghdr c;
        memcpy(&c, control + at, sizeof(c));
        if (c.len < sizeof(c) || c.len > len - at) return;
        note(a, &c, control + at + sizeof(c), (uint32_t)(c.len - sizeof(c)));
        at += (uint32_t)((c.len + 7) & ~7ULL);
    }
}

int64_t hostnet_message_recv(struct hostnet *h, struct sock_msg *m) {
    _Alignas(8) uint8_t control[HC_NET_CONTROL] = {0};
    bool errors = (m->flags & MSG_ERRQUEUE) && m->control_room > 0;
    bool wants = errors || m->arrival != NULL;
    union hc_args args = {.net_message = {.number = h->number,
                                          .flags = m->flags,
                                          .control = frame_gpa(control),
                                          .control_len = wants ? sizeof(control) : 0}};
    int64_t r = with_segments(h, HC_NET_RECV, m->data, &args);
    if (r < 0) return r;
    const struct hc_net_message *a = &args.net_message;
    if (m->addr != NULL) {
        m->addr->len = min(a->addr.len, (uint32_t)sizeof(a->addr.bytes));
        memcpy(m->addr->bytes, a->addr.bytes, m->addr->len);
    }
    uint32_t length = wants ? min(a->control_len, (uint32_t)sizeof(control)) : 0;
    m->result_flags |= a->result_flags & ~(uint32_t)MSG_CTRUNC;
    if (errors) put_control(m, control, length);
    if (m->arrival != NULL) note_arrival(m->arrival, control, length);
    return r;
}
