/* SPDX-License-Identifier: MIT */
/* Options of stream sockets: tcp(7).  Where a connection does not leave the guest, those that are
 * about packets have nothing to act on; they are kept and told. */
#include <kernel/process.h>
#include <kernel/string.h>

#include "inet_tcp.h"

#define SWITCH 1, 0
#define MSS_INSIDE 32768 /* what Linux makes of the loopback interface's 64 KiB */
#define CONGESTION_MAX 16u

static const struct inet_option options[] = {
    {TCP_NODELAY, OPT_TCP_NODELAY, SWITCH, 0},
    {TCP_CORK, OPT_TCP_CORK, SWITCH, 0},
    {TCP_KEEPIDLE, OPT_TCP_KEEPIDLE, 1, 32767, 7200},
    {TCP_KEEPINTVL, OPT_TCP_KEEPINTVL, 1, 32767, 75},
    {TCP_KEEPCNT, OPT_TCP_KEEPCNT, 1, 127, 9},
    {TCP_SYNCNT, OPT_TCP_SYNCNT, 1, 127, 6},
    {TCP_LINGER2, OPT_TCP_LINGER2, INT32_MIN, INT32_MAX, 60},
    {TCP_DEFER_ACCEPT, OPT_TCP_DEFER_ACCEPT, INT32_MIN, INT32_MAX, 0},
    {TCP_WINDOW_CLAMP, OPT_TCP_WINDOW_CLAMP, 0, INT32_MAX, 0},
    {TCP_QUICKACK, OPT_TCP_QUICKACK, SWITCH, 1},
    {TCP_USER_TIMEOUT, OPT_TCP_USER_TIMEOUT, 0, INT32_MAX, 0},
    {TCP_FASTOPEN, OPT_TCP_FASTOPEN, 0, INT32_MAX, 0},
    {TCP_FASTOPEN_CONNECT, OPT_TCP_FASTOPEN_CONNECT, 0, 1, 0},
    {TCP_NOTSENT_LOWAT, OPT_TCP_NOTSENT_LOWAT, INT32_MIN, INT32_MAX, 0},
    {TCP_MAXSEG, OPT_TCP_MAXSEG, 88, 32767, 536},
    {TCP_INQ, OPT_TCP_INQ, 0, 1, 0},
    {TCP_THIN_LINEAR_TIMEOUTS, OPT_TCP_OTHER_FIRST, 0, 1, 0},
    {TCP_THIN_DUPACK, OPT_TCP_OTHER_FIRST + 1, 0, 1, 0},
    {TCP_SAVE_SYN, OPT_TCP_OTHER_FIRST + 2, 0, 2, 0},
    {TCP_FASTOPEN_NO_COOKIE, OPT_TCP_OTHER_FIRST + 3, 0, 1, 0},
};

static int set_congestion(gva_t value, uint32_t len) {
    char name[CONGESTION_MAX] = {0};

    if (len < 1) return -EINVAL;
    if (copy_from_user(name, value, min(len, CONGESTION_MAX - 1))) return -EFAULT;
    return strcmp(name, "cubic") == 0 || strcmp(name, "reno") == 0 ? 0 : -ENOENT;
}

static int get_congestion(gva_t value, uint32_t *len) {
    static const char name[CONGESTION_MAX] = "cubic";

    *len = min(*len, CONGESTION_MAX);
    return copy_to_user(value, name, *len);
}

/* Seconds as the repetitions of a SYN make them: 1, 3, 7, ... */
static int32_t defer_seconds(int32_t seconds) {
    int32_t told = 1;

    if (seconds <= 0) return 0;
    while (told < seconds && told < 255)
        told = told * 2 + 1;
    return told;
}

static bool for_the_host(int name) {
    return name != TCP_FASTOPEN && name != TCP_DEFER_ACCEPT && name != TCP_INQ &&
           name != TCP_FASTOPEN_CONNECT;
}

