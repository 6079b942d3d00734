/* SPDX-License-Identifier: MIT */
/* UDP_SEGMENT (udp(7)): one message is several datagrams.  IPV6_ADDRFORM (ipv6(7)). */
#include <netinet/udp.h>

#include "inet_socket.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#define UDP_GRO 104
#endif

static void expect(int fd, const char *data, size_t at, ssize_t n) {
    char buf[4096];
    CHECK_EQ(recv(fd, buf, sizeof(buf), 0), n);
    CHECK(memcmp(buf, data + at, (size_t)n) == 0);
}

static ssize_t send_with(int fd, const struct inet_address *to, void *data, size_t len,
                         const void *size, size_t size_len) {
    _Alignas(8) char control[CMSG_SPACE(8)] = {0};
    struct iovec iov = {data, len};
    struct msghdr m = {.msg_name = (void *)&to->sa,
                       .msg_namelen = to->len,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = CMSG_SPACE(size_len)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(size_len);
    memcpy(CMSG_DATA(c), size, size_len);
    return sendmsg(fd, &m, 0);
}

static void segments(const char *host) {
    int a = new_bound(SOCK_DGRAM, host), b = new_bound(SOCK_DGRAM, host);
    struct inet_address to = name_of(b, false);
    static char data[20000];
    uint16_t size = 700;
    uint32_t wide = 700;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 7 + i / 251);
    CHECK_EQ(number_option(a, IPPROTO_UDP, UDP_SEGMENT), 0);
    CHECK_ERR(set_number(a, IPPROTO_UDP, UDP_SEGMENT, -1), EINVAL);
    CHECK_ERR(set_number(a, IPPROTO_UDP, UDP_SEGMENT, 65536), EINVAL);
    CHECK_OK(set_number(a, IPPROTO_UDP, UDP_SEGMENT, 1000));
    CHECK_EQ(number_option(a, IPPROTO_UDP, UDP_SEGMENT), 1000);
    CHECK_EQ(sendto(a, data, 2500, 0, &to.sa, to.len), 2500);
    expect(b, data, 0, 1000);
    expect(b, data, 1000, 1000);
    expect(b, data, 2000, 500);
    CHECK_EQ(sendto(a, data, 1000, 0, &to.sa, to.len), 1000); /* one */
    expect(b, data, 0, 1000);
    CHECK_EQ(send_with(a, &to, data, 1500, &size, sizeof(size)), 1500);
    expect(b, data, 0, 700);
    expect(b, data, 700, 700);
    expect(b, data, 1400, 100);
    CHECK_ERR(send_with(a, &to, data, 1500, &wide, sizeof(wide)), EINVAL);
    size = 0; /* not this time */
    CHECK_EQ(send_with(a, &to, data, 1500, &size, sizeof(size)), 1500);
    expect(b, data, 0, 1500);
    size = 10;
    CHECK_ERR(send_with(a, &to, data, sizeof(data), &size, sizeof(size)), EINVAL); /* too many */
    CHECK_EQ(recv(b, data, 1, MSG_DONTWAIT), -1);
    CHECK_OK(set_number(b, IPPROTO_UDP, UDP_GRO, 1));
    CHECK_EQ(number_option(b, IPPROTO_UDP, UDP_GRO), 1);
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    ok(host);
}

static void form(int type) {
    int door = new_bound(type, "127.0.0.1"), s = new_socket(AF_INET6, type), other = -1;
    struct inet_address a;
    char byte = 0;
    CHECK_ERR(set_number(s, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET6), EINVAL);
    CHECK_ERR(set_number(s, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET), ENOTCONN);
    CHECK_OK(connect_to(s, "::ffff:127.0.0.1", port_of(door)));
    if (type == SOCK_STREAM) other = accept(door, NULL, NULL);
    CHECK_EQ(number_option(s, IPPROTO_IPV6, IPV6_ADDRFORM), AF_INET6);
    CHECK_OK(set_number(s, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET));
    CHECK_EQ(number_option(s, SOL_SOCKET, SO_DOMAIN), AF_INET);
    CHECK_ERR(set_number(s, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET), ENOPROTOOPT);
    a = name_of(s, true);
    CHECK_EQ(a.sa.sa_family, AF_INET);
    CHECK_EQ(ntohs(a.in.sin_port), port_of(door));
    CHECK_EQ(send(s, "x", 1, 0), 1);
    CHECK_EQ(recv(type == SOCK_STREAM ? other : door, &byte, 1, 0), 1);
    if (other >= 0) CHECK_OK(close(other));
    CHECK_OK(close(s));
    CHECK_OK(close(door));

    door = new_bound(type, "::1");
    s = new_socket(AF_INET6, type);
    CHECK_OK(connect_to(s, "::1", port_of(door)));
    CHECK_ERR(set_number(s, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET), EADDRNOTAVAIL);
    CHECK_OK(close(s));
    CHECK_OK(close(door));
    ok(type == SOCK_STREAM ? "stream" : "datagrams");
}

int main(void) {
    segments("127.0.0.1");
    segments("::1");
    form(SOCK_STREAM);
    form(SOCK_DGRAM);
    return 0;
}
