/* SPDX-License-Identifier: MIT */
/* SOL_SOCKET options on AF_UNIX sockets. */
#include <sys/time.h>
#include <time.h>

#include "unix_socket.h"

static void facts(void) {
    int s[2], l = listener(SOCK_SEQPACKET, "@options", 1);
    new_pair(SOCK_STREAM, s);
    CHECK_EQ(option_of(s[0], SO_TYPE), SOCK_STREAM);
    CHECK_EQ(option_of(l, SO_TYPE), SOCK_SEQPACKET);
    CHECK_EQ(option_of(s[0], SO_DOMAIN), AF_UNIX);
    CHECK_EQ(option_of(s[0], SO_PROTOCOL), 0);
    CHECK_EQ(option_of(s[0], SO_ERROR), 0);
    CHECK_EQ(option_of(s[0], SO_ACCEPTCONN), 0);
    CHECK_EQ(option_of(l, SO_ACCEPTCONN), 1);
    CHECK_ERR(set_option(s[0], SO_TYPE, 1), ENOPROTOOPT);
    CHECK_ERR(set_option(s[0], SO_ERROR, 1), ENOPROTOOPT);
    CHECK_EQ(write(s[0], "x", 1), 1);
    CHECK_OK(close(s[1]));
    CHECK_EQ(option_of(s[0], SO_ERROR), ECONNRESET);
    CHECK_EQ(option_of(s[0], SO_ERROR), 0);
    CHECK_OK(close(s[0]));
    CHECK_OK(close(l));
    int raw = new_socket(SOCK_RAW);
    CHECK_EQ(option_of(raw, SO_TYPE), SOCK_DGRAM);
    CHECK_OK(close(raw));
    ok("facts");
}

static void buffers(void) {
    int s = new_socket(SOCK_STREAM);
    CHECK_EQ(option_of(s, SO_SNDBUF), 212992);
    CHECK_OK(set_option(s, SO_SNDBUF, 20000));
    CHECK_EQ(option_of(s, SO_SNDBUF), 40000);
    CHECK_OK(set_option(s, SO_SNDBUF, 1));
    CHECK_EQ(option_of(s, SO_SNDBUF), 4608);
    CHECK_OK(set_option(s, SO_RCVBUF, 20000));
    CHECK_EQ(option_of(s, SO_RCVBUF), 40000);
    CHECK_OK(set_option(s, SO_RCVBUF, 1));
    CHECK_EQ(option_of(s, SO_RCVBUF), 2304);
    CHECK_OK(close(s));
    ok("buffers");
}

static void switches(void) {
    static const int names[] = {SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST, SO_OOBINLINE,
                                SO_PASSCRED};
    int s = new_socket(SOCK_STREAM);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK_EQ(option_of(s, names[i]), 0);
        CHECK_OK(set_option(s, names[i], 7));
        CHECK_EQ(option_of(s, names[i]), 1);
        CHECK_OK(set_option(s, names[i], 0));
        CHECK_EQ(option_of(s, names[i]), 0);
    }
    struct linger l = {1, 30}, back;
    socklen_t len = sizeof back;
    CHECK_OK(setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof l));
    CHECK_OK(getsockopt(s, SOL_SOCKET, SO_LINGER, &back, &len));
    CHECK(back.l_onoff == 1 && back.l_linger == 30);
    CHECK_OK(set_option(s, SO_RCVLOWAT, 5));
    CHECK_EQ(option_of(s, SO_RCVLOWAT), 5);
    CHECK_OK(close(s));
    ok("switches");
}

static double seconds(void) {
    struct timespec t;
    CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &t));
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void timeouts(void) {
    static char block[500000];
    int s[2];
    struct timeval tv = {.tv_usec = 30000}, back;
    socklen_t len = sizeof back;
    char c;
    new_pair(SOCK_STREAM, s);
    CHECK_OK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    CHECK_OK(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    CHECK_OK(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &back, &len));
    CHECK_EQ(len, sizeof back);
    CHECK(back.tv_sec == 0 && back.tv_usec >= 30000 && back.tv_usec < 50000);
    double start = seconds();
    CHECK_ERR(read(s[0], &c, 1), EAGAIN);
    CHECK(seconds() - start >= 0.029);
    start = seconds();
    ssize_t n = write(s[0], block, sizeof block);
    CHECK(n > 0 && n < (ssize_t)sizeof block);
    CHECK(seconds() - start >= 0.029);
    CHECK_ERR(write(s[0], block, 1), EAGAIN);
    tv.tv_usec = 1000000;
    CHECK_ERR(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), EDOM);
    CHECK_ERR(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, 8), EINVAL);
    close_pair(s);
    int l = listener(SOCK_STREAM, "@timeout", 1);
    tv.tv_usec = 20000;
    CHECK_OK(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    CHECK_ERR(accept(l, NULL, NULL), EAGAIN);
    CHECK_OK(close(l));
    ok("timeouts");
}

static void peers(void) {
    int s[2], l = listener(SOCK_STREAM, "@peer", 1), c = new_socket(SOCK_STREAM);
    struct ucred cred;
    socklen_t len = sizeof cred;
    new_pair(SOCK_STREAM, s);
    CHECK_OK(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
    CHECK_EQ(len, sizeof cred);
    CHECK_EQ(cred.pid, getpid());
    CHECK_EQ(cred.uid, geteuid());
    CHECK_EQ(cred.gid, getegid());
    CHECK_OK(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &cred, &len));
    CHECK_EQ(cred.pid, 0);
    CHECK_EQ(cred.uid, (uid_t)-1);
    CHECK_OK(connect_to(c, "@peer"));
    CHECK_OK(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &cred, &len));
    CHECK_EQ(cred.pid, getpid());
    close_pair(s);
    CHECK_OK(close(c));
    CHECK_OK(close(l));
    ok("SO_PEERCRED");
}

static void errors(void) {
    int s = new_socket(SOCK_STREAM), value = 1;
    socklen_t len = sizeof value;
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &value, 3), EINVAL);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, bad_pointer(), 4), EFAULT);
    CHECK_ERR(syscall(SYS_setsockopt, s, SOL_SOCKET, SO_REUSEADDR, &value, -1), EINVAL);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, 9999, &value, 4), ENOPROTOOPT);
    CHECK_ERR(getsockopt(s, SOL_SOCKET, 9999, &value, &len), ENOPROTOOPT);
    CHECK_ERR(setsockopt(s, 6, 1, &value, 4), EOPNOTSUPP); /* TCP_NODELAY */
    CHECK_ERR(getsockopt(s, 6, 1, &value, &len), EOPNOTSUPP);
    CHECK_ERR(getsockopt(s, SOL_SOCKET, SO_TYPE, bad_pointer(), &len), EFAULT);
    CHECK_ERR(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, bad_pointer()), EFAULT);
    len = (socklen_t)-1;
    CHECK_ERR(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, &len), EINVAL);
    char bytes[8] = {9, 9, 9, 9, 9, 9, 9, 9};
    len = 1;
    CHECK_OK(getsockopt(s, SOL_SOCKET, SO_TYPE, bytes, &len));
    CHECK(len == 1 && bytes[0] == SOCK_STREAM && bytes[1] == 9);
    CHECK_OK(close(s));
    ok("errors");
}

int main(void) {
    facts();
    buffers();
    switches();
    timeouts();
    peers();
    errors();
    return 0;
}
