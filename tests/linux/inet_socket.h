/* SPDX-License-Identifier: MIT */
/* Small helpers of the tests of internet sockets.  Everything is on the loopback interface, with
 * ports that the system chooses. */
#ifndef TESTS_LINUX_INET_SOCKET_H
#define TESTS_LINUX_INET_SOCKET_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

/* An address of either family. */
struct inet_address {
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    };
    socklen_t len;
};

static inline struct inet_address inet_address(const char *text, uint16_t port) {
    struct inet_address a;
    memset(&a, 0, sizeof(a));
    if (strchr(text, ':') != NULL) {
        a.in6.sin6_family = AF_INET6;
        a.in6.sin6_port = htons(port);
        CHECK_EQ(inet_pton(AF_INET6, text, &a.in6.sin6_addr), 1);
        a.len = sizeof(a.in6);
    } else {
        a.in.sin_family = AF_INET;
        a.in.sin_port = htons(port);
        CHECK_EQ(inet_pton(AF_INET, text, &a.in.sin_addr), 1);
        a.len = sizeof(a.in);
    }
    return a;
}

static inline int bind_to(int fd, const char *text, uint16_t port) {
    struct inet_address a = inet_address(text, port);
    return bind(fd, &a.sa, a.len);
}

static inline int connect_to(int fd, const char *text, uint16_t port) {
    struct inet_address a = inet_address(text, port);
    return connect(fd, &a.sa, a.len);
}

static inline struct inet_address name_of(int fd, bool peer) {
    struct inet_address a;
    memset(&a, 0, sizeof(a));
    a.len = sizeof(a.in6);
    CHECK_OK(peer ? getpeername(fd, &a.sa, &a.len) : getsockname(fd, &a.sa, &a.len));
    return a;
}

/* in and in6 have it at the same place. */
static inline uint16_t port_of(int fd) { return ntohs(name_of(fd, false).in.sin_port); }

static inline const char *text_of(const struct inet_address *a) {
    static char text[INET6_ADDRSTRLEN];
    if (a->sa.sa_family == AF_INET6)
        return inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof(text));
    return inet_ntop(AF_INET, &a->in.sin_addr, text, sizeof(text));
}

static inline int new_socket(int family, int type) {
    int fd = socket(family, type, 0);
    CHECK(fd >= 0);
    return fd;
}

/* A stream socket that listens, or a datagram socket, at a free port of this address. */
static inline int new_bound(int type, const char *text) {
    int fd = new_socket(strchr(text, ':') ? AF_INET6 : AF_INET, type);
    CHECK_OK(bind_to(fd, text, 0));
    if (type == SOCK_STREAM) CHECK_OK(listen(fd, 16));
    return fd;
}

/* A connection: s[0] connected, s[1] was accepted. */
static inline void new_connection(const char *text, int s[2]) {
    int door = new_bound(SOCK_STREAM, text);
    s[0] = new_socket(strchr(text, ':') ? AF_INET6 : AF_INET, SOCK_STREAM);
    CHECK_OK(connect_to(s[0], text, port_of(door)));
    s[1] = accept(door, NULL, NULL);
    CHECK(s[1] >= 0);
    CHECK_OK(close(door));
}

static inline void close_both(const int s[2]) {
    CHECK_OK(close(s[0]));
    CHECK_OK(close(s[1]));
}

/* Waits until one of the events is there; natively a packet takes its time. */
static inline int await(int fd, int events) {
    struct pollfd p = {fd, (short)events, 0};
    CHECK_EQ(poll(&p, 1, 20000), 1);
    return p.revents;
}

static inline int events_of(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0};
    CHECK(poll(&p, 1, 0) >= 0);
    return p.revents;
}

static inline int number_option(int fd, int level, int name) {
    int value = -12345;
    socklen_t len = sizeof(value);
    CHECK_OK(getsockopt(fd, level, name, &value, &len));
    return value;
}

static inline int set_number(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof(value));
}

static inline int error_of(int fd) { return number_option(fd, SOL_SOCKET, SO_ERROR); }

static inline void set_nonblocking(int fd) {
    CHECK_OK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
}

/* A socket whose port refuses everybody, while nobody else can have it: it does not listen, or
 * hears nobody but itself. */
static inline int new_deaf(int type, const char *text) {
    int fd = new_socket(strchr(text, ':') ? AF_INET6 : AF_INET, type);
    CHECK_OK(bind_to(fd, text, 0));
    if (type == SOCK_DGRAM) CHECK_OK(connect_to(fd, text, port_of(fd)));
    return fd;
}

#endif
