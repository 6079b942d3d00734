/* SPDX-License-Identifier: MIT */
/* bind(2) of internet sockets: addresses, ports, who may share one, both families at one port. */
#include "inet_socket.h"

static void addresses(void) {
    int s = new_socket(AF_INET, SOCK_STREAM), s6 = new_socket(AF_INET6, SOCK_STREAM);
    struct inet_address a = inet_address("127.0.0.1", 0), a6 = inet_address("::1", 0), got;
    got = name_of(s, false);
    CHECK_EQ(got.len, sizeof got.in);
    CHECK_STR(text_of(&got), "0.0.0.0");
    CHECK_EQ(got.in.sin_port, 0);
    got = name_of(s6, false);
    CHECK_EQ(got.len, sizeof got.in6);
    CHECK_STR(text_of(&got), "::");
    CHECK_ERR(getpeername(s, &got.sa, &got.len), ENOTCONN);
    CHECK_ERR(bind(s, &a.sa, sizeof a.in - 1), EINVAL);
    CHECK_ERR(bind(s, &a6.sa, a6.len), EAFNOSUPPORT);
    CHECK_ERR(bind(s6, &a6.sa, 20), EINVAL);
    CHECK_ERR(bind(s6, &a.sa, sizeof a.in6), EAFNOSUPPORT);
    CHECK_ERR(bind(s, bad_pointer(), a.len), EFAULT);
    CHECK_ERR(bind_to(s, "192.0.2.1", 0), EADDRNOTAVAIL);
    CHECK_ERR(bind_to(s6, "2001:db8::1", 0), EADDRNOTAVAIL);
    CHECK_ERR(bind_to(s6, "fe80::1", 0), EINVAL);
    CHECK_ERR(bind_to(s6, "ff02::1", 0), EINVAL);
    CHECK_OK(bind(s, &a.sa, a.len));
    CHECK(port_of(s) != 0);
    CHECK_ERR(bind(s, &a.sa, a.len), EINVAL);
    CHECK_OK(bind(s6, &a6.sa, a6.len));
    CHECK_ERR(set_number(s6, IPPROTO_IPV6, IPV6_V6ONLY, 1), EINVAL);
    CHECK_OK(close(s));
    CHECK_OK(close(s6));
    /* All of 127.0.0.0/8; AF_UNSPEC with the unspecified address. */
    s = new_socket(AF_INET, SOCK_DGRAM);
    CHECK_OK(bind_to(s, "127.1.2.3", 0));
    got = name_of(s, false);
    CHECK_STR(text_of(&got), "127.1.2.3");
    CHECK_OK(close(s));
    s = new_socket(AF_INET, SOCK_DGRAM);
    memset(&a, 0, sizeof a);
    CHECK_OK(bind(s, &a.sa, sizeof a.in));
    CHECK(port_of(s) != 0);
    CHECK_OK(close(s));
    ok("addresses");
}

static int try_bind(int type, const char *text, uint16_t port, int option) {
    int s = new_socket(strchr(text, ':') ? AF_INET6 : AF_INET, type);
    if (option != 0) CHECK_OK(set_number(s, SOL_SOCKET, option, 1));
    int r = bind_to(s, text, port) == 0 ? 0 : errno;
    CHECK_OK(close(s));
    return r;
}

