/* SPDX-License-Identifier: MIT */
/* Options of sockets.  Those that the guest's kernel asks for are let pass, and no others: many
 * that Linux has lead around the rules of user mode (source routes, a device, a mark), reach files
 * or memory of this process, or are a good deal of the host's kernel for nothing.  Owns nothing. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include <loader/guest_mem.h>
#include <loader/net_call.h>

static bool may_set_tcp(int name) {
    switch (name) {
    case TCP_NODELAY:
    case TCP_MAXSEG:
    case TCP_CORK:
    case TCP_KEEPIDLE:
    case TCP_KEEPINTVL:
    case TCP_KEEPCNT:
    case TCP_SYNCNT:
    case TCP_LINGER2:
    case TCP_WINDOW_CLAMP:
    case TCP_QUICKACK:
    case TCP_THIN_LINEAR_TIMEOUTS:
    case TCP_THIN_DUPACK:
    case TCP_USER_TIMEOUT:
    case TCP_NOTSENT_LOWAT:
    case TCP_SAVE_SYN:
    case TCP_FASTOPEN_NO_COOKIE:
        return true;
    default:
        return false;
    }
}

/* In user mode the addresses of the host are not the guest's affair. */
static bool may_know_addresses(void) { return net_call_mode() != HC_NET_USER; }

static bool may_set_ip(int name) {
    switch (name) {
    case IP_TOS:
    case IP_TTL:
    case IP_MTU_DISCOVER:
    case IP_MULTICAST_TTL:
    case IP_RECVERR:
    case IP_RECVTTL:
    case IP_RECVTOS:
        return true;
    case IP_PKTINFO:
        return may_know_addresses();
    default:
        return false;
    }
}

static bool may_set_ipv6(int name) {
    switch (name) {
    case IPV6_V6ONLY:
    case IPV6_TCLASS:
    case IPV6_UNICAST_HOPS:
    case IPV6_MTU_DISCOVER:
    case IPV6_MULTICAST_HOPS:
    case IPV6_RECVERR:
    case IPV6_RECVHOPLIMIT:
    case IPV6_RECVTCLASS:
        return true;
    case IPV6_RECVPKTINFO:
        return may_know_addresses();
    default:
        return false;
    }
}

static bool may_set(int level, int name) {
    switch (level) {
    case SOL_SOCKET:
        return name == SO_REUSEADDR || name == SO_REUSEPORT || name == SO_KEEPALIVE ||
               name == SO_OOBINLINE || name == SO_BROADCAST || name == SO_LINGER ||
               name == SO_TIMESTAMPNS;
    case IPPROTO_TCP:
        return may_set_tcp(name);
    case IPPROTO_IP:
        return may_set_ip(name);
    case IPPROTO_UDP:
        return name == UDP_SEGMENT;
    case IPPROTO_IPV6:
        return may_set_ipv6(name);
    default:
        return false;
    }
}

static bool may_get(int level, int name) {
    return may_set(level, name) || (level == SOL_SOCKET && name == SO_ERROR) ||
           (level == IPPROTO_TCP && name == TCP_INFO);
}

/* SO_LINGER with a time would make close(2) wait here: the rest is sent in the background as it is
 * without. */
static int64_t set_linger(struct net_socket *s, const void *value, uint32_t len) {
    struct linger l;
    if (len < sizeof(l)) return -EINVAL;
    memcpy(&l, value, sizeof(l));
    if (l.l_onoff && l.l_linger != 0) l.l_onoff = 0;
    return setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) == 0 ? 0 : -errno;
}

int64_t net_set_option(struct net_socket *s, int level, int name, const void *value, uint32_t len) {
    if (!may_set(level, name)) return -ENOPROTOOPT;
    if (level == SOL_SOCKET && name == SO_LINGER) return set_linger(s, value, len);
    if (setsockopt(s->fd, level, name, value, len) != 0) return -errno;
    net_note_option(s, level, name, value, len);
    return 0;
}

int64_t net_call_setopt(struct net_socket *s, struct hc_net_option *a) {
    uint8_t value[HC_NET_OPTION];
    if (a->len > sizeof(value)) return -EINVAL;
    if (guest_copy_in(value, a->value, a->len) != 0) return -EFAULT;
    return net_set_option(s, a->level, a->name, value, a->len);
}

int64_t net_call_getopt(struct net_socket *s, struct hc_net_option *a) {
    uint8_t value[HC_NET_OPTION] = {0};
    socklen_t len = a->len < sizeof(value) ? a->len : sizeof(value);
    if (!may_get(a->level, a->name)) return -ENOPROTOOPT;
    if (getsockopt(s->fd, a->level, a->name, value, &len) != 0) return -errno;
    a->len = len;
    return guest_copy_out(a->value, value, len);
}
