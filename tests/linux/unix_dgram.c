/* SPDX-License-Identifier: MIT */
/* AF_UNIX SOCK_DGRAM: boundaries, addresses, connect(2) as a filter, limits, sendmmsg(2) and
 * recvmmsg(2), readiness. */
#include <signal.h>

#include "unix_socket.h"

static ssize_t send_to(int fd, const char *text, const char *name) {
    struct address a = address(name);
    return sendto(fd, text, strlen(text), 0, (struct sockaddr *)&a.un, a.len);
}

static void boundaries(void) {
    int s[2];
    char buf[16];
    new_pair(SOCK_DGRAM, s);
    CHECK_EQ(events_of(s[0]), POLLOUT);
    CHECK_EQ(write(s[0], "one", 3), 3);
    CHECK_EQ(write(s[0], "", 0), 0);
    CHECK_EQ(send(s[0], "", 0, 0), 0);
    CHECK_EQ(write(s[0], "three", 5), 5);
    CHECK_EQ(bytes_by(s[1], FIONREAD), 3);
    CHECK_EQ(recv(s[1], buf, sizeof buf, MSG_PEEK), 3);
    CHECK_EQ(recv(s[1], buf, 2, MSG_TRUNC), 3);
    CHECK_EQ(recv(s[1], buf, sizeof buf, 0), 0);
    CHECK_EQ(recv(s[1], buf, sizeof buf, 0), 0);
    CHECK_EQ(recv(s[1], buf, 4, 0), 4);
    CHECK_ERR(recv(s[1], buf, 4, MSG_DONTWAIT), EAGAIN);
    close_pair(s);
    ok("boundaries");
}

static void addresses(void) {
    int a = new_socket(SOCK_DGRAM), b = new_socket(SOCK_DGRAM), c = new_socket(SOCK_DGRAM);
    char buf[16];
    struct sockaddr_un from;
    socklen_t len = sizeof from;
    CHECK_OK(bind_to(a, "@dgram-a"));
    CHECK_OK(bind_to(b, "b.sock"));
    CHECK_EQ(send_to(b, "from b", "@dgram-a"), 6);
    CHECK_EQ(recvfrom(a, buf, sizeof buf, 0, (struct sockaddr *)&from, &len), 6);
    CHECK_EQ(len, PATH_AT + 7);
    CHECK_STR(from.sun_path, "b.sock");
    CHECK_EQ(send_to(c, "anon", "@dgram-a"), 4);
    len = sizeof from;
    CHECK_EQ(recvfrom(a, buf, sizeof buf, 0, (struct sockaddr *)&from, &len), 4);
    CHECK_EQ(len, 0);
    CHECK_ERR(send_to(c, "x", "@nobody"), ECONNREFUSED);
    CHECK_ERR(send_to(c, "x", "absent"), ENOENT);
    CHECK_ERR(write(c, "x", 1), ENOTCONN);
    /* Of a's and b's conversation others are left out. */
    CHECK_OK(connect_to(a, "b.sock"));
    CHECK_ERR(send_to(c, "x", "@dgram-a"), EPERM);
    CHECK_ERR(connect_to(c, "@dgram-a"), EPERM);
    CHECK_EQ(send_to(b, "b", "@dgram-a"), 1);
    CHECK_EQ(write(a, "to b", 4), 4);
    CHECK_EQ(recv(b, buf, sizeof buf, 0), 4);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    CHECK_OK(connect(a, &none, sizeof none));
    CHECK_EQ(send_to(c, "again", "@dgram-a"), 5);
    CHECK_OK(connect_to(a, "b.sock"));
    CHECK_OK(close(b));
    CHECK_ERR(write(a, "x", 1), ECONNREFUSED);
    CHECK_ERR(write(a, "x", 1), ENOTCONN);
    CHECK_ERR(send_to(a, "x", "b.sock"), ECONNREFUSED);
    CHECK_ERR(listen(a, 1), EOPNOTSUPP);
    CHECK_ERR(accept(a, NULL, NULL), EOPNOTSUPP);
    CHECK_OK(close(a));
    CHECK_OK(close(c));
    CHECK_OK(unlink("b.sock"));
    ok("addresses");
}