static int set_number(struct tcp_sock *t, int name, int32_t value) {
    const struct inet_option *o = inet_option_find(options, ARRAY_LEN(options), name);
    bool begun = t->state != TCP_S_CLOSE && t->state != TCP_S_LISTEN;
    int r;

    if (o == NULL) return -ENOPROTOOPT;
    if (name == TCP_LINGER2) value = value < 0 ? -1 : min(value, 120);
    if (name == TCP_DEFER_ACCEPT) value = defer_seconds(value);
    if (name == TCP_MAXSEG && value == 0) value = o->standard;
    if (name == TCP_FASTOPEN && begun) return -EINVAL;
    if (name == TCP_FASTOPEN_CONNECT && t->state != TCP_S_CLOSE) return -EINVAL;
    r = inet_option_set_row(&t->in, o, value);
    if (r == 0 && t->remote && for_the_host(name))
        r = hostnet_setopt(t->in.host, IPPROTO_TCP, name, &value, sizeof(value));
    return r;
}

int tcp_setopt(struct socket *s, int level, int name, gva_t value, uint32_t len) {
    struct tcp_sock *t = tcp_of(s);
    int32_t number;

    if (level != IPPROTO_TCP) return inet_setopt(s, level, name, value, len);
    if (name == TCP_CONGESTION) return set_congestion(value, len);
    if (name == TCP_ULP) return -ENOENT;
    if (len < sizeof(number)) return -EINVAL;
    if (get_user(number, value)) return -EFAULT;
    if (name == TCP_REPAIR) return -EPERM;
    return set_number(t, name, number);
}

static void fill_info(const struct tcp_sock *t, struct tcp_info *info) {
    bool open = t->state == TCP_S_ESTABLISHED || t->state == TCP_S_CLOSE_WAIT ||
                t->state == TCP_S_FIN_WAIT2;

    *info = (struct tcp_info){
        .tcpi_state = t->state,
        .tcpi_rto = open ? 201000 : 1000000,
        .tcpi_ato = open ? 40000 : 0,
        .tcpi_snd_mss = open ? MSS_INSIDE : 536,
        .tcpi_rcv_mss = open ? MSS_INSIDE : 536,
        .tcpi_advmss = open ? 65483 : 0,
        .tcpi_snd_cwnd = 10,
        .tcpi_snd_ssthresh = INT32_MAX,
        .tcpi_reordering = 3,
        .tcpi_bytes_received = t->in_queue.tail,
        .tcpi_bytes_sent = t->sent,
        .tcpi_bytes_acked = t->sent,
    };
    if (t->state == TCP_S_LISTEN) {
        info->tcpi_unacked = t->listener->queued;
        info->tcpi_sacked = t->listener->backlog;
    }
    if (!open) return;
    info->tcpi_options = TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE;
    info->tcpi_snd_wscale = info->tcpi_rcv_wscale = 7;
    info->tcpi_pmtu = 65535;
    info->tcpi_rcv_ssthresh = info->tcpi_rcv_space = 65483;
    info->tcpi_rtt = info->tcpi_min_rtt = 10;
    info->tcpi_rttvar = 5;
    info->tcpi_snd_wnd = t->peer != NULL ? t->peer->in.sock.rcvbuf / 2 : 65536;
}

static int get_info(const struct tcp_sock *t, gva_t value, uint32_t *len) {
    struct tcp_info info;
    uint32_t size = sizeof(info);

    memset(&info, 0, sizeof(info));
    if (!t->remote || hostnet_getopt(t->in.host, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        fill_info(t, &info);
    *len = min(*len, (uint32_t)sizeof(info));
    return copy_to_user(value, &info, *len);
}

int tcp_getopt(struct socket *s, int level, int name, gva_t value, uint32_t *len) {
    struct tcp_sock *t = tcp_of(s);
    const struct inet_option *o;
    int32_t number;

    if (level != IPPROTO_TCP) return inet_getopt(s, level, name, value, len);
    tcp_refresh(s);
    if (name == TCP_INFO) return get_info(t, value, len);
    if (name == TCP_CONGESTION) return get_congestion(value, len);
    if (name == TCP_ULP) {
        *len = 0;
        return 0;
    }
    o = inet_option_find(options, ARRAY_LEN(options), name);
    if (o == NULL) return -ENOPROTOOPT;
    number = inet_option_get(&t->in, o->slot, o->standard);
    if (name == TCP_MAXSEG && t->state != TCP_S_CLOSE && t->state != TCP_S_LISTEN) {
        uint32_t size = sizeof(number);

        number = MSS_INSIDE;
        if (t->remote) hostnet_getopt(t->in.host, level, name, &number, &size);
    }
    *len = min(*len, (uint32_t)sizeof(number));
    return copy_to_user(value, &number, *len);
}
