/* SPDX-License-Identifier: MIT */
/* Datagrams of AF_INET and AF_INET6: messages, connected sockets, refusals, control messages,
 * sendmmsg(2) and recvmmsg(2), multicast on the loopback interface. */
#include <net/if.h>

#include "inet_socket.h"

/* linux/errqueue.h, which musl has not. */
struct extended_error {
    uint32_t error;
    uint8_t origin, type, code, pad;
    uint32_t info, data;
};
enum { ORIGIN_ICMP = 2 };

static void messages(const char *host) {
    int a = new_bound(SOCK_DGRAM, host), b = new_bound(SOCK_DGRAM, host), n;
    struct inet_address to = inet_address(host, port_of(b)), from;
    char buf[32];
    CHECK_EQ(events_of(b), POLLOUT);
    CHECK_ERR(send(a, "x", 1, 0), EDESTADDRREQ);
    CHECK_EQ(sendto(a, "first", 5, 0, &to.sa, to.len), 5);
    CHECK_EQ(sendto(a, "", 0, 0, &to.sa, to.len), 0);
    CHECK_EQ(sendto(a, "third", 5, 0, &to.sa, to.len), 5);
    await(b, POLLIN);
    CHECK_OK(ioctl(b, FIONREAD, &n));
    CHECK_EQ(n, 5);
    from.len = sizeof from.in6;
    CHECK_EQ(recvfrom(b, buf, 2, MSG_PEEK | MSG_TRUNC, &from.sa, &from.len), 5);
    CHECK_EQ(from.len, to.len);
    CHECK_EQ(ntohs(from.in.sin_port), port_of(a));
    struct iovec iov = {buf, 2};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    CHECK_EQ(recvmsg(b, &m, 0), 2);
    CHECK_EQ(m.msg_flags, MSG_TRUNC);
    CHECK_EQ(recv(b, buf, 32, 0), 0);
    CHECK_EQ(recv(b, buf, 32, 0), 5);
    CHECK_ERR(recv(b, buf, 32, MSG_DONTWAIT), EAGAIN);
    CHECK_ERR(sendto(a, buf, 8, 0, &to.sa, 7), EINVAL);
    CHECK_ERR(sendto(a, bad_pointer(), 8, 0, &to.sa, to.len), EFAULT);
    if (to.sa.sa_family == AF_INET)
        CHECK_ERR(sendto(a, buf, 8, MSG_OOB, &to.sa, to.len), EOPNOTSUPP);
    to.in.sin_port = 0;
    CHECK_ERR(sendto(a, buf, 8, 0, &to.sa, to.len), EINVAL);
    static char large[65600];
    to = inet_address(host, port_of(b));
    CHECK_ERR(sendto(a, large, 65536, 0, &to.sa, to.len), EMSGSIZE);
    if (to.sa.sa_family == AF_INET) CHECK_ERR(sendto(a, large, 65508, 0, &to.sa, to.len), EMSGSIZE);
    CHECK_EQ(sendto(a, large, 65507, 0, &to.sa, to.len), 65507);
    CHECK_EQ(recv(b, large, sizeof large, 0), 65507);
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    ok("messages");
}

