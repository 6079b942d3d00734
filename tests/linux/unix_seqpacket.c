/* SPDX-License-Identifier: MIT */
/* AF_UNIX SOCK_SEQPACKET: connections with message boundaries. */
#include <signal.h>

#include "unix_socket.h"

static void pair(void) {
    int s[2];
    char buf[16];
    struct iovec iov = {buf, 2};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    new_pair(SOCK_SEQPACKET, s);
    CHECK_EQ(send(s[0], "first", 5, MSG_EOR), 5);
    CHECK_EQ(write(s[0], "second", 6), 6);
    CHECK_EQ(bytes_by(s[1], FIONREAD), 11);
    CHECK_EQ(recvmsg(s[1], &m, 0), 2);
    CHECK_EQ(m.msg_flags & MSG_TRUNC, MSG_TRUNC);
    CHECK_EQ(read(s[1], buf, sizeof buf), 6);
    /* An address is not looked at. */
    struct address a = address("@nobody");
    CHECK_EQ(sendto(s[0], "x", 1, 0, (struct sockaddr *)&a.un, a.len), 1);
    CHECK_EQ(read(s[1], buf, sizeof buf), 1);
    CHECK_OK(close(s[0]));
    CHECK_EQ(events_of(s[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    CHECK_EQ(read(s[1], buf, sizeof buf), 0);
    CHECK_EQ(recv(s[1], buf, sizeof buf, MSG_DONTWAIT), 0);
    CHECK_ERR(write(s[1], "x", 1), EPIPE);
    CHECK_OK(close(s[1]));
    ok("pair");
}

static void connection(void) {
    int l = listener(SOCK_SEQPACKET, "@seq", 2), c = new_socket(SOCK_SEQPACKET);
    char buf[16];
    CHECK_EQ(events_of(c), POLLOUT | POLLHUP);
    CHECK_ERR(write(c, "x", 1), ENOTCONN);
    CHECK_ERR(read(c, buf, 1), ENOTCONN);
    CHECK_EQ(events_of(l), 0);
    CHECK_OK(connect_to(c, "@seq"));
    CHECK_EQ(events_of(l), POLLIN);
    CHECK_EQ(write(c, "before accept", 13), 13);
    int s = accept(l, NULL, NULL);
    CHECK(s >= 0);
    CHECK_EQ(read(s, buf, sizeof buf), 13);
    CHECK_OK(shutdown(s, SHUT_WR));
    CHECK_EQ(read(c, buf, sizeof buf), 0);
    CHECK_EQ(write(c, "unread", 6), 6);
    CHECK_OK(close(s));
    CHECK_ERR(read(c, buf, sizeof buf), ECONNRESET);
    CHECK_EQ(read(c, buf, sizeof buf), 0);
    CHECK_OK(close(c));
    CHECK_OK(close(l));
    ok("connection");
}

int main(void) {
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    pair();
    connection();
    return 0;
}