static void ends(void) {
    int s[2];
    char c;
    new_pair(SOCK_DGRAM, s);
    CHECK_OK(shutdown(s[0], SHUT_RD));
    CHECK_EQ(events_of(s[0]), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_ERR(write(s[1], "x", 1), EPIPE);
    CHECK_EQ(read(s[0], &c, 1), 0);
    CHECK_OK(shutdown(s[0], SHUT_WR));
    CHECK_ERR(write(s[0], "x", 1), EPIPE);
    CHECK_OK(close(s[0]));
    CHECK_EQ(events_of(s[1]), POLLOUT);
    CHECK_ERR(write(s[1], "x", 1), ECONNREFUSED);
    CHECK_OK(close(s[1]));
    ok("ends");
}

static void limits(void) {
    static char block[400000];
    int s[2], sent = 0;
    new_pair(SOCK_DGRAM | SOCK_NONBLOCK, s);
    int sndbuf = option_of(s[0], SO_SNDBUF);
    CHECK_EQ(write(s[0], block, (size_t)sndbuf - 32), sndbuf - 32);
    CHECK_ERR(write(s[0], block, (size_t)sndbuf - 31), EMSGSIZE);
    CHECK_EQ(read(s[1], block, sizeof block), sndbuf - 32);
    while (write(s[0], block, 1000) == 1000)
        sent++;
    CHECK_EQ(errno, EAGAIN);
    CHECK(sent > 5);
    CHECK_EQ(events_of(s[0]) & POLLOUT, 0);
    while (read(s[1], block, 1000) == 1000)
        sent--;
    CHECK_EQ(sent, 0);
    CHECK_EQ(events_of(s[0]), POLLOUT);
    close_pair(s);

    /* A receiver that is not connected to the sender has a limit of its own. */
    int to = new_socket(SOCK_DGRAM), from = new_socket(SOCK_DGRAM | SOCK_NONBLOCK);
    CHECK_OK(bind_to(to, "@dgram-full"));
    CHECK_OK(connect_to(from, "@dgram-full"));
    while (write(from, "x", 1) == 1)
        sent++;
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(events_of(from) & POLLOUT, 0);
    while (recv(to, block, 1, MSG_DONTWAIT) == 1)
        sent--;
    CHECK_EQ(sent, 0);
    CHECK_EQ(events_of(from), POLLOUT);
    CHECK_OK(close(to));
    CHECK_OK(close(from));
    ok("limits");
}

static void many(void) {
    enum { COUNT = 4 };
    int s[2];
    char out[COUNT][8], in[COUNT + 1][8];
    struct iovec iov[COUNT + 1];
    struct mmsghdr m[COUNT + 1];
    memset(m, 0, sizeof m);
    for (size_t i = 0; i < COUNT; i++) {
        memset(out[i], 'a' + (int)i, sizeof out[i]);
        iov[i] = (struct iovec){out[i], i + 1};
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    new_pair(SOCK_DGRAM, s);
    CHECK_EQ(sendmmsg(s[0], m, COUNT, 0), COUNT);
    CHECK_EQ(m[2].msg_len, 3);
    for (size_t i = 0; i <= COUNT; i++) {
        iov[i] = (struct iovec){in[i], sizeof in[i]};
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    struct timespec timeout = {.tv_sec = 100};
    CHECK_EQ(recvmmsg(s[1], m, 2, 0, &timeout), 2);
    CHECK(timeout.tv_sec >= 90 && timeout.tv_sec <= 100);
    CHECK_EQ(recvmmsg(s[1], m, COUNT + 1, MSG_WAITFORONE, NULL), 2);
    CHECK_EQ(m[0].msg_len, 3);
    CHECK_EQ(m[1].msg_len, 4);
    CHECK(memcmp(in[1], "dddd", 4) == 0);
    CHECK_ERR(recvmmsg(s[1], m, 1, MSG_DONTWAIT, NULL), EAGAIN);
    timeout.tv_nsec = 1000000000;
    CHECK_ERR(recvmmsg(s[1], m, 1, 0, &timeout), EINVAL);
    CHECK_ERR(syscall(SYS_sendmmsg, s[0], bad_pointer(), 1, 0), EFAULT);
    close_pair(s);
    ok("sendmmsg, recvmmsg");
}

static void faults(void) {
    int s[2];
    char c;
    new_pair(SOCK_DGRAM, s);
    CHECK_ERR(write(s[0], bad_pointer(), 1), EFAULT);
    CHECK_EQ(write(s[0], "x", 1), 1);
    CHECK_EQ(write(s[0], "y", 1), 1);
    CHECK_ERR(read(s[1], bad_pointer(), 1), EFAULT);
    CHECK_EQ(read(s[1], &c, 1), 1); /* the first message is lost */
    CHECK_EQ(c, 'y');
    close_pair(s);
    ok("faults");
}

int main(void) {
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR); /* datagrams raise no SIGPIPE */
    scratch();
    boundaries();
    addresses();
    ends();
    limits();
    many();
    faults();
    return 0;
}
