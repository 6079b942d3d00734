/* SPDX-License-Identifier: MIT */
/* connect(2), listen(2), accept(2) of streams: errors, connections that take their time, a full
 * queue, giving up. */
#include <pthread.h>
#include <sys/epoll.h>

#include "inet_socket.h"

static void refused(const char *host) {
    int family = strchr(host, ':') ? AF_INET6 : AF_INET;
    int deaf = new_deaf(SOCK_STREAM, host), s = new_socket(family, SOCK_STREAM);
    struct inet_address a;
    CHECK_ERR(connect_to(s, host, port_of(deaf)), ECONNREFUSED);
    CHECK_EQ(error_of(s), 0);
    CHECK_ERR(connect_to(s, host, port_of(deaf)), ECONNREFUSED);
    set_nonblocking(s);
    CHECK_ERR(connect_to(s, host, port_of(deaf)), EINPROGRESS);
    CHECK(await(s, POLLOUT) & POLLERR);
    a.len = sizeof a.in6;
    CHECK_ERR(getpeername(s, &a.sa, &a.len), ENOTCONN);
    CHECK_EQ(error_of(s), ECONNREFUSED);
    CHECK_ERR(connect_to(s, host, port_of(deaf)), ECONNABORTED);
    CHECK_ERR(connect_to(s, host, port_of(deaf)), EINPROGRESS);
    await(s, POLLOUT);
    CHECK_ERR(connect_to(s, host, port_of(deaf)), ECONNREFUSED);
    /* The same socket may be lucky later. */
    CHECK_OK(listen(deaf, 1));
    CHECK_ERR(connect_to(s, host, port_of(deaf)), EINPROGRESS);
    await(s, POLLOUT);
    CHECK_EQ(error_of(s), 0);
    CHECK_OK(close(s));
    CHECK_OK(close(deaf));
    ok("refused");
}

