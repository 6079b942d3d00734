/* SPDX-License-Identifier: MIT */
/* Options of internet sockets: getsockopt(2) and setsockopt(2) at every level that they have. */
#include "inet_socket.h"

static void of_streams(void) {
    int s = new_socket(AF_INET, SOCK_STREAM), u = new_socket(AF_INET, SOCK_DGRAM);
    char name[16];
    socklen_t len = sizeof name;
    CHECK_EQ(number_option(s, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    CHECK_EQ(number_option(s, SOL_SOCKET, SO_DOMAIN), AF_INET);
    CHECK_EQ(number_option(s, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    CHECK_EQ(number_option(u, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
    CHECK_EQ(number_option(s, SOL_SOCKET, SO_ACCEPTCONN), 0);
    CHECK_EQ(number_option(s, IPPROTO_TCP, TCP_NODELAY), 0);
    CHECK_OK(set_number(s, IPPROTO_TCP, TCP_NODELAY, 17));
    CHECK_EQ(number_option(s, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_ERR(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, "", 1), EINVAL);
    CHECK_ERR(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, bad_pointer(), 4), EFAULT);
    CHECK_ERR(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, name, (socklen_t)-1), EINVAL);
    CHECK_ERR(set_number(s, IPPROTO_TCP, 9999, 1), ENOPROTOOPT);
    CHECK_ERR(getsockopt(s, IPPROTO_TCP, 9999, name, &len), ENOPROTOOPT);
    CHECK_ERR(set_number(s, IPPROTO_UDP, 1, 1), ENOPROTOOPT);
    CHECK_ERR(set_number(s, IPPROTO_IPV6, IPV6_V6ONLY, 1), ENOPROTOOPT);
    CHECK_ERR(set_number(u, IPPROTO_TCP, TCP_NODELAY, 1), ENOPROTOOPT);
    const struct {
        int option, standard, good, bad;
    } numbers[] = {{TCP_KEEPIDLE, 7200, 60, 0},    {TCP_KEEPINTVL, 75, 5, 40000},
                   {TCP_KEEPCNT, 9, 3, 128},       {TCP_SYNCNT, 6, 2, 0},
                   {TCP_USER_TIMEOUT, 0, 100, -1}, {TCP_CORK, 0, 1, 0}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        CHECK_EQ(number_option(s, IPPROTO_TCP, numbers[i].option), numbers[i].standard);
        CHECK_OK(set_number(s, IPPROTO_TCP, numbers[i].option, numbers[i].good));
        CHECK_EQ(number_option(s, IPPROTO_TCP, numbers[i].option), numbers[i].good);
        if (numbers[i].option != TCP_CORK)
            CHECK_ERR(set_number(s, IPPROTO_TCP, numbers[i].option, numbers[i].bad), EINVAL);
    }
    CHECK_EQ(number_option(s, IPPROTO_TCP, TCP_MAXSEG), 536);
    CHECK_OK(getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, name, &len));
    CHECK(len == 16 && strlen(name) < 16);
    CHECK_OK(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
    CHECK_ERR(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "nothing", 7), ENOENT);
    CHECK_OK(close(s));
    CHECK_OK(close(u));
    ok("of streams");
}

static void of_addresses(void) {
    int s = new_socket(AF_INET, SOCK_STREAM), u = new_socket(AF_INET, SOCK_DGRAM);
    int s6 = new_socket(AF_INET6, SOCK_DGRAM), n;
    unsigned char byte = 0;
    socklen_t len = 1;
    CHECK_EQ(number_option(u, IPPROTO_IP, IP_TTL), 64);
    CHECK_OK(set_number(u, IPPROTO_IP, IP_TTL, 9));
    CHECK_EQ(number_option(u, IPPROTO_IP, IP_TTL), 9);
    CHECK_OK(getsockopt(u, IPPROTO_IP, IP_TTL, &byte, &len));
    CHECK(byte == 9 && len == 1);
    CHECK_ERR(set_number(u, IPPROTO_IP, IP_TTL, 0), EINVAL);
    CHECK_ERR(set_number(u, IPPROTO_IP, IP_TTL, 256), EINVAL);
    byte = 7;
    CHECK_OK(setsockopt(u, IPPROTO_IP, IP_TTL, &byte, 1));
    CHECK_EQ(number_option(u, IPPROTO_IP, IP_TTL), 7);
    CHECK_OK(set_number(s, IPPROTO_IP, IP_TOS, 0x10));
    CHECK_EQ(number_option(s, IPPROTO_IP, IP_TOS), 0x10);
    CHECK_ERR(set_number(s, IPPROTO_IP, IP_MULTICAST_TTL, 1), EINVAL);
    CHECK_OK(set_number(u, IPPROTO_IP, IP_MULTICAST_TTL, 3));
    CHECK_EQ(number_option(u, IPPROTO_IP, IP_MULTICAST_TTL), 3);
    CHECK_OK(set_number(u, IPPROTO_IP, IP_MULTICAST_LOOP, 0));
    CHECK_EQ(number_option(u, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
    CHECK_ERR(set_number(u, IPPROTO_IP, IP_MTU_DISCOVER, 6), EINVAL);
    CHECK_EQ(number_option(u, IPPROTO_IP, IP_MULTICAST_ALL), 1);
    len = sizeof n;
    CHECK_ERR(getsockopt(u, IPPROTO_IP, IP_MTU, &n, &len), ENOTCONN);
    CHECK_OK(connect_to(u, "127.0.0.1", 1));
    CHECK_EQ(number_option(u, IPPROTO_IP, IP_MTU), 65535);
    CHECK_ERR(set_number(u, IPPROTO_IP, 9999, 1), ENOPROTOOPT);
    CHECK_EQ(number_option(s6, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 64);
    CHECK_OK(set_number(s6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 5));
    CHECK_EQ(number_option(s6, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 5);
    CHECK_OK(set_number(s6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, -1));
    CHECK_EQ(number_option(s6, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 64);
    CHECK_ERR(set_number(s6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256), EINVAL);
    CHECK_ERR(setsockopt(s6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &byte, 1), EINVAL);
    CHECK_OK(set_number(s6, IPPROTO_IPV6, IPV6_V6ONLY, 1));
    CHECK_EQ(number_option(s6, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    CHECK_OK(set_number(s6, IPPROTO_IP, IP_TTL, 9)); /* it speaks IPv4, too */
    CHECK_OK(close(s));
    CHECK_OK(close(u));
    CHECK_OK(close(s6));
    ok("of addresses");
}

static void of_connections(void) {
    int door = new_socket(AF_INET, SOCK_STREAM), s = new_socket(AF_INET, SOCK_STREAM), end;
    struct linger l = {1, 5};
    struct tcp_info info;
    socklen_t len = sizeof info;
    CHECK_OK(set_number(door, SOL_SOCKET, SO_KEEPALIVE, 1));
    CHECK_OK(set_number(door, SOL_SOCKET, SO_RCVBUF, 10000));
    CHECK_OK(set_number(door, IPPROTO_TCP, TCP_NODELAY, 1));
    CHECK_OK(set_number(door, IPPROTO_TCP, TCP_KEEPIDLE, 77));
    CHECK_OK(setsockopt(door, SOL_SOCKET, SO_LINGER, &l, sizeof l));
    CHECK_OK(bind_to(door, "127.0.0.1", 0));
    CHECK_OK(listen(door, 5));
    CHECK_EQ(number_option(door, SOL_SOCKET, SO_ACCEPTCONN), 1);
    CHECK_OK(connect_to(s, "127.0.0.1", port_of(door)));
    end = accept(door, NULL, NULL);
    CHECK_EQ(number_option(end, SOL_SOCKET, SO_ACCEPTCONN), 0);
    CHECK_EQ(number_option(end, SOL_SOCKET, SO_KEEPALIVE), 1);
    CHECK_EQ(number_option(end, SOL_SOCKET, SO_RCVBUF), 20000);
    CHECK_EQ(number_option(end, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_EQ(number_option(end, IPPROTO_TCP, TCP_KEEPIDLE), 77);
    len = sizeof l;
    l.l_onoff = 0;
    CHECK_OK(getsockopt(end, SOL_SOCKET, SO_LINGER, &l, &len));
    CHECK(l.l_onoff == 1 && l.l_linger == 5);
    len = sizeof info;
    CHECK_OK(getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len));
    CHECK_EQ(info.tcpi_state, TCP_ESTABLISHED);
    CHECK(info.tcpi_snd_mss > 536 && info.tcpi_pmtu > 1500);
    CHECK_OK(getsockopt(door, IPPROTO_TCP, TCP_INFO, &info, &len));
    CHECK_EQ(info.tcpi_state, TCP_LISTEN);
    CHECK_EQ(info.tcpi_sacked, 5); /* the backlog */
    CHECK(number_option(s, IPPROTO_TCP, TCP_MAXSEG) > 536);
    CHECK_OK(close(end));
    await(s, POLLRDHUP);
    len = sizeof info;
    CHECK_OK(getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len));
    CHECK_EQ(info.tcpi_state, TCP_CLOSE_WAIT);
    CHECK_OK(close(s));
    CHECK_OK(close(door));
    ok("of connections");
}

static void deferred(void) {
    int door = new_socket(AF_INET, SOCK_STREAM), s = new_socket(AF_INET, SOCK_STREAM);
    char c;
    CHECK_OK(set_number(door, IPPROTO_TCP, TCP_DEFER_ACCEPT, 30));
    CHECK_EQ(number_option(door, IPPROTO_TCP, TCP_DEFER_ACCEPT), 31);
    CHECK_OK(bind_to(door, "127.0.0.1", 0));
    CHECK_OK(listen(door, 5));
    CHECK_OK(connect_to(s, "127.0.0.1", port_of(door)));
    CHECK_EQ(events_of(door), 0);
    CHECK_EQ(write(s, "x", 1), 1);
    await(door, POLLIN);
    int end = accept(door, NULL, NULL);
    CHECK_EQ(recv(end, &c, 1, MSG_DONTWAIT), 1);
    CHECK_OK(close(end));
    CHECK_OK(close(s));
    CHECK_OK(close(door));
    ok("deferred");
}

static void fast_open(void) {
    int door = new_bound(SOCK_STREAM, "127.0.0.1"), s = new_socket(AF_INET, SOCK_STREAM);
    struct inet_address to = inet_address("127.0.0.1", port_of(door));
    char buf[8];
    CHECK_EQ(sendto(s, "early", 5, MSG_FASTOPEN, &to.sa, to.len), 5);
    int end = accept(door, NULL, NULL);
    CHECK_EQ(recv(end, buf, 5, MSG_WAITALL), 5);
    CHECK_OK(close(end));
    CHECK_OK(close(s));
    CHECK_OK(close(door));
    ok("fast open");
}

static void of_devices(void) {
    int s = new_socket(AF_INET, SOCK_DGRAM);
    char name[16] = "x";
    socklen_t len = sizeof name;
    CHECK_OK(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
    CHECK_EQ(len, 0);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "nothing0", 9), ENODEV);
    CHECK_OK(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
    len = sizeof name;
    CHECK_OK(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
    CHECK_EQ(len, 3);
    CHECK_STR(name, "lo");
    CHECK_OK(close(s));
    ok("of devices");
}

int main(void) {
    of_streams();
    of_addresses();
    of_connections();
    deferred();
    fast_open();
    of_devices();
    return 0;
}
