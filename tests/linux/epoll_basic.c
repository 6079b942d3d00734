/* SPDX-License-Identifier: MIT */
/* epoll(7): changing sets, levels, edges, one-shot, descriptors that go, errors. */
#include "signals.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/time.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

static int set;

static int control(int op, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    return epoll_ctl(set, op, fd, &event);
}

/* Exactly these events of this datum are there, and nothing else; 0: nothing at all. */
static void expect(uint32_t events, uint64_t data) {
    struct epoll_event got[4];
    int n = epoll_wait(set, got, 4, 0);
    CHECK_EQ(n, events != 0);
    if (n == 0) return;
    CHECK_EQ(got[0].events, events);
    CHECK_EQ(got[0].data.u64, data);
}

static void put(int fd) { CHECK_EQ(write(fd, "x", 1), 1); }

static void get(int fd) {
    char c;
    CHECK_EQ(read(fd, &c, 1), 1);
}

static void levels(void) {
    int p[2];
    set = epoll_create1(EPOLL_CLOEXEC);
    CHECK_EQ(fcntl(set, F_GETFD), FD_CLOEXEC);
    CHECK_OK(pipe(p));
    CHECK_OK(control(EPOLL_CTL_ADD, p[0], EPOLLIN, 0x123456789abcdef0));
    expect(0, 0);
    put(p[1]);
    expect(EPOLLIN, 0x123456789abcdef0);
    expect(EPOLLIN, 0x123456789abcdef0);
    CHECK_OK(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLRDNORM, 5));
    expect(EPOLLIN | EPOLLRDNORM, 5);
    get(p[0]);
    expect(0, 0);
    CHECK_OK(control(EPOLL_CTL_ADD, p[1], EPOLLOUT, 6));
    expect(EPOLLOUT, 6);
    CHECK_OK(control(EPOLL_CTL_DEL, p[1], 0, 0));
    expect(0, 0);
    CHECK_OK(control(EPOLL_CTL_MOD, p[0], 0, 7));
    put(p[1]);
    expect(0, 0);
    CHECK_OK(control(EPOLL_CTL_MOD, p[0], EPOLLIN, 7));
    expect(EPOLLIN, 7);
    CHECK_OK(close(p[1]));
    expect(EPOLLIN | EPOLLHUP, 7);
    get(p[0]);
    CHECK_OK(control(EPOLL_CTL_MOD, p[0], 0, 7));
    expect(EPOLLHUP, 7);
    CHECK_OK(close(p[0]));
    CHECK_OK(close(set));
    ok("levels");
}

static void edges(void) {
    int p[2];
    set = epoll_create1(0);
    CHECK_OK(pipe(p));
    CHECK_OK(control(EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 1));
    put(p[1]);
    expect(EPOLLIN, 1);
    expect(0, 0);
    put(p[1]); /* what was there before does not matter */
    expect(EPOLLIN, 1);
    get(p[0]);
    expect(0, 0);
    get(p[0]);
    expect(0, 0);
    put(p[1]);
    get(p[0]);
    expect(0, 0); /* gone before anybody looked */
    put(p[1]);
    CHECK_OK(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 2));
    expect(EPOLLIN, 2);
    CHECK_OK(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 3));
    expect(EPOLLIN, 3); /* MOD asks anew */
    CHECK_OK(close(p[1]));
    expect(EPOLLIN | EPOLLHUP, 3);
    expect(0, 0);
    CHECK_OK(close(p[0]));
    CHECK_OK(close(set));

    uint64_t one = 1;
    int e = eventfd(0, 0);
    set = epoll_create1(0);
    CHECK_OK(control(EPOLL_CTL_ADD, e, EPOLLIN | EPOLLOUT | EPOLLET, 4));
    expect(EPOLLOUT, 4);
    expect(0, 0);
    CHECK_EQ(write(e, &one, 8), 8);
    expect(EPOLLIN | EPOLLOUT, 4);
    CHECK_EQ(write(e, &one, 8), 8);
    expect(EPOLLIN | EPOLLOUT, 4);
    CHECK_EQ(read(e, &one, 8), 8);
    expect(EPOLLOUT, 4);
    expect(0, 0);
    CHECK_OK(close(e));
    CHECK_OK(close(set));
    ok("edges");
}

static void one_shot(void) {
    int p[2];
    set = epoll_create1(0);
    CHECK_OK(pipe(p));
    CHECK_OK(control(EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLONESHOT, 1));
    put(p[1]);
    expect(EPOLLIN, 1);
    put(p[1]);
    expect(0, 0);
    CHECK_OK(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 2));
    expect(EPOLLIN, 2);
    CHECK_OK(close(p[1]));
    expect(0, 0); /* not even a hangup */
    CHECK_ERR(control(EPOLL_CTL_ADD, p[0], EPOLLIN, 0), EEXIST);
    CHECK_OK(close(p[0]));
    CHECK_OK(close(set));
    ok("one shot");
}

