/* SPDX-License-Identifier: MIT */
/* pipe(2), pipe2(2): data, end of file, EPIPE, capacity, O_NONBLOCK, FIONREAD, poll states. */
#include "check.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>

static short events_of(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    CHECK(poll(&p, 1, 0) >= 0);
    return p.revents;
}

static void data(void) {
    int fds[2], pending = -1;
    char buf[32];
    CHECK_OK(pipe(fds));
    CHECK_EQ(events_of(fds[0], POLLIN), 0);
    CHECK_EQ(events_of(fds[1], POLLOUT), POLLOUT);
    CHECK_EQ(write(fds[1], "hello", 5), 5);
    CHECK_EQ(write(fds[1], "world", 5), 5);
    CHECK_OK(ioctl(fds[0], FIONREAD, &pending));
    CHECK_EQ(pending, 10);
    CHECK_EQ(events_of(fds[0], POLLIN), POLLIN);
    CHECK_EQ(read(fds[0], buf, 3), 3);
    CHECK(memcmp(buf, "hel", 3) == 0);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 7);
    CHECK(memcmp(buf, "loworld", 7) == 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_OK(close(fds[1]));
    CHECK_EQ(events_of(fds[0], POLLIN), POLLIN | POLLHUP);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 1);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 0);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 0);
    CHECK_EQ(events_of(fds[0], POLLIN), POLLHUP);
    CHECK_OK(close(fds[0]));
    ok("data, end of file");
}

static volatile sig_atomic_t got_sigpipe;
static void on_sigpipe(int sig) { got_sigpipe = sig; }

static void broken(void) {
    int fds[2];
    CHECK_OK(pipe(fds));
    CHECK_OK(close(fds[0]));
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    CHECK_EQ(events_of(fds[1], POLLOUT) & POLLERR, POLLERR);
    CHECK_ERR(write(fds[1], "x", 1), EPIPE);
    CHECK(signal(SIGPIPE, on_sigpipe) != SIG_ERR);
    CHECK_ERR(write(fds[1], "x", 1), EPIPE);
    CHECK_EQ(got_sigpipe, SIGPIPE);
    CHECK_OK(close(fds[1]));
    ok("EPIPE, SIGPIPE");
}

static void capacity(void) {
    static char block[65536 + 4096];
    int fds[2];
    CHECK_OK(pipe2(fds, O_NONBLOCK | O_CLOEXEC));
    CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fds[1], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_ERR(read(fds[0], block, 1), EAGAIN);
    CHECK_EQ(fcntl(fds[0], F_GETPIPE_SZ), 65536);
    CHECK_EQ(write(fds[1], block, sizeof block), 65536);
    CHECK_ERR(write(fds[1], block, 1), EAGAIN);
    CHECK_EQ(events_of(fds[1], POLLOUT), 0);
    CHECK_EQ(read(fds[0], block, 4096), 4096);
    CHECK_EQ(write(fds[1], block, PIPE_BUF), PIPE_BUF);
    CHECK_ERR(write(fds[1], block, 1), EAGAIN);
    CHECK_EQ(read(fds[0], block, sizeof block), 65536);
    CHECK_ERR(read(fds[0], block, 1), EAGAIN);
    /* The pattern survives going around the buffer. */
    for (int round = 0; round < 50; round++) {
        char out[3000], in[3000];
        for (size_t i = 0; i < sizeof out; i++)
            out[i] = (char)(i * 7 + (size_t)round);
        CHECK_EQ(write(fds[1], out, sizeof out), sizeof out);
        CHECK_EQ(read(fds[0], in, sizeof in), sizeof in);
        CHECK(memcmp(in, out, sizeof in) == 0);
    }
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    ok("capacity, O_NONBLOCK");
}

static void errors(void) {
    int fds[2];
    char c;
    CHECK_ERR(syscall(SYS_pipe, bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_pipe2, fds, O_APPEND), EINVAL);
    CHECK_OK(pipe(fds));
    CHECK_ERR(read(fds[1], &c, 1), EBADF);
    CHECK_ERR(write(fds[0], &c, 1), EBADF);
    CHECK_ERR(lseek(fds[0], 0, SEEK_SET), ESPIPE);
    CHECK_ERR(lseek(fds[1], 0, SEEK_CUR), ESPIPE);
    CHECK_ERR(pread(fds[0], &c, 1, 0), ESPIPE);
    CHECK_ERR(pwrite(fds[1], &c, 1, 0), ESPIPE);
    CHECK_ERR(write(fds[1], bad_pointer(), 1), EFAULT);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_ERR(read(fds[0], bad_pointer(), 1), EFAULT);
    CHECK_EQ(write(fds[1], "", 0), 0);
    CHECK_ERR(fsync(fds[0]), EINVAL);
    CHECK_EQ(fcntl(fds[0], F_GETFL) & O_ACCMODE, O_RDONLY);
    CHECK_EQ(fcntl(fds[1], F_GETFL) & O_ACCMODE, O_WRONLY);
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    ok("errors");
}

int main(void) {
    data();
    broken();
    capacity();
    errors();
    return 0;
}
