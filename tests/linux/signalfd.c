/* SPDX-License-Identifier: MIT */
/* signalfd(2): reading signals, whose they are, readiness, masks, errors. */
#include "thread.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/time.h>

static sigset_t set_of(int a, int b) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, a);
    if (b) sigaddset(&set, b);
    return set;
}

static void block(int a, int b) {
    const sigset_t set = set_of(a, b);
    CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
}

static int make(int a, int b, int flags) {
    const sigset_t set = set_of(a, b);
    int fd = signalfd(-1, &set, flags);
    CHECK(fd >= 0);
    return fd;
}

static int is_ready(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
    int n = poll(&p, 1, 0);
    CHECK(n >= 0 && p.revents == (n ? POLLIN : 0));
    return n;
}

static void reading(void) {
    struct signalfd_siginfo info[4];
    int fd = make(SIGUSR1, SIGUSR2, SFD_NONBLOCK | SFD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_ERR(read(fd, info, sizeof info), EAGAIN);
    CHECK_EQ(is_ready(fd), 0);
    CHECK_OK(kill(getpid(), SIGUSR2));
    CHECK_EQ(is_ready(fd), 1);
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_OK(kill(getpid(), SIGUSR1)); /* not queued twice */
    CHECK_ERR(read(fd, info, sizeof info[0] - 1), EINVAL);
    CHECK_EQ(read(fd, info, sizeof info[0]), sizeof info[0]);
    CHECK_EQ(info[0].ssi_signo, SIGUSR1);
    CHECK_EQ(info[0].ssi_code, SI_USER);
    CHECK_EQ(info[0].ssi_pid, getpid());
    CHECK_EQ(info[0].ssi_uid, getuid());
    CHECK_EQ(read(fd, info, sizeof info), sizeof info[0]);
    CHECK_EQ(info[0].ssi_signo, SIGUSR2);
    CHECK_EQ(is_ready(fd), 0);
    CHECK_OK(close(fd));
    ok("reading");
}

static void queued(void) {
    struct signalfd_siginfo info[4];
    int fd = make(SIGRTMIN, SIGALRM, 0);
    for (int i = 0; i < 3; i++)
        CHECK_OK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 100 + i}));
    CHECK_EQ(read(fd, info, sizeof info), 3 * sizeof info[0]);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(info[i].ssi_signo, SIGRTMIN);
        CHECK_EQ(info[i].ssi_code, SI_QUEUE);
        CHECK_EQ(info[i].ssi_int, 100 + i);
    }
    const struct itimerval soon = {.it_value.tv_usec = 5000};
    CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
    CHECK_EQ(read(fd, info, sizeof info), sizeof info[0]);
    CHECK_EQ(info[0].ssi_signo, SIGALRM);
    CHECK_EQ(info[0].ssi_code, SI_KERNEL);
    CHECK_OK(close(fd));
    ok("queued");
}

static void changing(void) {
    struct signalfd_siginfo info;
    sigset_t pending;
    int fd = make(SIGUSR1, 0, SFD_NONBLOCK);
    CHECK_OK(raise(SIGUSR2));
    CHECK_EQ(is_ready(fd), 0);
    const sigset_t other = set_of(SIGUSR2, 0);
    CHECK_EQ(signalfd(fd, &other, 0), fd);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_EQ(is_ready(fd), 1);
    CHECK_OK(sigpending(&pending));
    CHECK_EQ(sigismember(&pending, SIGUSR2), 1);
    CHECK_EQ(read(fd, &info, sizeof info), sizeof info);
    CHECK_EQ(info.ssi_signo, SIGUSR2);
    CHECK_OK(sigpending(&pending));
    CHECK_EQ(sigismember(&pending, SIGUSR2), 0);
    CHECK_OK(close(fd));
    ok("changing");
}

static int handled;

static void on_signal(int sig) {
    (void)sig;
    handled++;
}

/* A signal that is let through goes to its handler and not to the file. */
static void unblocked(void) {
    struct signalfd_siginfo info;
    int fd = make(SIGUSR1, 0, SFD_NONBLOCK);
    const sigset_t set = set_of(SIGUSR1, 0);
    CHECK_OK(raise(SIGUSR1));
    CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
    CHECK_EQ(is_ready(fd), 1);
    CHECK_OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    CHECK_EQ(handled, 1);
    CHECK_ERR(read(fd, &info, sizeof info), EAGAIN);
    CHECK_OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    CHECK_OK(close(fd));
    ok("unblocked");
}

static _Atomic int tid;
static int shared;

static void *reader(void *arg) {
    struct signalfd_siginfo info;
    (void)arg;
    tid = gettid_();
    CHECK_EQ(read(shared, &info, sizeof info), sizeof info);
    return (void *)(uintptr_t)info.ssi_signo;
}

static void *waiter(void *arg) {
    struct epoll_event event = {.events = EPOLLIN}, got;
    (void)arg;
    int ep = epoll_create1(0);
    CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, shared, &event));
    tid = gettid_();
    CHECK_EQ(epoll_wait(ep, &got, 1, -1), 1);
    CHECK_OK(close(ep));
    return reader(NULL);
}

static void *looker(void *arg) {
    struct signalfd_siginfo info;
    (void)arg;
    CHECK_EQ(is_ready(shared), 0);
    CHECK_ERR(read(shared, &info, sizeof info), EAGAIN);
    return NULL;
}

static void threads(void) {
    shared = make(SIGUSR1, SIGUSR2, 0);
    tid = 0;
    pthread_t t = spawn(reader, NULL);
    wait_until_asleep(&tid);
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_EQ((uintptr_t)join(t), SIGUSR1);
    tid = 0;
    t = spawn(waiter, NULL);
    wait_until_asleep(&tid);
    CHECK_OK(pthread_kill(t, SIGUSR2));
    CHECK_EQ((uintptr_t)join(t), SIGUSR2);
    /* A signal for one thread is no other's to read. */
    CHECK_OK(fcntl(shared, F_SETFL, O_NONBLOCK));
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(is_ready(shared), 1);
    CHECK(join(spawn(looker, NULL)) == NULL);
    CHECK_EQ((uintptr_t)reader(NULL), SIGUSR1);
    CHECK_OK(close(shared));
    ok("threads");
}

static void errors(void) {
    const sigset_t set = set_of(SIGKILL, SIGUSR1);
    struct signalfd_siginfo info;
    CHECK_ERR(signalfd(-1, &set, 1), EINVAL);
    CHECK_ERR(signalfd(900, &set, 0), EBADF);
    CHECK_ERR(signalfd(0, &set, 0), EINVAL);
    CHECK_ERR(syscall(SYS_signalfd4, -1, bad_pointer(), 8, 0), EFAULT);
    CHECK_ERR(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
    int fd = make(SIGUSR1, 0, 0);
    CHECK_OK(raise(SIGUSR1));
    CHECK_ERR(read(fd, bad_pointer(), sizeof info), EFAULT);
    CHECK_ERR(write(fd, &info, sizeof info), EINVAL);
    CHECK_OK(close(fd));
    ok("errors");
}

int main(void) {
    block(SIGUSR1, SIGUSR2);
    block(SIGRTMIN, SIGALRM);
    reading();
    queued();
    changing();
    unblocked();
    threads();
    errors();
    return 0;
}