/* More is ready than fits: each has its turn. */
static void turns(void) {
    enum { COUNT = 10 };
    int fds[COUNT], seen[COUNT] = {0};
    struct epoll_event got[3];
    set = epoll_create1(0);
    for (int i = 0; i < COUNT; i++) {
        fds[i] = eventfd(1, 0);
        CHECK_OK(control(EPOLL_CTL_ADD, fds[i], EPOLLIN, (uint64_t)i));
    }
    for (int round = 0; round < 10; round++) {
        CHECK_EQ(epoll_wait(set, got, 3, 0), 3);
        for (int i = 0; i < 3; i++)
            seen[got[i].data.u64]++;
    }
    for (int i = 0; i < COUNT; i++)
        CHECK_EQ(seen[i], 3);
    /* An array that ends early gets what fits. */
    char *end =
        mmap(NULL, 2 * CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(end != MAP_FAILED);
    CHECK_OK(mprotect(end + CHECK_PAGE, CHECK_PAGE, PROT_NONE));
    void *last = end + CHECK_PAGE - 2 * sizeof got[0];
    CHECK_EQ(epoll_wait(set, last, 5, 0), 2);
    CHECK_ERR(epoll_wait(set, (void *)(end + CHECK_PAGE), 5, 0), EFAULT);
    CHECK_EQ(epoll_wait(set, got, 3, 0), 3);
    for (int i = 0; i < COUNT; i++)
        CHECK_OK(close(fds[i]));
    CHECK_OK(close(set));
    ok("turns");
}

/* A set knows the open file and the descriptor. */
static void going(void) {
    int p[2];
    set = epoll_create1(0);
    CHECK_OK(pipe(p));
    int copy = dup(p[0]);
    CHECK_OK(control(EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
    CHECK_OK(control(EPOLL_CTL_ADD, copy, EPOLLIN | EPOLLONESHOT, 2));
    put(p[1]);
    struct epoll_event got[4];
    CHECK_EQ(epoll_wait(set, got, 4, 0), 2);
    int gone = p[0];
    CHECK_OK(close(p[0])); /* the copy keeps the file open, and so the entry */
    expect(EPOLLIN, 1);
    CHECK_ERR(control(EPOLL_CTL_DEL, gone, 0, 0), EBADF);
    CHECK_EQ(eventfd(0, 0), gone); /* the number is another file's now */
    CHECK_ERR(control(EPOLL_CTL_DEL, gone, 0, 0), ENOENT);
    CHECK_OK(close(copy));
    expect(0, 0);
    CHECK_OK(close(gone));
    CHECK_OK(close(p[1]));
    /* A set that goes lets its files alone. */
    CHECK_OK(pipe(p));
    CHECK_OK(control(EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
    CHECK_OK(close(set));
    put(p[1]);
    get(p[0]);
    CHECK_OK(close(p[0]));
    CHECK_OK(close(p[1]));
    ok("going");
}

/* A set is readable when something in it is ready. */
static void nesting(void) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 9}, got;
    int p[2], outer = epoll_create1(0);
    set = epoll_create1(0);
    CHECK_OK(pipe(p));
    struct pollfd poller = {.fd = set, .events = POLLIN | POLLOUT};
    CHECK_OK(control(EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
    CHECK_OK(epoll_ctl(outer, EPOLL_CTL_ADD, set, &event));
    CHECK_EQ(epoll_wait(outer, &got, 1, 0), 0);
    CHECK_EQ(poll(&poller, 1, 0), 0);
    put(p[1]);
    CHECK_EQ(poll(&poller, 1, 0), 1);
    CHECK_EQ(poller.revents, POLLIN);
    CHECK_EQ(epoll_wait(outer, &got, 1, 0), 1);
    CHECK(got.events == EPOLLIN && got.data.u64 == 9);
    expect(EPOLLIN, 1);
    get(p[0]);
    CHECK_EQ(epoll_wait(outer, &got, 1, 0), 0);
    event.events = EPOLLIN | EPOLLET;
    CHECK_OK(epoll_ctl(outer, EPOLL_CTL_MOD, set, &event));
    put(p[1]);
    CHECK_EQ(epoll_wait(outer, &got, 1, 0), 1);
    CHECK_EQ(epoll_wait(outer, &got, 1, 0), 0);
    put(p[1]);
    CHECK_EQ(epoll_wait(outer, &got, 1, 0), 1);

    /* No circles, and at most five sets on a path, whichever way it grows. */
    CHECK_ERR(control(EPOLL_CTL_ADD, outer, EPOLLIN, 0), ELOOP);
    CHECK_ERR(control(EPOLL_CTL_ADD, set, EPOLLIN, 0), EINVAL);
    int chain[6];
    for (int i = 0; i < 6; i++)
        chain[i] = epoll_create1(0);
    for (int i = 0; i < 4; i++)
        CHECK_OK(epoll_ctl(chain[i + 1], EPOLL_CTL_ADD, chain[i], &event));
    CHECK_ERR(epoll_ctl(chain[5], EPOLL_CTL_ADD, chain[4], &event), ELOOP);
    CHECK_ERR(epoll_ctl(chain[0], EPOLL_CTL_ADD, chain[4], &event), ELOOP);
    for (int i = 0; i < 6; i++)
        CHECK_OK(close(chain[i]));
    CHECK_OK(close(set)); /* leaves the outer set */
    CHECK_EQ(epoll_wait(outer, &got, 1, 0), 0);
    CHECK_OK(close(outer));
    CHECK_OK(close(p[0]));
    CHECK_OK(close(p[1]));
    ok("nesting");
}

static void errors(void) {
    struct epoll_event event = {.events = EPOLLIN}, got;
    int e = eventfd(0, 0), file = open("/proc/self/exe", O_RDONLY);
    int dir = open("/", O_RDONLY | O_DIRECTORY), path = open("/", O_PATH);
    set = epoll_create(1);
    CHECK(set >= 0 && e >= 0 && file >= 0 && dir >= 0 && path >= 0);
    CHECK_ERR(syscall(SYS_epoll_create, 0), EINVAL);
    CHECK_ERR(epoll_create1(1), EINVAL);
    CHECK_ERR(control(EPOLL_CTL_ADD, 900, EPOLLIN, 0), EBADF);
    CHECK_ERR(control(EPOLL_CTL_ADD, path, EPOLLIN, 0), EBADF);
    CHECK_ERR(control(EPOLL_CTL_ADD, file, EPOLLIN, 0), EPERM);
    CHECK_ERR(control(EPOLL_CTL_ADD, dir, EPOLLIN, 0), EPERM);
    CHECK_ERR(epoll_ctl(e, EPOLL_CTL_ADD, set, &event), EINVAL);
    CHECK_ERR(control(EPOLL_CTL_MOD, e, EPOLLIN, 0), ENOENT);
    CHECK_ERR(control(EPOLL_CTL_DEL, e, EPOLLIN, 0), ENOENT);
    CHECK_ERR(control(77, e, EPOLLIN, 0), EINVAL);
    CHECK_ERR(epoll_ctl(set, EPOLL_CTL_ADD, e, bad_pointer()), EFAULT);
    CHECK_ERR(control(EPOLL_CTL_ADD, e, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 0), EINVAL);
    CHECK_OK(control(EPOLL_CTL_ADD, e, EPOLLIN | EPOLLEXCLUSIVE, 0));
    CHECK_ERR(control(EPOLL_CTL_MOD, e, EPOLLIN, 0), EINVAL);
    CHECK_OK(epoll_ctl(set, EPOLL_CTL_DEL, e, NULL));
    CHECK_ERR(epoll_wait(set, &got, 0, 0), EINVAL);
    CHECK_ERR(syscall(SYS_epoll_wait, set, &got, 0x7fffffff, 0), EINVAL);
    CHECK_ERR(epoll_wait(e, &got, 1, 0), EINVAL);
    CHECK_ERR(epoll_wait(900, &got, 1, 0), EBADF);
    CHECK_ERR(syscall(SYS_epoll_pwait, set, &got, 1, 0, bad_pointer(), 8), EFAULT);
    CHECK_ERR(syscall(SYS_epoll_pwait, set, &got, 1, 0, &got, 4), EINVAL);
    CHECK_ERR(read(set, &got, 1), EINVAL);
    CHECK_OK(close(e));
    CHECK_OK(close(file));
    CHECK_OK(close(dir));
    CHECK_OK(close(path));
    CHECK_OK(close(set));
    ok("errors");
}

/* Timeouts; signals end the wait even with SA_RESTART; masks. */
static void waiting(void) {
    struct epoll_event got;
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
    struct itimerval soon = {.it_value.tv_usec = 10000, .it_interval.tv_usec = 10000};
    const struct itimerval off = {{0, 0}, {0, 0}};
    struct timespec wait = {.tv_nsec = 15000000}, bad = {.tv_nsec = 1000000000};
    sigset_t none, alarms;
    sigemptyset(&none);
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    set = epoll_create1(0);
    int64_t start = now_ms();
    CHECK_EQ(epoll_wait(set, &got, 1, 30), 0);
    CHECK(now_ms() - start >= 29);
    start = now_ms();
    CHECK_EQ(syscall(SYS_epoll_pwait2, set, &got, 1, &wait, NULL, 0), 0);
    CHECK(now_ms() - start >= 14);
    CHECK_ERR(syscall(SYS_epoll_pwait2, set, &got, 1, &bad, NULL, 0), EINVAL);

    CHECK_OK(sigaction(SIGALRM, &action, NULL));
    CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
    CHECK_ERR(epoll_wait(set, &got, 1, -1), EINTR);
    CHECK(signals_seen > 0);
    CHECK_OK(sigprocmask(SIG_BLOCK, &alarms, NULL));
    CHECK_EQ(epoll_wait(set, &got, 1, 40), 0);
    signals_seen = 0;
    CHECK_ERR(epoll_pwait(set, &got, 1, -1, &none), EINTR);
    CHECK_EQ(signals_seen, 1);
    CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &none));
    CHECK_EQ(sigismember(&none, SIGALRM), 1);
    CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));
    CHECK_OK(close(set));
    ok("waiting");
}

int main(void) {
    levels();
    edges();
    one_shot();
    turns();
    going();
    nesting();
    errors();
    waiting();
    return 0;
}
