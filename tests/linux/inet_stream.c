/* SPDX-License-Identifier: MIT */
/* Streams of AF_INET and AF_INET6: data, flags of send(2) and recv(2), half-close, end of file,
 * EPIPE, ECONNRESET, urgent data, full buffers. */
#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "inet_socket.h"

#ifndef SIOCATMARK
#define SIOCATMARK 0x8905
#endif

static volatile sig_atomic_t broken_pipes;
static void count_pipe(int sig) { broken_pipes += sig == SIGPIPE; }

static int bytes_by(int fd, unsigned long request) {
    int n = -1;
    CHECK_OK(ioctl(fd, request, &n));
    return n;
}

static void data(const char *host) {
    int s[2];
    char buf[32];
    new_connection(host, s);
    CHECK_EQ(events_of(s[0]), POLLOUT);
    CHECK_ERR(recv(s[0], buf, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(write(s[0], "hello", 5), 5);
    CHECK_EQ(send(s[0], "world", 5, 0), 5);
    CHECK_EQ(recv(s[1], buf, 10, MSG_PEEK | MSG_WAITALL), 10);
    CHECK_EQ(bytes_by(s[1], FIONREAD), 10);
    CHECK_EQ(events_of(s[1]), POLLIN | POLLOUT);
    CHECK_EQ(read(s[1], buf, 3), 3);
    CHECK(memcmp(buf, "hel", 3) == 0);
    struct iovec iov[2] = {{buf, 4}, {buf + 4, 20}};
    CHECK_EQ(readv(s[1], iov, 2), 7);
    CHECK(memcmp(buf, "loworld", 7) == 0);
    CHECK_EQ(writev(s[1], iov, 1), 4);
    CHECK_EQ(recv(s[0], buf, 4, MSG_WAITALL | MSG_TRUNC), 4);
    CHECK_EQ(read(s[0], buf, 0), 0);
    CHECK_EQ(write(s[0], buf, 0), 0);
    CHECK_ERR(lseek(s[0], 0, SEEK_SET), ESPIPE);
    CHECK_ERR(send(s[0], bad_pointer(), 8, 0), EFAULT);
    CHECK_EQ(write(s[0], "x", 1), 1);
    await(s[1], POLLIN);
    CHECK_ERR(recv(s[1], bad_pointer(), 8, 0), EFAULT);
    CHECK_EQ(read(s[1], buf, 8), 1);
    CHECK_ERR(recv(s[1], buf, 8, MSG_ERRQUEUE), EAGAIN);
    /* The address of a send on a connection is not looked at, that of a receive is none. */
    struct inet_address a = inet_address(host, 1);
    CHECK_EQ(sendto(s[0], "abc", 3, 0, &a.sa, a.len), 3);
    CHECK_EQ(recvfrom(s[1], buf, 3, MSG_WAITALL, &a.sa, &a.len), 3);
    CHECK_EQ(a.len, 0);
    close_both(s);
    ok("data");
}

static void half_close(const char *host) {
    int s[2];
    char buf[8];
    new_connection(host, s);
    CHECK_EQ(write(s[0], "last", 4), 4);
    CHECK_OK(shutdown(s[0], SHUT_WR));
    CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(recv(s[1], buf, 8, MSG_WAITALL), 4);
    CHECK_EQ(read(s[1], buf, 8), 0);
    CHECK_EQ(read(s[1], buf, 8), 0);
    CHECK_EQ(events_of(s[1]), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(write(s[1], "back", 4), 4);
    CHECK_EQ(recv(s[0], buf, 4, MSG_WAITALL), 4);
    CHECK_OK(shutdown(s[1], SHUT_WR));
    CHECK_EQ(read(s[0], buf, 8), 0);
    await(s[0], POLLHUP);
    CHECK_EQ(events_of(s[0]), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    CHECK_ERR(shutdown(s[0], SHUT_RDWR), ENOTCONN);
    close_both(s);

    new_connection(host, s);
    CHECK_OK(shutdown(s[0], SHUT_RD));
    CHECK_EQ(read(s[0], buf, 8), 0);
    CHECK_EQ(events_of(s[0]), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(write(s[1], "late", 4), 4);
    CHECK_EQ(recv(s[0], buf, 4, MSG_PEEK) >= 0, 1);
    CHECK_ERR(shutdown(s[0], 3), EINVAL);
    close_both(s);
    ok("half close");
}

static void reset(const char *host) {
    int s[2];
    char buf[8];
    new_connection(host, s);
    CHECK_EQ(write(s[0], "unread", 6), 6);
    await(s[1], POLLIN);
    CHECK_OK(close(s[1]));
    CHECK(await(s[0], POLLHUP) & POLLERR);
    CHECK_ERR(read(s[0], buf, 8), ECONNRESET);
    CHECK_EQ(read(s[0], buf, 8), 0);
    broken_pipes = 0;
    CHECK_ERR(write(s[0], "x", 1), EPIPE);
    CHECK_EQ(broken_pipes, 1);
    CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(broken_pipes, 1);
    CHECK_OK(close(s[0]));

    /* What had arrived before can still be read. */
    struct linger now = {1, 0};
    new_connection(host, s);
    CHECK_EQ(write(s[1], "abc", 3), 3);
    await(s[0], POLLIN);
    CHECK_OK(setsockopt(s[1], SOL_SOCKET, SO_LINGER, &now, sizeof now));
    CHECK_OK(close(s[1]));
    await(s[0], POLLHUP);
    CHECK_EQ(read(s[0], buf, 8), 3);
    CHECK_EQ(error_of(s[0]), ECONNRESET);
    CHECK_EQ(error_of(s[0]), 0);
    CHECK_EQ(read(s[0], buf, 8), 0);
    struct inet_address a;
    a.len = sizeof a.in6;
    CHECK_ERR(getpeername(s[0], &a.sa, &a.len), ENOTCONN);
    CHECK_OK(close(s[0]));

    /* A first write after the peer has closed is accepted, and answered with a reset. */
    new_connection(host, s);
    CHECK_OK(close(s[1]));
    await(s[0], POLLRDHUP);
    CHECK_EQ(write(s[0], "x", 1), 1);
    await(s[0], POLLHUP);
    CHECK_EQ(read(s[0], buf, 8), 0);
    broken_pipes = 0;
    CHECK_ERR(write(s[0], "x", 1), EPIPE);
    CHECK_EQ(broken_pipes, 1);
    CHECK_OK(close(s[0]));
    ok("reset");
}

static void not_connected(void) {
    int s = new_socket(AF_INET, SOCK_STREAM), door = new_bound(SOCK_STREAM, "127.0.0.1");
    char buf[4];
    CHECK_ERR(read(s, buf, 4), ENOTCONN);
    CHECK_ERR(send(s, buf, 4, MSG_NOSIGNAL), EPIPE);
    CHECK_ERR(shutdown(s, SHUT_WR), ENOTCONN);
    CHECK_OK(close(s));
    s = new_socket(AF_INET, SOCK_STREAM);
    CHECK_EQ(events_of(s), POLLOUT | POLLHUP);
    CHECK_ERR(read(door, buf, 4), ENOTCONN);
    CHECK_ERR(send(door, buf, 4, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(events_of(door), 0);
    CHECK_ERR(accept(s, NULL, NULL), EINVAL);
    CHECK_OK(close(s));
    CHECK_OK(close(door));
    ok("not connected");
}

static void urgent(void) {
    int s[2];
    char buf[16];
    new_connection("127.0.0.1", s);
    CHECK_ERR(recv(s[1], buf, 1, MSG_OOB), EINVAL);
    CHECK_EQ(send(s[0], "abc", 3, 0), 3);
    CHECK_EQ(send(s[0], "dX", 2, MSG_OOB), 2);
    CHECK_EQ(send(s[0], "efg", 3, 0), 3);
    await(s[1], POLLPRI);
    CHECK_EQ(bytes_by(s[1], FIONREAD), 4); /* up to the mark */
    CHECK_EQ(events_of(s[1]), POLLIN | POLLPRI | POLLOUT);
    CHECK_EQ(bytes_by(s[1], SIOCATMARK), 0);
    CHECK_EQ(recv(s[1], buf, 1, MSG_OOB | MSG_PEEK), 1);
    CHECK_EQ(buf[0], 'X');
    CHECK_EQ(recv(s[1], buf, 1, MSG_OOB), 1);
    CHECK_ERR(recv(s[1], buf, 1, MSG_OOB), EINVAL);
    CHECK_EQ(read(s[1], buf, 16), 4); /* stops at the mark */
    CHECK(memcmp(buf, "abcd", 4) == 0);
    CHECK_EQ(bytes_by(s[1], SIOCATMARK), 1);
    CHECK_EQ(recv(s[1], buf, 3, MSG_WAITALL), 3);
    CHECK(memcmp(buf, "efg", 3) == 0);
    CHECK_EQ(bytes_by(s[1], SIOCATMARK), 0);

    CHECK_OK(set_number(s[1], SOL_SOCKET, SO_OOBINLINE, 1));
    CHECK_EQ(send(s[0], "pQ", 2, MSG_OOB), 2);
    await(s[1], POLLPRI);
    CHECK_ERR(recv(s[1], buf, 1, MSG_OOB), EINVAL);
    CHECK_EQ(read(s[1], buf, 16), 1);
    CHECK_EQ(bytes_by(s[1], SIOCATMARK), 1);
    CHECK_EQ(read(s[1], buf, 16), 1);
    CHECK_EQ(buf[0], 'Q');
    close_both(s);
    ok("urgent");
}

#define BULK (8 << 20)
static char *bulk;

static void *send_bulk(void *arg) {
    int fd = *(int *)arg;
    for (size_t at = 0; at < BULK;) {
        ssize_t n = write(fd, bulk + at, BULK - at < 300000 ? BULK - at : 300000);
        CHECK(n > 0);
        at += (size_t)n;
    }
    CHECK_OK(shutdown(fd, SHUT_WR));
    return NULL;
}

static void flow(void) {
    int s[2];
    size_t filled = 0, read_back = 0;
    static char buf[65536];
    bulk = malloc(BULK);
    for (size_t i = 0; i < BULK; i++)
        bulk[i] = (char)(i * 2654435761u >> 13);
    new_connection("127.0.0.1", s);
    /* Fills the buffers, then empties them. */
    set_nonblocking(s[0]);
    for (int idle = 0; idle < 3;) {
        ssize_t n = write(s[0], bulk + filled % 1000000, 100000);
        if (n > 0) filled += (size_t)n;
        if (n < 0) {
            CHECK_EQ(errno, EAGAIN);
            idle++;
            struct pollfd p = {s[0], POLLOUT, 0};
            poll(&p, 1, 20);
        }
    }
    CHECK(filled > 60000);
    CHECK(!(events_of(s[0]) & POLLOUT));
    while (read_back < filled) {
        ssize_t n = read(s[1], buf, sizeof buf);
        CHECK(n > 0);
        read_back += (size_t)n;
    }
    await(s[0], POLLOUT);
    CHECK_OK(fcntl(s[0], F_SETFL, O_RDWR));
    pthread_t t;
    CHECK_OK(pthread_create(&t, NULL, send_bulk, &s[0]));
    for (size_t at = 0;;) {
        ssize_t n = read(s[1], buf, at % 3 ? sizeof buf : 777);
        CHECK(n >= 0 && at + (size_t)n <= BULK);
        if (n == 0) {
            CHECK_EQ(at, BULK);
            break;
        }
        CHECK(memcmp(buf, bulk + at, (size_t)n) == 0);
        at += (size_t)n;
    }
    CHECK_OK(pthread_join(t, NULL));
    close_both(s);
    ok("flow");
}

static void timeouts(void) {
    int s[2];
    char buf[4];
    struct timeval tv = {0, 20000};
    new_connection("127.0.0.1", s);
    CHECK_OK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    CHECK_ERR(read(s[0], buf, 4), EAGAIN);
    CHECK_EQ(write(s[1], "ab", 2), 2);
    CHECK_EQ(recv(s[0], buf, 4, MSG_WAITALL), 2);
    CHECK_OK(set_number(s[0], SOL_SOCKET, SO_RCVLOWAT, 4));
    CHECK_EQ(write(s[1], "ab", 2), 2);
    CHECK_EQ(recv(s[0], buf, 2, MSG_PEEK | MSG_WAITALL), 2);
    CHECK_EQ(events_of(s[0]), POLLOUT);
    CHECK_EQ(write(s[1], "cd", 2), 2);
    await(s[0], POLLIN);
    CHECK_EQ(read(s[0], buf, 4), 4);
    close_both(s);
    ok("timeouts");
}

/* From a file, and through a pipe. */
static void splicing(void) {
    int s[2], p[2];
    char buf[64];
    scratch();
    put_file("text", "from a file");
    int fd = open("text", O_RDONLY);
    new_connection("127.0.0.1", s);
    CHECK_OK(pipe(p));
    CHECK_EQ(sendfile(s[0], fd, NULL, 100), 11);
    CHECK_EQ(recv(s[1], buf, 11, MSG_WAITALL | MSG_PEEK), 11);
    CHECK(memcmp(buf, "from a file", 11) == 0);
    CHECK_EQ(splice(s[1], NULL, p[1], NULL, 64, 0), 11);
    CHECK_EQ(splice(p[0], NULL, s[1], NULL, 64, 0), 11);
    CHECK_EQ(recv(s[0], buf, 11, MSG_WAITALL), 11);
    CHECK(memcmp(buf, "from a file", 11) == 0);
    close_both(s);
    ok("splicing");
}

int main(void) {
    signal(SIGPIPE, count_pipe);
    data("127.0.0.1");
    data("::1");
    half_close("127.0.0.1");
    half_close("::1");
    reset("127.0.0.1");
    not_connected();
    urgent();
    flow();
    timeouts();
    splicing();
    return 0;
}
