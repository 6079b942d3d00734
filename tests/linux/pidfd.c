/* SPDX-License-Identifier: MIT */
/* pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2) for the program itself. */
#include <poll.h>
#include <signal.h>

#include "check.h"

static long pidfd_open_(pid_t pid, unsigned flags) { return syscall(434, pid, flags); }
static long pidfd_send(long fd, int sig, siginfo_t *info, unsigned flags) {
    return syscall(424, fd, sig, info, flags);
}
static long pidfd_get(long pidfd, int fd, unsigned flags) { return syscall(438, pidfd, fd, flags); }

static volatile sig_atomic_t got, code, value;

static void on_signal(int sig, siginfo_t *info, void *context) {
    (void)context;
    got = sig;
    code = info->si_code;
    value = info->si_value.sival_int;
}

static void test_open(void) {
    char c, text[64], name[64] = {0};
    int fd = (int)pidfd_open_(getpid(), 0);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
    CHECK(readlink(text, name, sizeof name - 1) > 0);
    CHECK_STR(name, "anon_inode:[pidfd]");
    CHECK_ERR(read(fd, &c, 1), EINVAL);
    CHECK_ERR(write(fd, "x", 1), EINVAL);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    CHECK_EQ(poll(&p, 1, 1), 0);
    CHECK_OK(close(fd));
    fd = (int)pidfd_open_(getpid(), O_NONBLOCK);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK_OK(close(fd));
    CHECK((fd = (int)pidfd_open_(1, 0)) >= 0);
    p.fd = fd;
    CHECK_EQ(poll(&p, 1, 0), 0);
    CHECK(pidfd_send(fd, 0, NULL, 0) == 0 || errno == EPERM);
    CHECK_OK(close(fd));
    CHECK_ERR(pidfd_open_(0, 0), EINVAL);
    CHECK_ERR(pidfd_open_(-1, 0), EINVAL);
    CHECK_ERR(pidfd_open_(getpid(), 1), EINVAL);
    CHECK_ERR(pidfd_open_(0x3fffffff, 1), EINVAL);
    CHECK_ERR(pidfd_open_(0x3fffffff, 0), ESRCH);
}

static void test_send(void) {
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    siginfo_t info = {.si_signo = SIGUSR2, .si_code = SI_QUEUE, .si_value.sival_int = 42};
    long fd = pidfd_open_(getpid(), 0);
    CHECK_OK(sigaction(SIGUSR1, &action, NULL));
    CHECK_OK(sigaction(SIGUSR2, &action, NULL));
    CHECK_OK(pidfd_send(fd, SIGUSR1, NULL, 0));
    CHECK(got == SIGUSR1 && code == SI_USER);
    CHECK_OK(pidfd_send(fd, SIGUSR2, &info, 0));
    CHECK(got == SIGUSR2 && code == SI_QUEUE && value == 42);
    CHECK_OK(pidfd_send(fd, 0, NULL, 0));
    CHECK_ERR(pidfd_send(fd, 65, NULL, 0), EINVAL);
    CHECK_ERR(pidfd_send(fd, -1, NULL, 0), EINVAL);
    CHECK_ERR(pidfd_send(fd, SIGUSR1, &info, 0), EINVAL);
    CHECK_ERR(pidfd_send(fd, SIGUSR1, (void *)8, 0), EFAULT);
    CHECK_ERR(pidfd_send(fd, 0, NULL, 8), EINVAL);
    CHECK_ERR(pidfd_send(999, 0, NULL, 8), EINVAL);
    CHECK_ERR(pidfd_send(999, 0, NULL, 0), EBADF);
    int other = open("/proc/self/status", O_RDONLY), dir = open("/proc/self", O_DIRECTORY);
    int path = open("/proc/self", O_PATH), task = open("/proc/self/task", O_DIRECTORY);
    CHECK_ERR(pidfd_send(other, 0, NULL, 0), EBADF);
    CHECK_ERR(pidfd_send(path, 0, NULL, 0), EBADF);
    CHECK_ERR(pidfd_send(task, 0, NULL, 0), EBADF);
    CHECK_OK(pidfd_send(dir, SIGUSR1, NULL, 0));
    CHECK_EQ(got, SIGUSR1);
    CHECK_ERR(pidfd_get(dir, dir, 0), EBADF);
}

static void test_get(void) {
    int ends[2];
    char c = 0;
    long fd = pidfd_open_(getpid(), 0);
    CHECK_OK(pipe(ends));
    int copy = (int)pidfd_get(fd, ends[1], 0);
    CHECK(copy >= 0);
    CHECK_EQ(fcntl(copy, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(write(copy, "y", 1), 1);
    CHECK_EQ(read(ends[0], &c, 1), 1);
    CHECK_EQ(c, 'y');
    CHECK_ERR(pidfd_get(fd, 999, 0), EBADF);
    CHECK_ERR(pidfd_get(fd, -1, 0), EBADF);
    CHECK_ERR(pidfd_get(fd, ends[0], 1), EINVAL);
    CHECK_ERR(pidfd_get(ends[0], ends[1], 0), EBADF);
    CHECK_ERR(pidfd_get(999, ends[1], 0), EBADF);
}

int main(void) {
    test_open();
    test_send();
    test_get();
    return 0;
}
