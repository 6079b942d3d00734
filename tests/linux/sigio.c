/* SPDX-License-Identifier: MIT */
/* Signals that say a descriptor is ready: F_SETOWN, F_SETOWN_EX, F_SETSIG, O_ASYNC, FIOASYNC of
 * pipes, FIFOs, sockets and terminals; leases. */
#include "signals.h"
#include "thread.h"

#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static siginfo_t take(int sig) {
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, sig);
    CHECK_EQ(sigwaitinfo(&set, &info), sig);
    return info;
}

static void drain(int sig) {
    while (is_pending(sig))
        take(sig);
}

static void owners(int fd) {
    struct f_owner_ex ex = {0};
    CHECK_EQ(fcntl(fd, F_GETOWN), 0);
    CHECK_EQ(fcntl(fd, F_GETSIG), 0);
    CHECK_OK(fcntl(fd, F_SETOWN, getpid()));
    CHECK_EQ(fcntl(fd, F_GETOWN), getpid());
    CHECK_OK(fcntl(fd, F_GETOWN_EX, &ex));
    CHECK(ex.type == F_OWNER_PID && ex.pid == getpid());
    CHECK_OK(setpgid(0, 0) == 0 || getpgrp() == getpid() ? 0 : -1);
    CHECK_OK(fcntl(fd, F_SETOWN, -getpgrp()));
    CHECK_OK(fcntl(fd, F_GETOWN_EX, &ex));
    CHECK(ex.type == F_OWNER_PGRP && ex.pid == getpgrp());
    ex = (struct f_owner_ex){.type = F_OWNER_TID, .pid = gettid_()};
    CHECK_OK(fcntl(fd, F_SETOWN_EX, &ex));
    CHECK_EQ(fcntl(fd, F_GETOWN), gettid_());
    ex.type = 7;
    CHECK_ERR(fcntl(fd, F_SETOWN_EX, &ex), EINVAL);
    ex = (struct f_owner_ex){.type = F_OWNER_PID, .pid = 0x3fffffff};
    CHECK_ERR(fcntl(fd, F_SETOWN_EX, &ex), ESRCH);
    CHECK_ERR(fcntl(fd, F_SETOWN, 0x3fffffff), ESRCH);
    CHECK_ERR(fcntl(fd, F_SETOWN, INT_MIN), EINVAL);
    CHECK_ERR(fcntl(fd, F_SETOWN_EX, bad_pointer()), EFAULT);
    CHECK_ERR(fcntl(fd, F_GETOWN_EX, bad_pointer()), EFAULT);
    CHECK_ERR(fcntl(fd, F_SETSIG, 65), EINVAL);
    CHECK_OK(fcntl(fd, F_SETOWN, 0));
    CHECK_EQ(fcntl(fd, F_GETOWN), 0);
    ok("owners");
}

/* Writing to `wr` tells the owner of `rd`. */
static void readiness(const char *what, int rd, int wr) {
    siginfo_t info;
    drain(SIGIO);
    CHECK_OK(fcntl(rd, F_SETOWN, getpid()));
    CHECK_OK(fcntl(rd, F_SETFL, O_ASYNC | O_NONBLOCK));
    CHECK(fcntl(rd, F_GETFL) & O_ASYNC);
    CHECK_EQ(write(wr, "x", 1), 1);
    info = take(SIGIO);
    CHECK_EQ(info.si_code, SI_KERNEL);
    drain(SIGIO);

    CHECK_OK(fcntl(rd, F_SETSIG, SIGRTMIN));
    CHECK_EQ(fcntl(rd, F_GETSIG), SIGRTMIN);
    CHECK_EQ(write(wr, "y", 1), 1);
    info = take(SIGRTMIN);
    CHECK_EQ(info.si_code, POLL_IN);
    CHECK_EQ(info.si_fd, rd);
    CHECK(info.si_band & POLLIN);
    drain(SIGRTMIN);
    CHECK_EQ(is_pending(SIGIO), 0);

    CHECK_OK(fcntl(rd, F_SETFL, O_NONBLOCK));
    CHECK_EQ(fcntl(rd, F_GETFL) & O_ASYNC, 0);
    CHECK_EQ(write(wr, "z", 1), 1);
    CHECK_EQ(is_pending(SIGIO) | is_pending(SIGRTMIN), 0);

    int on = 1;
    CHECK_OK(ioctl(rd, FIOASYNC, &on));
    CHECK(fcntl(rd, F_GETFL) & O_ASYNC);
    CHECK_EQ(write(wr, "z", 1), 1);
    take(SIGRTMIN);
    drain(SIGRTMIN);
    CHECK_ERR(ioctl(rd, FIOASYNC, bad_pointer()), EFAULT);
    on = 0;
    CHECK_OK(ioctl(rd, FIOASYNC, &on));
    CHECK_OK(fcntl(rd, F_SETSIG, 0));
    ok(what);
}

static void *own_thread(void *arg) {
    struct f_owner_ex ex = {.type = F_OWNER_TID, .pid = gettid_()};
    int *p = arg;
    CHECK_OK(fcntl(p[0], F_SETOWN_EX, &ex));
    CHECK_OK(fcntl(p[0], F_SETFL, O_ASYNC));
    CHECK_EQ(write(p[1], "x", 1), 1);
    take(SIGIO); /* to this thread, though the first one would take it, too */
    return NULL;
}

/* What never tells takes the flag and does nothing. */
static void others(void) {
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    CHECK(fd >= 0);
    CHECK_OK(fcntl(fd, F_SETOWN, getpid()));
    CHECK_EQ(fcntl(fd, F_GETOWN), getpid());
    CHECK_OK(fcntl(fd, F_SETFL, O_ASYNC));
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ASYNC, 0);
    int on = 1;
    CHECK_ERR(ioctl(fd, FIOASYNC, &on), ENOTTY);
    CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
    CHECK_ERR(fcntl(fd, F_SETLEASE, 9), EINVAL);
    CHECK_ERR(fcntl(fd, F_SETLEASE, F_RDLCK), EAGAIN); /* it is open for writing */
    CHECK_ERR(fcntl(fd, F_SETLEASE, F_UNLCK), EAGAIN);
    CHECK_OK(close(fd));
    ok("files that never tell");
}

int main(void) {
    int p[2], s[2];
    scratch();
    mask_signal(SIG_BLOCK, SIGIO);
    mask_signal(SIG_BLOCK, SIGRTMIN);
    CHECK_OK(pipe(p));
    owners(p[0]);
    readiness("pipe", p[0], p[1]);
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    owners(s[0]);
    readiness("socket", s[0], s[1]);
    CHECK_EQ(close(s[0]) | close(s[1]) | close(p[0]) | close(p[1]), 0);

    CHECK_OK(mkfifo("fifo", 0600));
    int rd = open("fifo", O_RDONLY | O_NONBLOCK), wr = open("fifo", O_WRONLY);
    CHECK(rd >= 0 && wr >= 0);
    readiness("FIFO", rd, wr);
    CHECK_EQ(close(rd) | close(wr), 0);

    CHECK_OK(pipe(p));
    join(spawn(own_thread, p));
    ok("one thread");
    others();
    return 0;
}
