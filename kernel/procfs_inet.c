/* SPDX-License-Identifier: MIT */
/* /proc/net: internet sockets, interfaces, routes. proc(5). */
#include "inet.h"
#include "procfs.h"

static const char tcp_head[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode                                                     \n";
static const char tcp6_head[] =
    "  sl  local_address                         remote_address                        st tx_queue "
    "rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
static const char udp_head[] =
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode ref pointer drops            \n";
static const char udp6_head[] =
    "  sl  local_address                         remote_address                        st tx_queue "
    "rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n";

/* Linux writes these digits in capitals, and some programs read no others. */
static void capitals(struct tree_text *t, size_t start) {
    for (size_t i = start; i < t->len; i++)
        if (t->data[i] >= 'a' && t->data[i] <= 'f') t->data[i] = (char)(t->data[i] - 'a' + 'A');
}

static void show_end(struct tree_text *t, int family, const struct inet_end *end) {
    if (family == AF_INET)
        text_printf(t, "%08x:%04x", end->ip.w[3], end->port);
    else
        text_printf(t, "%08x%08x%08x%08x:%04x", end->ip.w[0], end->ip.w[1], end->ip.w[2],
                    end->ip.w[3], end->port);
}

static void show_sockets(struct tree_text *t, int family, int protocol, const char *head) {
    const struct inet_sock *s;
    uint32_t n = 0;

    text_printf(t, "%s", head);
    TAILQ_FOREACH(s, &inet_all, all_link) {
        struct inet_shown shown;
        size_t start = t->len;

        if (s->sock.family != family || s->sock.protocol != protocol || s->at.local.port == 0)
            continue;
        if (protocol == IPPROTO_TCP)
            inet_tcp_show(s, &shown);
        else
            inet_udp_show(s, &shown);
        if (protocol == IPPROTO_TCP && shown.state == 7) continue; /* closed */
        text_printf(t, "%4u: ", n++);
        show_end(t, family, &s->at.local);
        text_printf(t, " ");
        show_end(t, family, &s->at.peer);
        text_printf(t, " %02x %08x:%08x", shown.state, shown.send_queue, shown.recv_queue);
        capitals(t, start);
        text_printf(t, " 00:00000000 00000000 %5u        0 %lu 2 0000000000000000", s->sock.uid,
                    s->sock.ino);
        text_printf(t, protocol == IPPROTO_TCP ? " 100 0 0 10 0" : " 0");
        if (family == AF_INET) text_pad(t, start, protocol == IPPROTO_TCP ? 149 : 127);
        text_printf(t, "\n");
    }
}

void proc_show_tcp(struct tree_text *t) { show_sockets(t, AF_INET, IPPROTO_TCP, tcp_head); }
void proc_show_tcp6(struct tree_text *t) { show_sockets(t, AF_INET6, IPPROTO_TCP, tcp6_head); }
void proc_show_udp(struct tree_text *t) { show_sockets(t, AF_INET, IPPROTO_UDP, udp_head); }
void proc_show_udp6(struct tree_text *t) { show_sockets(t, AF_INET6, IPPROTO_UDP, udp6_head); }

void proc_show_interfaces(struct tree_text *t) {
    text_printf(t, "Inter-|   Receive                                                |  Transmit\n"
                   " face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
                   "packets errs drop fifo colls carrier compressed\n");
    for (uint32_t n = 1; n <= inet_iface_count(); n++)
        text_printf(t,
                    "%6s:       0       0    0    0    0     0          0         0        0"
                    "       0    0    0    0     0       0          0\n",
                    inet_iface(n)->name);
}

void proc_show_if_inet6(struct tree_text *t) {
    const struct inet_iface *eth = inet_iface(2);

    text_printf(t, "00000000000000000000000000000001 01 80 10 80       lo\n");
    for (uint32_t i = 0; eth != NULL && i < eth->count6; i++) {
        const uint8_t *b = eth->addresses6[i].bytes;
        bool near = b[0] == 0xfe && (b[1] & 0xc0) == 0x80;

        for (uint32_t k = 0; k < sizeof(eth->addresses6[i].bytes); k++)
            text_printf(t, "%02x", b[k]);
        text_printf(t, " %02x 40 %02x 80 %8s\n", eth->index, near ? 0x20 : 0, eth->name);
    }
}

static void show_route(struct tree_text *t, uint32_t to, uint32_t gateway, uint32_t mask) {
    size_t start = t->len + 4;

    text_printf(t, "eth0\t%08x\t%08x\t%04x\t0\t0\t0\t%08x\t0\t0\t0", to, gateway,
                gateway != 0 ? 3 : 1, mask);
    capitals(t, start);
    start -= 4;
    text_pad(t, start, 127);
    text_printf(t, "\n");
}

void proc_show_routes(struct tree_text *t) {
    const struct inet_iface *eth = inet_iface(2);

    text_printf(t, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow"
                   "\tIRTT                                                       \n");
    if (eth == NULL || eth->address == 0) return;
    if (inet_gateway() != 0) show_route(t, 0, inet_gateway(), 0);
    show_route(t, eth->address & inet_mask(eth->prefix), 0, inet_mask(eth->prefix));
}
