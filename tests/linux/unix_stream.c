/* SPDX-License-Identifier: MIT */
/* AF_UNIX SOCK_STREAM: socketpair(2), data, shutdown(2), end of file, EPIPE, ECONNRESET, flags of
 * send(2) and recv(2), limits, readiness. */
#include <signal.h>
#include <sys/uio.h>

#include "unix_socket.h"

static void data(void) {
    int s[2];
    char buf[32];
    new_pair(SOCK_STREAM, s);
    CHECK_EQ(events_of(s[0]), POLLOUT);
    CHECK_EQ(write(s[0], "hello", 5), 5);
    CHECK_EQ(send(s[0], "world", 5, 0), 5);
    CHECK_EQ(bytes_by(s[1], FIONREAD), 10);
    CHECK(bytes_by(s[0], SIOCOUTQ) > 0);
    CHECK_EQ(events_of(s[1]), POLLIN | POLLOUT);
    CHECK_EQ(recv(s[1], buf, 7, MSG_PEEK), 7);
    CHECK_EQ(read(s[1], buf, 3), 3);
    CHECK(memcmp(buf, "hel", 3) == 0);
    struct iovec iov[2] = {{buf, 4}, {buf + 4, 20}};
    CHECK_EQ(readv(s[1], iov, 2), 7);
    CHECK(memcmp(buf, "loworld", 7) == 0);
    CHECK_EQ(bytes_by(s[0], SIOCOUTQ), 0);
    CHECK_EQ(writev(s[1], iov, 1), 4);
    CHECK_EQ(recv(s[0], buf, sizeof buf, MSG_DONTWAIT), 4);
    CHECK_ERR(recv(s[0], buf, sizeof buf, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(read(s[0], buf, 0), 0);
    CHECK_EQ(write(s[0], buf, 0), 0);
    CHECK_EQ(events_of(s[1]), POLLOUT);
    CHECK_ERR(lseek(s[0], 0, SEEK_SET), ESPIPE);
    CHECK_ERR(pread(s[0], buf, 1, 0), ESPIPE);
    CHECK_ERR(fsync(s[0]), EINVAL);
    close_pair(s);
    ok("data");
}

static void files(void) {
    int s[2];
    char path[64], text[64], want[64];
    struct stat st;
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s));
    CHECK_EQ(fcntl(s[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(s[1], F_GETFL), O_RDWR | O_NONBLOCK);
    CHECK_ERR(read(s[0], text, 1), EAGAIN);
    int off = 0;
    CHECK_OK(ioctl(s[0], FIONBIO, &off));
    CHECK_EQ(fcntl(s[0], F_GETFL), O_RDWR);
    CHECK_OK(fstat(s[0], &st));
    CHECK(S_ISSOCK(st.st_mode));
    CHECK_EQ(st.st_mode & 07777, 0777);
    CHECK_EQ(st.st_size, 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", s[0]);
    ssize_t n = readlink(path, text, sizeof text - 1);
    CHECK(n > 0);
    text[n] = 0;
    snprintf(want, sizeof want, "socket:[%lu]", (unsigned long)st.st_ino);
    CHECK_STR(text, want);
    CHECK_ERR(open(path, O_RDWR), ENXIO);
    close_pair(s);
    ok("descriptors");
}

static void ends(void) {
    int s[2];
    char buf[8];
    new_pair(SOCK_STREAM, s);
    CHECK_EQ(write(s[0], "bye", 3), 3);
    CHECK_OK(close(s[0]));
    CHECK_EQ(events_of(s[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    CHECK_EQ(read(s[1], buf, sizeof buf), 3);
    CHECK_EQ(read(s[1], buf, sizeof buf), 0);
    CHECK_ERR(write(s[1], "x", 1), EPIPE);
    struct sockaddr_un name;
    socklen_t len = sizeof name;
    CHECK_OK(getpeername(s[1], (struct sockaddr *)&name, &len));
    CHECK_EQ(len, 2);
    CHECK_OK(close(s[1]));

    /* What the peer did not read is a reset, once. */
    new_pair(SOCK_STREAM, s);
    CHECK_EQ(write(s[0], "ab", 2), 2);
    CHECK_EQ(write(s[1], "unread", 6), 6);
    CHECK_OK(close(s[0]));
    CHECK_EQ(events_of(s[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP | POLLERR);
    CHECK_EQ(read(s[1], buf, sizeof buf), 2);
    CHECK_ERR(read(s[1], buf, sizeof buf), ECONNRESET);
    CHECK_EQ(read(s[1], buf, sizeof buf), 0);
    CHECK_OK(close(s[1]));
    ok("end of file, reset");
}

static void half_close(void) {
    int s[2];
    char buf[8];
    new_pair(SOCK_STREAM, s);
    CHECK_EQ(write(s[0], "last", 4), 4);
    CHECK_OK(shutdown(s[0], SHUT_WR));
    CHECK_ERR(write(s[0], "x", 1), EPIPE);
    CHECK_EQ(events_of(s[1]), POLLIN | POLLOUT | POLLRDHUP);
    CHECK_EQ(read(s[1], buf, sizeof buf), 4);
    CHECK_EQ(read(s[1], buf, sizeof buf), 0);
    CHECK_EQ(write(s[1], "back", 4), 4);
    CHECK_EQ(read(s[0], buf, sizeof buf), 4);
    CHECK_EQ(events_of(s[0]), POLLOUT);
    CHECK_OK(shutdown(s[0], SHUT_RD));
    CHECK_EQ(events_of(s[0]), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    CHECK_EQ(events_of(s[1]), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    CHECK_EQ(read(s[0], buf, sizeof buf), 0);
    CHECK_ERR(write(s[1], "x", 1), EPIPE);
    CHECK_ERR(shutdown(s[0], 3), EINVAL);
    close_pair(s);
    ok("shutdown");
}

static volatile sig_atomic_t pipes_broken;
static void on_sigpipe(int sig) { pipes_broken += sig == SIGPIPE; }

static void sigpipe(void) {
    int s[2];
    CHECK(signal(SIGPIPE, on_sigpipe) != SIG_ERR);
    new_pair(SOCK_STREAM, s);
    CHECK_OK(close(s[1]));
    CHECK_ERR(write(s[0], "x", 1), EPIPE);
    CHECK_EQ(pipes_broken, 1);
    CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_EQ(pipes_broken, 1);
    CHECK_ERR(send(s[0], "x", 1, 0), EPIPE);
    CHECK_EQ(pipes_broken, 2);
    CHECK_OK(close(s[0]));
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    ok("SIGPIPE");
}

static void flags(void) {
    int s[2];
    char buf[16] = "";
    new_pair(SOCK_STREAM, s);
    CHECK_EQ(write(s[0], "abc", 3), 3);
    CHECK_EQ(write(s[0], "def", 3), 3);
    CHECK_EQ(recv(s[1], buf, 6, MSG_WAITALL), 6);
    CHECK(memcmp(buf, "abcdef", 6) == 0);
    CHECK_EQ(write(s[0], "gh", 2), 2);
    CHECK_OK(shutdown(s[0], SHUT_WR));
    CHECK_EQ(recv(s[1], buf, 6, MSG_WAITALL), 2);
    CHECK_EQ(write(s[1], "0123456789", 10), 10);
    CHECK_EQ(recv(s[0], buf, 4, MSG_PEEK), 4);
    CHECK_EQ(recv(s[0], buf, sizeof buf, MSG_PEEK), 10);
    CHECK_EQ(recv(s[0], buf, sizeof buf, 0), 10);
    close_pair(s);

    new_pair(SOCK_STREAM, s);
    CHECK_EQ(option_of(s[1], SO_PEEK_OFF), -1);
    CHECK_OK(set_option(s[1], SO_PEEK_OFF, 0));
    CHECK_EQ(write(s[0], "aabb", 4), 4);
    CHECK_EQ(write(s[0], "ccdd", 4), 4);
    CHECK_EQ(recv(s[1], buf, 2, MSG_PEEK), 2);
    CHECK(memcmp(buf, "aa", 2) == 0);
    CHECK_EQ(option_of(s[1], SO_PEEK_OFF), 2);
    CHECK_EQ(recv(s[1], buf, 2, MSG_PEEK), 2);
    CHECK(memcmp(buf, "bb", 2) == 0);
    CHECK_EQ(recv(s[1], buf, 2, MSG_PEEK), 2);
    CHECK(memcmp(buf, "cc", 2) == 0);
    CHECK_EQ(recv(s[1], buf, 3, 0), 3);
    CHECK_EQ(option_of(s[1], SO_PEEK_OFF), 3);
    CHECK_EQ(recv(s[1], buf, 2, MSG_PEEK), 2);
    CHECK(memcmp(buf, "dd", 2) == 0);
    CHECK_ERR(recv(s[1], buf, 2, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
    close_pair(s);
    ok("MSG_WAITALL, MSG_PEEK, SO_PEEK_OFF");
}

static void limits(void) {
    static char block[65536];
    int s[2];
    long total = 0, got = 0;
    ssize_t n;
    new_pair(SOCK_STREAM | SOCK_NONBLOCK, s);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)(i * 13);
    while ((n = write(s[0], block, sizeof block)) > 0)
        total += n;
    CHECK_EQ(n, -1);
    CHECK_EQ(errno, EAGAIN);
    CHECK(total >= 100000 && total < 400000);
    CHECK_EQ(events_of(s[0]), 0);
    while ((n = read(s[1], block, 3000)) > 0)
        got += n;
    CHECK_EQ(got, total);
    CHECK_EQ(events_of(s[0]), POLLOUT);
    /* A message costs more than its bytes. */
    int small = 0;
    while (write(s[0], "x", 1) == 1)
        small++;
    CHECK_EQ(errno, EAGAIN);
    CHECK(small >= 20 && small < 2000);
    CHECK_EQ(read(s[1], block, sizeof block), small);
    close_pair(s);
    ok("limits");
}

static void errors(void) {
    int s[2];
    char c;
    CHECK_ERR(socket(AF_UNIX, SOCK_STREAM | 0x100, 0), EINVAL);
    CHECK_ERR(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
    CHECK_ERR(socket(AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT);
    CHECK_ERR(socket(AF_UNIX, 11, 0), EINVAL);
    CHECK_ERR(socket(46, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERR(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERR(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, bad_pointer()), EFAULT);
    int fd = open("/dev/null", O_RDWR);
    CHECK_ERR(send(fd, "x", 1, 0), ENOTSOCK);
    CHECK_ERR(listen(fd, 1), ENOTSOCK);
    CHECK_OK(close(fd));
    CHECK_ERR(recv(fd, &c, 1, 0), EBADF);
    fd = new_socket(SOCK_STREAM);
    CHECK_EQ(events_of(fd), POLLOUT | POLLHUP);
    CHECK_ERR(read(fd, &c, 1), EINVAL);
    CHECK_ERR(write(fd, &c, 1), ENOTCONN);
    CHECK_ERR(listen(fd, 1), EINVAL);
    CHECK_ERR(accept(fd, NULL, NULL), EINVAL);
    struct address a = address("@none");
    CHECK_ERR(sendto(fd, "x", 1, 0, (struct sockaddr *)&a.un, a.len), EOPNOTSUPP);
    CHECK_OK(close(fd));
    new_pair(SOCK_STREAM, s);
    CHECK_ERR(sendto(s[0], "x", 1, 0, (struct sockaddr *)&a.un, a.len), EISCONN);
    CHECK_ERR(write(s[0], bad_pointer(), 1), EFAULT);
    CHECK_EQ(write(s[0], "abc", 3), 3);
    CHECK_ERR(read(s[1], bad_pointer(), 3), EFAULT);
    CHECK_EQ(bytes_by(s[1], FIONREAD), 3);
    close_pair(s);
    ok("errors");
}

int main(void) {
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    data();
    files();
    ends();
    half_close();
    sigpipe();
    flags();
    limits();
    errors();
    return 0;
}