static void in_progress(void) {
    int door = new_bound(SOCK_STREAM, "127.0.0.1"), s = new_socket(AF_INET, SOCK_STREAM);
    set_nonblocking(s);
    set_nonblocking(door);
    CHECK_ERR(accept(door, NULL, NULL), EAGAIN);
    CHECK_ERR(connect_to(s, "127.0.0.1", port_of(door)), EINPROGRESS);
    await(s, POLLOUT);
    CHECK_EQ(error_of(s), 0);
    CHECK_OK(connect_to(s, "127.0.0.1", port_of(door))); /* tells that it is done */
    CHECK_ERR(connect_to(s, "127.0.0.1", port_of(door)), EISCONN);
    await(door, POLLIN);
    struct inet_address peer;
    peer.len = sizeof peer.in6;
    int end = accept4(door, &peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(end >= 0);
    CHECK_EQ(peer.len, sizeof peer.in);
    CHECK_EQ(ntohs(peer.in.sin_port), port_of(s));
    CHECK_EQ(fcntl(end, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_EQ(fcntl(end, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(port_of(end), port_of(door));
    struct inet_address a = name_of(s, true);
    CHECK_EQ(ntohs(a.in.sin_port), port_of(door));
    CHECK_STR(text_of(&a), "127.0.0.1");
    CHECK_ERR(listen(s, 1), EINVAL);
    CHECK_ERR(bind_to(s, "127.0.0.1", 0), EINVAL);
    CHECK_OK(close(end));
    CHECK_OK(close(s));
    CHECK_OK(close(door));
    ok("in progress");
}

static void errors(void) {
    int s = new_socket(AF_INET, SOCK_STREAM), s6 = new_socket(AF_INET6, SOCK_STREAM);
    int door = new_bound(SOCK_STREAM, "127.0.0.1");
    struct inet_address a = inet_address("127.0.0.1", port_of(door)), a6 = inet_address("::1", 1);
    CHECK_ERR(connect(s, &a.sa, 1), EINVAL);
    CHECK_ERR(connect(s, &a.sa, sizeof a.in - 1), EINVAL);
    CHECK_ERR(connect(s, &a.sa, 4096), EINVAL);
    CHECK_ERR(connect(s, bad_pointer(), sizeof a.in), EFAULT);
    CHECK_ERR(connect(s, &a6.sa, a6.len), EAFNOSUPPORT);
    CHECK_ERR(connect(s6, &a.sa, sizeof a.in6), EAFNOSUPPORT);
    CHECK_ERR(connect(s6, &a6.sa, 20), EINVAL);
    CHECK_ERR(connect_to(s, "224.0.0.1", 1), ENETUNREACH);
    CHECK_ERR(connect(door, &a.sa, a.len), EISCONN);
    CHECK_ERR(connect(0x7fff, &a.sa, a.len), EBADF);
    CHECK_OK(set_number(s6, IPPROTO_IPV6, IPV6_V6ONLY, 1));
    CHECK_ERR(connect_to(s6, "::ffff:127.0.0.1", port_of(door)), ENETUNREACH);
    CHECK_ERR(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    CHECK_ERR(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
    CHECK_ERR(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
    CHECK_ERR(socket(AF_INET, SOCK_STREAM, 300000), EINVAL);
    CHECK_ERR(socketpair(AF_INET, SOCK_STREAM, 0, (int[2]){0}), EOPNOTSUPP);
    int u = new_socket(AF_INET, SOCK_DGRAM);
    CHECK_ERR(listen(u, 1), EOPNOTSUPP);
    CHECK_ERR(accept(u, NULL, NULL), EOPNOTSUPP);
    CHECK_OK(close(u));
    /* The unspecified address is this machine. */
    CHECK_OK(connect_to(s, "0.0.0.0", port_of(door)));
    struct inet_address peer = name_of(s, true);
    CHECK_STR(text_of(&peer), "127.0.0.1");
    /* AF_UNSPEC takes the connection away. */
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    CHECK_OK(connect(s, &none, sizeof none));
    CHECK_EQ(events_of(s), POLLOUT | POLLHUP | POLLERR);
    CHECK_OK(connect(s, &a.sa, a.len));
    CHECK_EQ(error_of(s), 0);
    CHECK_OK(connect(s, &none, sizeof none));
    CHECK_EQ(error_of(s), ECONNRESET);
    CHECK_OK(close(s));
    CHECK_OK(close(s6));
    CHECK_OK(close(door));
    ok("errors");
}

static void full_queue(void) {
    int door = new_bound(SOCK_STREAM, "127.0.0.1"), s[3], end;
    CHECK_OK(listen(door, 0)); /* room for one */
    s[0] = new_socket(AF_INET, SOCK_STREAM);
    CHECK_OK(connect_to(s[0], "127.0.0.1", port_of(door)));
    s[1] = new_socket(AF_INET, SOCK_STREAM);
    set_nonblocking(s[1]);
    CHECK_ERR(connect_to(s[1], "127.0.0.1", port_of(door)), EINPROGRESS);
    CHECK_EQ(events_of(s[1]), 0);
    CHECK_ERR(connect_to(s[1], "127.0.0.1", port_of(door)), EALREADY);
    CHECK_ERR(send(s[1], "x", 1, MSG_NOSIGNAL), EAGAIN);
    CHECK_ERR(recv(s[1], (char[1]){0}, 1, 0), EAGAIN);
    struct timeval tv = {0, 20000};
    s[2] = new_socket(AF_INET, SOCK_STREAM);
    CHECK_OK(setsockopt(s[2], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    CHECK_ERR(connect_to(s[2], "127.0.0.1", port_of(door)), EINPROGRESS);
    CHECK_OK(close(s[2]));
    end = accept(door, NULL, NULL);
    CHECK(end >= 0);
    await(s[1], POLLOUT);
    CHECK_EQ(error_of(s[1]), 0);
    CHECK_OK(close(end));
    CHECK_OK(close(s[0]));
    CHECK_OK(close(s[1]));
    CHECK_OK(close(door));
    ok("full queue");
}

static void closed_door(void) {
    int door = new_bound(SOCK_STREAM, "::1"), s = new_socket(AF_INET6, SOCK_STREAM);
    uint16_t port = port_of(door);
    char c;
    CHECK_OK(connect_to(s, "::1", port));
    CHECK_OK(close(door)); /* nobody accepted it */
    await(s, POLLHUP);
    CHECK_ERR(read(s, &c, 1), ECONNRESET);
    CHECK_OK(close(s));
    door = new_bound(SOCK_STREAM, "127.0.0.1");
    s = new_socket(AF_INET, SOCK_STREAM);
    CHECK_OK(connect_to(s, "127.0.0.1", port_of(door)));
    CHECK_EQ(write(s, "early", 5), 5);
    CHECK_OK(close(s));
    int end = accept(door, NULL, NULL); /* gone, but it was there */
    char buf[8];
    CHECK_EQ(recv(end, buf, 8, MSG_WAITALL), 5);
    CHECK_EQ(read(end, buf, 8), 0);
    CHECK_OK(close(end));
    /* shutdown(2) wakes who accepts. */
    CHECK_OK(shutdown(door, SHUT_RD));
    CHECK_ERR(accept(door, NULL, NULL), EINVAL);
    CHECK_OK(close(door));
    ok("closed door");
}

static void *accept_one(void *arg) {
    CHECK_ERR(accept(*(int *)arg, NULL, NULL), EINVAL);
    return NULL;
}

static void woken(void) {
    int door = new_bound(SOCK_STREAM, "127.0.0.1");
    pthread_t t;
    CHECK_OK(pthread_create(&t, NULL, accept_one, &door));
    CHECK_OK(shutdown(door, SHUT_RDWR)); /* before or while it waits */
    CHECK_OK(pthread_join(t, NULL));
    CHECK_OK(close(door));
    ok("woken");
}

/* Edge-triggered: each arrival is an event, although the socket was readable before. */
static void edges(void) {
    int s[2], ep = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET}, got;
    char buf[8];
    new_connection("127.0.0.1", s);
    CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, s[1], &e));
    CHECK_EQ(epoll_wait(ep, &got, 1, 10000), 1);
    CHECK_EQ(got.events, EPOLLOUT);
    CHECK_EQ(epoll_wait(ep, &got, 1, 0), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(write(s[0], "a", 1), 1);
        CHECK_EQ(epoll_wait(ep, &got, 1, 10000), 1);
        CHECK_EQ(got.events, EPOLLIN | EPOLLOUT);
        CHECK_EQ(epoll_wait(ep, &got, 1, 0), 0);
    }
    CHECK_EQ(read(s[1], buf, 2), 2);
    CHECK_EQ(epoll_wait(ep, &got, 1, 0), 0);
    CHECK_OK(shutdown(s[0], SHUT_WR));
    CHECK_EQ(epoll_wait(ep, &got, 1, 10000), 1);
    CHECK_EQ(got.events, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    CHECK_EQ(epoll_wait(ep, &got, 1, 0), 0);
    close_both(s);
    CHECK_OK(close(ep));
    ok("edges");
}

int main(void) {
    refused("127.0.0.1");
    refused("::1");
    in_progress();
    errors();
    full_queue();
    closed_door();
    woken();
    edges();
    return 0;
}
