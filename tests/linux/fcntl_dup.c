/* SPDX-License-Identifier: MIT */
/* dup(2), dup2(2), dup3(2), fcntl(2): sharing of offset and status flags, close-on-exec. */
#include "check.h"

#include <sys/resource.h>

static void sharing(void) {
    char c;
    put_file("f", "abcdef");
    int a = open("f", O_RDWR), b = dup(a);
    CHECK(b > a);
    CHECK_EQ(read(a, &c, 1), 1);
    CHECK_EQ(read(b, &c, 1), 1);
    CHECK_EQ(c, 'b');
    CHECK_EQ(lseek(b, 5, SEEK_SET), 5);
    CHECK_EQ(lseek(a, 0, SEEK_CUR), 5);
    CHECK_OK(fcntl(a, F_SETFL, O_APPEND));
    CHECK_EQ(fcntl(b, F_GETFL) & O_APPEND, O_APPEND);
    CHECK_OK(fcntl(b, F_SETFL, 0));
    CHECK_EQ(fcntl(a, F_GETFL) & O_APPEND, 0);
    CHECK_EQ(fcntl(a, F_GETFL) & O_ACCMODE, O_RDWR);
    /* F_SETFL neither changes the access mode nor keeps creation flags. */
    CHECK_OK(fcntl(a, F_SETFL, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK));
    CHECK_EQ(fcntl(a, F_GETFL) & (O_ACCMODE | O_CREAT | O_TRUNC | O_NONBLOCK), O_RDWR | O_NONBLOCK);
    CHECK_OK(close(a));
    CHECK_EQ(read(b, &c, 1), 1);
    CHECK_EQ(c, 'f');
    CHECK_OK(close(b));
    ok("shared offset and flags");
}

static void numbers(void) {
    int a = open("f", O_RDONLY);
    CHECK_EQ(dup2(a, 50), 50);
    CHECK_EQ(dup2(a, a), a);
    CHECK_EQ(fcntl(a, F_DUPFD, 60), 60);
    CHECK_EQ(fcntl(a, F_DUPFD, 60), 61);
    CHECK_EQ(fcntl(60, F_GETFD), 0);
    CHECK_EQ(fcntl(a, F_DUPFD_CLOEXEC, 60), 62);
    CHECK_EQ(fcntl(62, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(dup3(a, 63, O_CLOEXEC), 63);
    CHECK_EQ(fcntl(63, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(dup2(63, 64), 64);
    CHECK_EQ(fcntl(64, F_GETFD), 0);
    CHECK_EQ(dup2(a, a), a);
    CHECK_OK(fcntl(64, F_SETFD, FD_CLOEXEC));
    CHECK_EQ(fcntl(64, F_GETFD), FD_CLOEXEC);
    CHECK_OK(fcntl(64, F_SETFD, 0));
    CHECK_EQ(fcntl(64, F_GETFD), 0);
    CHECK_EQ(fcntl(a, F_GETFD), 0);
    /* dup2 closes what was there. */
    int pipe_fds[2];
    char c;
    CHECK_OK(pipe(pipe_fds));
    CHECK_EQ(dup2(a, pipe_fds[1]), pipe_fds[1]);
    CHECK_EQ(read(pipe_fds[0], &c, 1), 0);
    for (int fd = 50; fd <= 64; fd++)
        close(fd);
    CHECK_OK(close(pipe_fds[0]));
    CHECK_OK(close(pipe_fds[1]));
    CHECK_OK(close(a));
    ok("numbers");
}

static void errors(void) {
    int a = open("f", O_RDONLY);
    struct rlimit lim;
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &lim));
    CHECK_ERR(dup(-1), EBADF);
    CHECK_ERR(dup(999), EBADF);
    CHECK_ERR(dup2(999, 5), EBADF);
    CHECK_ERR(dup2(999, 999), EBADF);
    CHECK_ERR(dup2(a, -1), EBADF);
    CHECK_ERR(dup2(a, (int)lim.rlim_cur), EBADF);
    CHECK_ERR(syscall(SYS_dup3, a, a, 0), EINVAL);
    CHECK_ERR(syscall(SYS_dup3, a, 70, O_APPEND), EINVAL);
    CHECK_ERR(fcntl(999, F_GETFD), EBADF);
    CHECK_ERR(fcntl(a, F_DUPFD, -1), EINVAL);
    CHECK_ERR(fcntl(a, F_DUPFD, (int)lim.rlim_cur), EINVAL);
    CHECK_ERR(fcntl(a, 0x7777), EINVAL);
    CHECK_OK(close(a));
    ok("errors");
}

static void lock_arguments(void) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int a = open("f", O_RDWR);
    CHECK_OK(fcntl(a, F_GETLK, &lock));
    CHECK_EQ(lock.l_type, F_UNLCK);
    lock.l_type = F_WRLCK;
    CHECK_OK(fcntl(a, F_SETLK, &lock));
    /* A process never conflicts with itself. */
    int b = open("f", O_RDWR);
    CHECK_OK(fcntl(b, F_SETLK, &lock));
    lock.l_type = F_UNLCK;
    CHECK_OK(fcntl(a, F_SETLK, &lock));
    lock.l_type = 77;
    CHECK_ERR(fcntl(a, F_SETLK, &lock), EINVAL);
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    int rd = open("f", O_RDONLY);
    lock.l_type = F_WRLCK;
    CHECK_ERR(fcntl(rd, F_SETLK, &lock), EBADF);
    CHECK_OK(close(rd));
    ok("record locks");
}

int main(void) {
    scratch();
    sharing();
    numbers();
    errors();
    lock_arguments();
    return 0;
}
