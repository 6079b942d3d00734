/* SPDX-License-Identifier: MIT */
/* epoll(7) with threads: waking, sharing a set, changing it under a waiting thread, many files. */
#include "thread.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

static int set;
static _Atomic int waiting;

static void add(int ep, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
}

static void post(int fd) {
    const uint64_t one = 1;
    CHECK_EQ(write(fd, &one, 8), 8);
}

static void *wait_one(void *arg) {
    struct epoll_event got;
    int ep = arg ? *(int *)arg : set;
    waiting = gettid_();
    CHECK_EQ(epoll_wait(ep, &got, 1, -1), 1);
    return (void *)(uintptr_t)got.data.u64;
}

static pthread_t sleeper(int *ep) {
    waiting = 0;
    pthread_t t = spawn(wait_one, ep);
    wait_until_asleep(&waiting);
    return t;
}

static void waking(void) {
    int e = eventfd(0, 0), f = eventfd(0, 0), outer = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 2};
    set = epoll_create1(0);
    add(set, e, EPOLLIN, 1);
    pthread_t t = sleeper(NULL);
    post(e);
    CHECK_EQ((uintptr_t)join(t), 1);
    CHECK_OK(epoll_ctl(set, EPOLL_CTL_DEL, e, NULL));
    CHECK_OK(close(e));

    t = sleeper(NULL); /* something ready is added, then made ready by a change */
    add(set, f, EPOLLOUT, 3);
    CHECK_EQ((uintptr_t)join(t), 3);
    CHECK_OK(epoll_ctl(set, EPOLL_CTL_DEL, f, NULL));
    add(set, f, EPOLLIN, 4);
    t = sleeper(NULL);
    CHECK_OK(epoll_ctl(set, EPOLL_CTL_MOD, f, &event));
    CHECK_EQ((uintptr_t)join(t), 2);
    event = (struct epoll_event){.events = EPOLLIN, .data.u64 = 5};
    CHECK_OK(epoll_ctl(set, EPOLL_CTL_MOD, f, &event));

    add(outer, set, EPOLLIN, 6); /* through a set in a set */
    t = sleeper(&outer);
    post(f);
    CHECK_EQ((uintptr_t)join(t), 6);
    CHECK_OK(close(f));
    CHECK_OK(close(outer));
    CHECK_OK(close(set));
    ok("waking");
}

static void *poll_set(void *arg) {
    struct pollfd p = {.fd = set, .events = POLLIN};
    waiting = gettid_();
    CHECK_EQ(poll(&p, 1, -1), 1);
    return arg;
}

static void polling(void) {
    int e = eventfd(0, 0);
    set = epoll_create1(0);
    add(set, e, EPOLLIN, 1);
    waiting = 0;
    pthread_t t = spawn(poll_set, NULL);
    wait_until_asleep(&waiting);
    post(e);
    join(t);
    CHECK_OK(close(e));
    CHECK_OK(close(set));
    ok("polling");
}

#define WORKERS 4
#define POSTS 2000
static int stop_fd, tasks;
static _Atomic int taken;

/* Each post of a semaphore is one edge or level for the workers: none is lost. */
static void *worker(void *arg) {
    struct epoll_event got;
    uint64_t value;
    for (;;) {
        CHECK_EQ(epoll_wait(set, &got, 1, -1), 1);
        if ((int)got.data.u64 == stop_fd) return arg;
        while (read(tasks, &value, 8) == 8)
            taken++;
        CHECK_EQ(errno, EAGAIN);
    }
}

static void sharing(uint32_t mode) {
    pthread_t t[WORKERS];
    taken = 0;
    set = epoll_create1(0);
    tasks = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK);
    stop_fd = eventfd(0, 0);
    add(set, tasks, EPOLLIN | mode, 0);
    for (int i = 0; i < WORKERS; i++)
        t[i] = spawn(worker, NULL);
    for (int i = 0; i < POSTS; i++)
        post(tasks);
    while (taken < POSTS)
        sleep_ms(1);
    add(set, stop_fd, EPOLLIN, (uint64_t)stop_fd);
    post(stop_fd);
    for (int i = 0; i < WORKERS; i++)
        join(t[i]);
    CHECK_EQ(taken, POSTS);
    CHECK_OK(close(tasks));
    CHECK_OK(close(stop_fd));
    CHECK_OK(close(set));
}

