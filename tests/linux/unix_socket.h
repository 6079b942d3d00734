/* SPDX-License-Identifier: MIT */
/* Small helpers of the AF_UNIX tests. */
#ifndef TESTS_LINUX_UNIX_SOCKET_H
#define TESTS_LINUX_UNIX_SOCKET_H

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"

#ifndef SIOCOUTQ
#define SIOCOUTQ 0x5411 /* linux/sockios.h */
#endif
#define PATH_AT offsetof(struct sockaddr_un, sun_path)

struct address {
    struct sockaddr_un un;
    socklen_t len;
};

/* A path, or with a leading '@' an abstract name, which is made this process's own: natively all
 * processes share the name space. */
static inline struct address address(const char *name) {
    struct address a = {.un.sun_family = AF_UNIX};
    bool abstract = name[0] == '@';
    int len = snprintf(a.un.sun_path, sizeof(a.un.sun_path), abstract ? "%s.%d" : "%s", name,
                       (int)getpid());
    a.len = (socklen_t)(PATH_AT + (size_t)len + 1);
    if (abstract) a.un.sun_path[0] = 0, a.len--;
    return a;
}

static inline int bind_to(int fd, const char *name) {
    struct address a = address(name);
    return bind(fd, (struct sockaddr *)&a.un, a.len);
}

static inline int connect_to(int fd, const char *name) {
    struct address a = address(name);
    return connect(fd, (struct sockaddr *)&a.un, a.len);
}

static inline int new_socket(int type) {
    int fd = socket(AF_UNIX, type, 0);
    CHECK(fd >= 0);
    return fd;
}

static inline int listener(int type, const char *name, int backlog) {
    int fd = new_socket(type);
    CHECK_OK(bind_to(fd, name));
    CHECK_OK(listen(fd, backlog));
    return fd;
}

static inline void new_pair(int type, int fds[2]) { CHECK_OK(socketpair(AF_UNIX, type, 0, fds)); }

static inline void close_pair(const int fds[2]) {
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
}

/* All events that are true now. */
static inline short events_of(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI};
    CHECK(poll(&p, 1, 0) >= 0);
    return p.revents;
}

static inline int option_of(int fd, int option) {
    int value = -1;
    socklen_t len = sizeof value;
    CHECK_OK(getsockopt(fd, SOL_SOCKET, option, &value, &len));
    CHECK_EQ(len, sizeof value);
    return value;
}

static inline int set_option(int fd, int option, int value) {
    return setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);
}

/* Bytes as FIONREAD or SIOCOUTQ count them. */
static inline int bytes_by(int fd, unsigned long request) {
    int value = -1;
    CHECK_OK(ioctl(fd, request, &value));
    return value;
}

#endif