static void sharing(int type) {
    int s = new_socket(AF_INET, type);
    CHECK_OK(bind_to(s, "127.0.0.1", 0));
    uint16_t port = port_of(s);
    CHECK_EQ(try_bind(type, "127.0.0.1", port, 0), EADDRINUSE);
    CHECK_EQ(try_bind(type, "0.0.0.0", port, 0), EADDRINUSE);
    CHECK_EQ(try_bind(type, "::", port, 0), EADDRINUSE);
    CHECK_EQ(try_bind(type, "::ffff:127.0.0.1", port, 0), EADDRINUSE);
    CHECK_EQ(try_bind(type, "127.0.0.1", port, SO_REUSEADDR), EADDRINUSE);
    CHECK_EQ(try_bind(type, "127.0.0.1", port, SO_REUSEPORT), EADDRINUSE);
    CHECK_EQ(try_bind(type, "127.0.0.2", port, 0), 0);
    CHECK_EQ(try_bind(type, "::1", port, 0), 0);
    CHECK_OK(set_number(s, SOL_SOCKET, SO_REUSEADDR, 1));
    CHECK_EQ(try_bind(type, "127.0.0.1", port, SO_REUSEADDR), 0);
    CHECK_EQ(try_bind(type, "127.0.0.1", port, 0), EADDRINUSE);
    if (type == SOCK_STREAM) {
        CHECK_OK(listen(s, 1));
        CHECK_EQ(try_bind(type, "127.0.0.1", port, SO_REUSEADDR), EADDRINUSE);
    }
    CHECK_OK(close(s));
    CHECK_EQ(try_bind(type, "127.0.0.1", port, 0), 0);

    s = new_socket(AF_INET, type);
    CHECK_OK(set_number(s, SOL_SOCKET, SO_REUSEPORT, 1));
    CHECK_OK(bind_to(s, "127.0.0.1", 0));
    port = port_of(s);
    if (type == SOCK_STREAM) CHECK_OK(listen(s, 1));
    CHECK_EQ(try_bind(type, "127.0.0.1", port, SO_REUSEPORT), 0);
    CHECK_EQ(try_bind(type, "127.0.0.1", port, 0), EADDRINUSE);
    CHECK_OK(close(s));
    ok("sharing");
}

/* Two that may bind may not both listen. */
static void two_listeners(void) {
    int a = new_socket(AF_INET, SOCK_STREAM), b = new_socket(AF_INET, SOCK_STREAM);
    CHECK_OK(set_number(a, SOL_SOCKET, SO_REUSEADDR, 1));
    CHECK_OK(set_number(b, SOL_SOCKET, SO_REUSEADDR, 1));
    CHECK_OK(bind_to(a, "127.0.0.1", 0));
    CHECK_OK(bind_to(b, "127.0.0.1", port_of(a)));
    CHECK_OK(listen(a, 1));
    CHECK_ERR(listen(b, 1), EADDRINUSE);
    CHECK_OK(close(a));
    CHECK_OK(listen(b, 1));
    CHECK_OK(close(b));
    a = new_socket(AF_INET, SOCK_STREAM); /* listen(2) chooses a port where there is none */
    CHECK_OK(listen(a, 1));
    CHECK(port_of(a) != 0);
    CHECK_OK(close(a));
    ok("two listeners");
}

/* SO_REUSEPORT: connections are spread. */
static void spread(void) {
    int door[2], seen[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        door[i] = new_socket(AF_INET, SOCK_STREAM);
        CHECK_OK(set_number(door[i], SOL_SOCKET, SO_REUSEPORT, 1));
        CHECK_OK(bind_to(door[i], "127.0.0.1", i == 0 ? 0 : port_of(door[0])));
        CHECK_OK(listen(door[i], 64));
        set_nonblocking(door[i]);
    }
    for (int i = 0; i < 60; i++) {
        int s = new_socket(AF_INET, SOCK_STREAM), end = -1;
        CHECK_OK(connect_to(s, "127.0.0.1", port_of(door[0])));
        struct pollfd p[2] = {{door[0], POLLIN, 0}, {door[1], POLLIN, 0}};
        CHECK_EQ(poll(p, 2, 10000), 1);
        int which = p[0].revents ? 0 : 1;
        end = accept(door[which], NULL, NULL);
        CHECK(end >= 0);
        seen[which]++;
        CHECK_OK(close(s));
        CHECK_OK(close(end));
    }
    CHECK(seen[0] > 0 && seen[1] > 0);
    CHECK_OK(close(door[0]));
    CHECK_OK(close(door[1]));
    ok("spread");
}

