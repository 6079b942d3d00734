/* SPDX-License-Identifier: MIT */
/* Copies standard input, a pipe, to standard output with epoll(7), by level and by edge, alone and
 * behind a set in a set; another file in the set is ready now and then. */
#include "check.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static void add(int set, int fd, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    CHECK_OK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
}

/* Until there is no more now: 0 at the end of the input. */
static int copy(size_t piece, int all) {
    char text[4096];
    ssize_t n;
    do {
        n = read(0, text, piece);
        if (n < 0) CHECK_EQ(errno, EAGAIN);
        if (n > 0) CHECK_EQ(write(1, text, (size_t)n), n);
    } while (n > 0 && all);
    return n != 0;
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "level";
    int edge = strcmp(how, "level") != 0, nested = strcmp(how, "nested") == 0;
    uint64_t one = 1;
    struct epoll_event got;
    int set = epoll_create1(0), outer = epoll_create1(0), other = eventfd(1, 0);
    CHECK_OK(fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK));
    add(set, 0, EPOLLIN | EPOLLRDHUP | (edge ? EPOLLET : 0));
    add(set, other, EPOLLIN);
    add(outer, set, EPOLLIN | (edge ? EPOLLET : 0));
    for (;;) {
        if (nested) CHECK_EQ(epoll_wait(outer, &got, 1, -1), 1);
        int n = epoll_wait(set, &got, 1, nested ? 0 : -1);
        CHECK(n == 1 || (nested && n == 0));
        if (n == 0) continue;
        if (got.data.fd == other) {
            CHECK_EQ(read(other, &one, 8), 8);
            continue;
        }
        if (!copy(edge ? 4096 : 100, edge)) break;
    }
    return 0;
}