static void connected(const char *host) {
    int a = new_bound(SOCK_DGRAM, host), b = new_bound(SOCK_DGRAM, host);
    int c = new_bound(SOCK_DGRAM, host);
    struct inet_address to = inet_address(host, port_of(a));
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    char buf[8];
    CHECK_OK(connect_to(a, host, port_of(b)));
    CHECK_EQ(write(a, "hi", 2), 2);
    CHECK_EQ(read(b, buf, 8), 2);
    /* From others nothing comes: they hear that nobody is there. */
    CHECK_OK(connect_to(c, host, port_of(a)));
    CHECK_EQ(write(c, "no", 2), 2);
    await(c, POLLERR);
    CHECK_ERR(recv(c, buf, 8, 0), ECONNREFUSED);
    CHECK_ERR(recv(c, buf, 8, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(sendto(b, "ok", 2, 0, &to.sa, to.len), 2);
    CHECK_EQ(read(a, buf, 8), 2);
    CHECK_OK(connect(a, &none, sizeof none));
    struct inet_address peer;
    peer.len = sizeof peer.in6;
    CHECK_ERR(getpeername(a, &peer.sa, &peer.len), ENOTCONN);
    CHECK_EQ(port_of(a), 0); /* it was not asked for by number */
    CHECK_ERR(write(a, "hi", 2), EDESTADDRREQ);
    CHECK(port_of(a) != 0); /* sending chose one */
    CHECK_OK(connect_to(c, host, port_of(a)));
    CHECK_EQ(write(c, "now", 3), 3);
    CHECK_EQ(read(a, buf, 8), 3);
    CHECK_OK(shutdown(c, SHUT_RDWR));
    CHECK_ERR(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(read(c, buf, 8), 0);
    CHECK_EQ(events_of(c), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    CHECK_ERR(shutdown(a, SHUT_WR), ENOTCONN);
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    CHECK_OK(close(c));
    ok("connected");
}

static struct msghdr header(struct inet_address *name, struct iovec *iov, void *control,
                            size_t control_len) {
    struct msghdr m;
    memset(&m, 0, sizeof m);
    if (name != NULL) {
        m.msg_name = &name->sa;
        m.msg_namelen = name->len;
    }
    m.msg_iov = iov;
    m.msg_iovlen = 1;
    m.msg_control = control;
    m.msg_controllen = (socklen_t)control_len;
    return m;
}

static void refused(void) {
    int deaf = new_deaf(SOCK_DGRAM, "127.0.0.1"), s = new_socket(AF_INET, SOCK_DGRAM);
    struct inet_address to = inet_address("127.0.0.1", port_of(deaf)), back;
    char buf[8], control[256];
    CHECK_EQ(sendto(s, "x", 1, 0, &to.sa, to.len), 1); /* nobody tells */
    CHECK_OK(connect(s, &to.sa, to.len));
    CHECK_EQ(write(s, "x", 1), 1);
    await(s, POLLERR);
    CHECK_EQ(error_of(s), ECONNREFUSED);
    CHECK_EQ(write(s, "x", 1), 1);
    await(s, POLLERR);
    CHECK_ERR(write(s, "x", 1), ECONNREFUSED);
    CHECK_OK(close(s));

    s = new_socket(AF_INET, SOCK_DGRAM);
    CHECK_OK(set_number(s, IPPROTO_IP, IP_RECVERR, 1));
    CHECK_EQ(sendto(s, "lost", 4, 0, &to.sa, to.len), 4);
    await(s, POLLERR);
    CHECK_ERR(recv(s, buf, 8, 0), ECONNREFUSED);
    struct iovec iov = {buf, 8};
    back.len = sizeof back.in;
    struct msghdr m = header(&back, &iov, control, sizeof control);
    CHECK_EQ(recvmsg(s, &m, MSG_ERRQUEUE), 4);
    CHECK(memcmp(buf, "lost", 4) == 0);
    CHECK_EQ(m.msg_flags & MSG_ERRQUEUE, MSG_ERRQUEUE);
    CHECK_EQ(ntohs(back.in.sin_port), port_of(deaf));
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    CHECK(c != NULL && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR);
    struct extended_error e;
    memcpy(&e, CMSG_DATA(c), sizeof e);
    CHECK_EQ(e.error, ECONNREFUSED);
    CHECK_EQ(e.origin, ORIGIN_ICMP);
    CHECK_EQ(e.type, 3);
    CHECK_EQ(e.code, 3);
    CHECK_ERR(recvmsg(s, &m, MSG_ERRQUEUE), EAGAIN);
    CHECK_OK(close(s));
    CHECK_OK(close(deaf));
    ok("refused");
}

static const void *find_control(struct msghdr *m, int level, int type) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == level && c->cmsg_type == type) return CMSG_DATA(c);
    return NULL;
}

static void control_messages(void) {
    int a = new_socket(AF_INET, SOCK_DGRAM), b = new_socket(AF_INET, SOCK_DGRAM), number;
    char buf[8];
    union {
        char bytes[256];
        struct cmsghdr align;
    } control;
    CHECK_OK(bind_to(b, "0.0.0.0", 0));
    CHECK_OK(set_number(b, IPPROTO_IP, IP_PKTINFO, 1));
    CHECK_OK(set_number(b, IPPROTO_IP, IP_RECVTTL, 1));
    CHECK_OK(set_number(b, IPPROTO_IP, IP_RECVTOS, 1));
    CHECK_OK(set_number(b, SOL_SOCKET, SO_TIMESTAMP, 1));
    CHECK_OK(set_number(a, IPPROTO_IP, IP_TTL, 7));
    CHECK_OK(set_number(a, IPPROTO_IP, IP_TOS, 0x10));
    CHECK_OK(connect_to(a, "127.0.0.1", port_of(b)));
    CHECK_EQ(write(a, "x", 1), 1);
    struct iovec iov = {buf, 8};
    struct msghdr m = header(NULL, &iov, &control, sizeof control);
    CHECK_EQ(recvmsg(b, &m, 0), 1);
    const struct in_pktinfo *info = find_control(&m, IPPROTO_IP, IP_PKTINFO);
    CHECK(info != NULL);
    CHECK_EQ(info->ipi_ifindex, if_nametoindex("lo"));
    CHECK_EQ(ntohl(info->ipi_addr.s_addr), INADDR_LOOPBACK);
    memcpy(&number, find_control(&m, IPPROTO_IP, IP_TTL), sizeof number);
    CHECK_EQ(number, 7);
    CHECK_EQ(*(const uint8_t *)find_control(&m, IPPROTO_IP, IP_TOS), 0x10);
    CHECK(find_control(&m, SOL_SOCKET, SCM_TIMESTAMP) != NULL);
    /* The sender may choose its address. */
    memset(&control, 0, sizeof control);
    control.align.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    control.align.cmsg_level = IPPROTO_IP;
    control.align.cmsg_type = IP_PKTINFO;
    struct in_pktinfo from = {.ipi_spec_dst.s_addr = htonl(INADDR_LOOPBACK + 4)};
    memcpy(CMSG_DATA(&control.align), &from, sizeof from);
    int c = new_socket(AF_INET, SOCK_DGRAM);
    struct inet_address to = inet_address("127.0.0.1", port_of(b)), seen;
    m = header(&to, &iov, &control, CMSG_SPACE(sizeof from));
    iov.iov_len = 3;
    CHECK_EQ(sendmsg(c, &m, 0), 3);
    seen.len = sizeof seen.in6;
    CHECK_EQ(recvfrom(b, buf, 8, 0, &seen.sa, &seen.len), 3);
    CHECK_STR(text_of(&seen), "127.0.0.5");
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    CHECK_OK(close(c));

    a = new_bound(SOCK_DGRAM, "::1");
    b = new_bound(SOCK_DGRAM, "::1");
    CHECK_OK(set_number(b, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
    CHECK_OK(set_number(b, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1));
    CHECK_OK(set_number(b, IPPROTO_IPV6, IPV6_RECVTCLASS, 1));
    CHECK_OK(connect_to(a, "::1", port_of(b)));
    CHECK_EQ(write(a, "y", 1), 1);
    iov.iov_len = 8;
    m = header(NULL, &iov, &control, sizeof control);
    CHECK_EQ(recvmsg(b, &m, 0), 1);
    const struct in6_pktinfo *info6 = find_control(&m, IPPROTO_IPV6, IPV6_PKTINFO);
    CHECK(info6 != NULL && IN6_IS_ADDR_LOOPBACK(&info6->ipi6_addr));
    CHECK_EQ(info6->ipi6_ifindex, if_nametoindex("lo"));
    memcpy(&number, find_control(&m, IPPROTO_IPV6, IPV6_HOPLIMIT), sizeof number);
    CHECK_EQ(number, 64);
    memcpy(&number, find_control(&m, IPPROTO_IPV6, IPV6_TCLASS), sizeof number);
    CHECK_EQ(number, 0);
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    ok("control messages");
}

static void many(void) {
    int a = new_bound(SOCK_DGRAM, "127.0.0.1"), b = new_bound(SOCK_DGRAM, "127.0.0.1");
    char text[4][4] = {"aaa", "bbb", "ccc", "ddd"}, got[4][8];
    struct iovec iov[4];
    struct mmsghdr m[4];
    memset(m, 0, sizeof m);
    CHECK_OK(connect_to(a, "127.0.0.1", port_of(b)));
    for (int i = 0; i < 4; i++) {
        iov[i] = (struct iovec){text[i], 3};
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    CHECK_EQ(sendmmsg(a, m, 4, 0), 4);
    CHECK_EQ(m[3].msg_len, 3);
    for (int i = 0; i < 4; i++)
        iov[i] = (struct iovec){got[i], 8};
    CHECK_EQ(recvmmsg(b, m, 3, 0, NULL), 3);
    CHECK(memcmp(got[2], "ccc", 3) == 0);
    CHECK_EQ(recvmmsg(b, m, 4, MSG_WAITFORONE, NULL), 1);
    CHECK(memcmp(got[0], "ddd", 3) == 0);
    CHECK_ERR(recvmmsg(b, m, 4, MSG_DONTWAIT, NULL), EAGAIN);
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    ok("many");
}

/* What does not fit is lost, and only that. */
static void overflow(void) {
    int a = new_bound(SOCK_DGRAM, "127.0.0.1"), b = new_bound(SOCK_DGRAM, "127.0.0.1"), n = 0;
    static char buf[1000];
    CHECK_OK(set_number(b, SOL_SOCKET, SO_RCVBUF, 8192));
    CHECK_OK(connect_to(a, "127.0.0.1", port_of(b)));
    for (int i = 0; i < 200; i++)
        CHECK_EQ(write(a, buf, sizeof buf), sizeof buf);
    await(b, POLLIN);
    while (recv(b, buf, sizeof buf, MSG_DONTWAIT) == sizeof buf)
        n++;
    CHECK_EQ(errno, EAGAIN);
    CHECK(n > 1 && n < 100);
    CHECK_EQ(write(a, buf, 3), 3);
    CHECK_EQ(read(b, buf, sizeof buf), 3);
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    ok("overflow");
}

static void multicast(void) {
    int a = new_socket(AF_INET, SOCK_DGRAM), b = new_socket(AF_INET, SOCK_DGRAM);
    struct ip_mreq group = {.imr_interface.s_addr = htonl(INADDR_LOOPBACK)};
    struct in_addr lo = {htonl(INADDR_LOOPBACK)};
    struct ip_mreq bad = group;
    char buf[8];
    /* A group of this process's own: natively others run, too. */
    group.imr_multiaddr.s_addr = htonl(0xefff0000u | (uint32_t)(getpid() & 0xffff));
    bad.imr_multiaddr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_OK(bind_to(b, "0.0.0.0", 0));
    CHECK_ERR(setsockopt(b, IPPROTO_IP, IP_ADD_MEMBERSHIP, &bad, sizeof bad), EINVAL);
    CHECK_ERR(setsockopt(b, IPPROTO_IP, IP_ADD_MEMBERSHIP, &bad, 4), EINVAL);
    CHECK_ERR(setsockopt(b, IPPROTO_IP, IP_DROP_MEMBERSHIP, &group, sizeof group), EADDRNOTAVAIL);
    CHECK_OK(setsockopt(b, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group));
    CHECK_ERR(setsockopt(b, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group), EADDRINUSE);
    CHECK_OK(setsockopt(a, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof lo));
    CHECK_EQ(number_option(a, IPPROTO_IP, IP_MULTICAST_LOOP), 1);
    CHECK_EQ(number_option(a, IPPROTO_IP, IP_MULTICAST_TTL), 1);
    struct inet_address to = inet_address("0.0.0.0", port_of(b));
    to.in.sin_addr = group.imr_multiaddr;
    CHECK_EQ(sendto(a, "all", 3, 0, &to.sa, to.len), 3);
    await(b, POLLIN);
    CHECK_EQ(recv(b, buf, 8, 0), 3);
    CHECK_OK(setsockopt(b, IPPROTO_IP, IP_DROP_MEMBERSHIP, &group, sizeof group));
    CHECK_EQ(sendto(a, "none", 4, 0, &to.sa, to.len), 4);
    to.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(sendto(a, "you", 3, 0, &to.sa, to.len), 3);
    CHECK_EQ(recv(b, buf, 8, 0), 3); /* behind the one that was not delivered */
    CHECK(memcmp(buf, "you", 3) == 0);
    to.in.sin_addr.s_addr = htonl(INADDR_BROADCAST);
    CHECK_ERR(sendto(a, "x", 1, 0, &to.sa, to.len), EACCES);
    int s = new_socket(AF_INET, SOCK_STREAM);
    CHECK_ERR(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group), EPROTO);
    CHECK_OK(close(s));
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    ok("multicast");
}

/* A socket of IPv6 talks to those of IPv4, too. */
static void both_families(void) {
    int a = new_socket(AF_INET6, SOCK_DGRAM), b = new_bound(SOCK_DGRAM, "127.0.0.1");
    struct inet_address to = inet_address("::ffff:127.0.0.1", port_of(b)), from;
    char buf[8];
    CHECK_EQ(sendto(a, "six", 3, 0, &to.sa, to.len), 3);
    from.len = sizeof from.in6;
    CHECK_EQ(recvfrom(b, buf, 8, 0, &from.sa, &from.len), 3);
    CHECK_EQ(from.len, sizeof from.in);
    CHECK_EQ(sendto(b, "four", 4, 0, &from.sa, from.len), 4);
    from.len = sizeof from.in6;
    CHECK_EQ(recvfrom(a, buf, 8, 0, &from.sa, &from.len), 4);
    CHECK_STR(text_of(&from), "::ffff:127.0.0.1");
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    ok("both families");
}

int main(void) {
    messages("127.0.0.1");
    messages("::1");
    connected("127.0.0.1");
    connected("::1");
    refused();
    control_messages();
    many();
    overflow();
    multicast();
    both_families();
    return 0;
}