/* A connection that this side closed first holds on to its port. */
static void time_wait(void) {
    int s[2], door = new_bound(SOCK_STREAM, "127.0.0.1");
    uint16_t port = port_of(door);
    char c;
    s[0] = new_socket(AF_INET, SOCK_STREAM);
    CHECK_OK(connect_to(s[0], "127.0.0.1", port));
    s[1] = accept(door, NULL, NULL);
    CHECK_OK(close(door));
    CHECK_EQ(try_bind(SOCK_STREAM, "127.0.0.1", port, 0), EADDRINUSE);
    CHECK_OK(close(s[1]));
    CHECK_EQ(read(s[0], &c, 1), 0);
    CHECK_OK(close(s[0]));
    CHECK_EQ(try_bind(SOCK_STREAM, "127.0.0.1", port, 0), EADDRINUSE);
    CHECK_EQ(try_bind(SOCK_STREAM, "127.0.0.1", port, SO_REUSEADDR), EADDRINUSE);

    /* Unless all had SO_REUSEADDR. */
    door = new_socket(AF_INET, SOCK_STREAM);
    CHECK_OK(set_number(door, SOL_SOCKET, SO_REUSEADDR, 1));
    CHECK_OK(bind_to(door, "127.0.0.1", 0));
    CHECK_OK(listen(door, 1));
    port = port_of(door);
    s[0] = new_socket(AF_INET, SOCK_STREAM);
    CHECK_OK(connect_to(s[0], "127.0.0.1", port));
    s[1] = accept(door, NULL, NULL);
    CHECK_EQ(number_option(s[1], SOL_SOCKET, SO_REUSEADDR), 1);
    CHECK_OK(close(s[1]));
    CHECK_OK(close(door));
    CHECK_EQ(read(s[0], &c, 1), 0);
    CHECK_OK(close(s[0]));
    CHECK_EQ(try_bind(SOCK_STREAM, "127.0.0.1", port, SO_REUSEADDR), 0);
    ok("time wait");
}

static void both_families(void) {
    int door = new_socket(AF_INET6, SOCK_STREAM), s = new_socket(AF_INET, SOCK_STREAM);
    CHECK_EQ(number_option(door, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    CHECK_OK(bind_to(door, "::", 0));
    CHECK_OK(listen(door, 4));
    uint16_t port = port_of(door);
    CHECK_OK(connect_to(s, "127.0.0.1", port));
    int end = accept(door, NULL, NULL);
    struct inet_address peer = name_of(end, true), own = name_of(end, false);
    CHECK_STR(text_of(&peer), "::ffff:127.0.0.1");
    CHECK_EQ(ntohs(peer.in6.sin6_port), port_of(s));
    CHECK_STR(text_of(&own), "::ffff:127.0.0.1");
    CHECK_OK(close(end));
    CHECK_OK(close(s));
    s = new_socket(AF_INET6, SOCK_STREAM);
    CHECK_OK(connect_to(s, "::ffff:127.0.0.1", port));
    own = name_of(s, false);
    CHECK_STR(text_of(&own), "::ffff:127.0.0.1");
    CHECK_OK(close(s));
    CHECK_OK(close(door));

    door = new_socket(AF_INET6, SOCK_STREAM);
    CHECK_OK(set_number(door, IPPROTO_IPV6, IPV6_V6ONLY, 1));
    CHECK_ERR(bind_to(door, "::ffff:127.0.0.1", 0), EINVAL);
    /* Any free port for IPv6 that is free for IPv4, too. */
    int v4;
    for (;;) {
        CHECK_OK(bind_to(door, "::", 0));
        v4 = new_socket(AF_INET, SOCK_STREAM);
        if (bind_to(v4, "0.0.0.0", port_of(door)) == 0) break;
        CHECK_EQ(errno, EADDRINUSE);
        CHECK_OK(close(v4));
        CHECK_OK(close(door));
        door = new_socket(AF_INET6, SOCK_STREAM);
        CHECK_OK(set_number(door, IPPROTO_IPV6, IPV6_V6ONLY, 1));
    }
    CHECK_OK(listen(door, 4));
    s = new_socket(AF_INET, SOCK_STREAM);
    CHECK_ERR(connect_to(s, "127.0.0.1", port_of(door)), ECONNREFUSED);
    CHECK_OK(close(s));
    CHECK_OK(close(v4));
    CHECK_OK(close(door));
    ok("both families");
}

int main(void) {
    addresses();
    sharing(SOCK_STREAM);
    sharing(SOCK_DGRAM);
    two_listeners();
    spread();
    time_wait();
    both_families();
    return 0;
}