/* One-shot: a descriptor is with one thread at a time. */
static _Atomic int inside;

static void *exclusive_worker(void *arg) {
    struct epoll_event got, again = {.events = EPOLLIN | EPOLLONESHOT};
    uint64_t value;
    for (;;) {
        CHECK_EQ(epoll_wait(set, &got, 1, -1), 1);
        if ((int)got.data.u64 == stop_fd) return arg;
        CHECK_EQ(atomic_fetch_add(&inside, 1), 0);
        CHECK_EQ(read(tasks, &value, 8), 8);
        taken++;
        sched_yield();
        CHECK_EQ(atomic_fetch_sub(&inside, 1), 1);
        CHECK_OK(epoll_ctl(set, EPOLL_CTL_MOD, tasks, &again));
    }
}

static void one_at_a_time(void) {
    pthread_t t[WORKERS];
    taken = 0;
    set = epoll_create1(0);
    tasks = eventfd(0, EFD_SEMAPHORE);
    stop_fd = eventfd(0, 0);
    add(set, tasks, EPOLLIN | EPOLLONESHOT, 0);
    for (int i = 0; i < WORKERS; i++)
        t[i] = spawn(exclusive_worker, NULL);
    for (int i = 0; i < POSTS / 4; i++)
        post(tasks);
    while (taken < POSTS / 4)
        sleep_ms(1);
    add(set, stop_fd, EPOLLIN, (uint64_t)stop_fd);
    post(stop_fd);
    for (int i = 0; i < WORKERS; i++)
        join(t[i]);
    CHECK_OK(close(tasks));
    CHECK_OK(close(stop_fd));
    CHECK_OK(close(set));
    ok("one at a time");
}

/* Descriptors come and go while another thread waits. */
static _Atomic int churning = 1;

static void *churn(void *arg) {
    for (int i = 0; i < 2000; i++) {
        int fd = eventfd(i % 2 ? 1u : 0u, 0);
        add(set, fd, EPOLLIN | (i % 3 ? 0 : EPOLLET), 1);
        if (i % 5 == 0) CHECK_OK(epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL));
        CHECK_OK(close(fd));
    }
    churning = 0;
    post(stop_fd);
    return arg;
}

static void changing(void) {
    struct epoll_event got[8];
    set = epoll_create1(0);
    stop_fd = eventfd(0, 0);
    add(set, stop_fd, EPOLLIN, 2);
    pthread_t t = spawn(churn, NULL);
    while (churning)
        CHECK(epoll_wait(set, got, 8, -1) > 0);
    join(t);
    CHECK_EQ(epoll_wait(set, got, 8, -1), 1);
    CHECK_EQ(got[0].data.u64, 2);
    CHECK_OK(close(stop_fd));
    CHECK_OK(close(set));
    ok("changing");
}

/* The cost of a wait is that of what is ready, not of what is watched. */
static void many(void) {
    struct rlimit limit;
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = limit.rlim_max < 10100 ? limit.rlim_max : 10100;
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
    int count = (int)limit.rlim_cur - 100;
    int *fds = malloc((size_t)count * sizeof *fds);
    CHECK(fds != NULL);
    set = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        fds[i] = eventfd(0, 0);
        CHECK(fds[i] >= 0);
        add(set, fds[i], EPOLLIN, (uint64_t)i);
    }
    struct epoll_event got[4];
    int64_t start = now_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < 2000; i++) {
        int at = i * 7919 % count;
        uint64_t value;
        post(fds[at]);
        CHECK_EQ(epoll_wait(set, got, 4, -1), 1);
        CHECK_EQ(got[0].data.u64, at);
        CHECK_EQ(read(fds[at], &value, 8), 8);
    }
    printf("ok %d files, %lld ns a round\n", count,
           (long long)(now_ns(CLOCK_MONOTONIC) - start) / 2000);
    for (int i = 0; i < count; i++)
        CHECK_OK(close(fds[i]));
    CHECK_OK(close(set));
    free(fds);
}

int main(void) {
    waking();
    polling();
    sharing(0);
    sharing(EPOLLET);
    sharing(EPOLLEXCLUSIVE);
    ok("sharing");
    one_at_a_time();
    changing();
    many();
    return 0;
}
