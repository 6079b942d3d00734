/* SPDX-License-Identifier: MIT */
/* timerfd_create(2): one shot, periods, absolute times, readiness, errors. */
#include "thread.h"

#include <poll.h>
#include <sys/timerfd.h>

#define MS 1000000LL

static struct itimerspec spec(int64_t value_ns, int64_t interval_ns) {
    return (struct itimerspec){.it_value = timespec_of(value_ns),
                               .it_interval = timespec_of(interval_ns)};
}

static void set(int fd, int flags, int64_t value_ns, int64_t interval_ns) {
    const struct itimerspec s = spec(value_ns, interval_ns);
    CHECK_OK(timerfd_settime(fd, flags, &s, NULL));
}

static uint64_t take(int fd) {
    uint64_t ticks = 0;
    CHECK_EQ(read(fd, &ticks, sizeof ticks), 8);
    return ticks;
}

static int is_ready(int fd, int timeout_ms) {
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
    int n = poll(&p, 1, timeout_ms);
    CHECK(n >= 0 && p.revents == (n ? POLLIN : 0));
    return n;
}

static void one_shot(int clock) {
    struct itimerspec now;
    uint64_t ticks;
    int fd = timerfd_create(clock, 0);
    CHECK(fd >= 0);
    CHECK(!is_ready(fd, 0));
    int64_t start = now_ns(CLOCK_MONOTONIC);
    set(fd, 0, 20 * MS, 0);
    CHECK_OK(timerfd_gettime(fd, &now));
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 20 * MS);
    CHECK_EQ(take(fd), 1);
    CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20 * MS);
    CHECK_OK(timerfd_gettime(fd, &now));
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
    CHECK_OK(fcntl(fd, F_SETFL, O_NONBLOCK));
    CHECK_ERR(read(fd, &ticks, 8), EAGAIN);

    /* Setting it anew forgets an expiry; 0 turns it off. */
    set(fd, 0, 1, 0);
    CHECK(is_ready(fd, -1));
    set(fd, 0, 1000000 * MS, 0);
    CHECK(!is_ready(fd, 0));
    set(fd, 0, 0, 5);
    CHECK(!is_ready(fd, 0));
    CHECK_OK(close(fd));
}

static void absolute(int clock) {
    struct itimerspec old, next;
    int fd = timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    int64_t at = now_ns(clock) + 15 * MS;
    set(fd, TFD_TIMER_ABSTIME, at, 0);
    CHECK(is_ready(fd, -1));
    CHECK(now_ns(clock) >= at);
    CHECK_EQ(take(fd), 1);
    /* The past is now, and the periods since then count. */
    set(fd, TFD_TIMER_ABSTIME, now_ns(clock) - 10 * 1000 * MS, 1000 * MS);
    CHECK(is_ready(fd, -1));
    uint64_t ticks = take(fd);
    CHECK(ticks >= 11 && ticks < 200);
    next = spec(0, 0);
    CHECK_OK(timerfd_settime(fd, 0, &next, &old));
    CHECK(old.it_interval.tv_sec == 1 && old.it_value.tv_sec <= 1);
    CHECK_OK(close(fd));
}

static void periodic(void) {
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    int64_t start = now_ns(CLOCK_MONOTONIC);
    set(fd, 0, 5 * MS, 10 * MS);
    uint64_t ticks = 0;
    while (ticks < 5)
        ticks += take(fd);
    CHECK(now_ns(CLOCK_MONOTONIC) - start >= 45 * MS);
    /* What nobody reads adds up. */
    sleep_ms(35);
    CHECK(take(fd) >= 3);
    CHECK_OK(close(fd));
    ok("periodic");
}

static void errors(void) {
    uint64_t ticks;
    const struct itimerspec good = spec(1000 * MS, 0);
    struct itimerspec bad = spec(0, 0), got;
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    CHECK_ERR(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
    CHECK_ERR(timerfd_create(CLOCK_MONOTONIC, 4), EINVAL);
    CHECK_ERR(timerfd_settime(fd, 8, &good, NULL), EINVAL);
    bad.it_value.tv_nsec = 1000000000;
    CHECK_ERR(timerfd_settime(fd, 0, &bad, NULL), EINVAL);
    bad = spec(0, 0);
    bad.it_interval.tv_sec = -1;
    CHECK_ERR(timerfd_settime(fd, 0, &bad, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_timerfd_settime, fd, 0, bad_pointer(), NULL), EFAULT);
    CHECK_ERR(syscall(SYS_timerfd_gettime, fd, bad_pointer()), EFAULT);
    CHECK_ERR(timerfd_settime(900, 0, &good, NULL), EBADF);
    CHECK_ERR(timerfd_settime(0, 0, &good, NULL), EINVAL);
    CHECK_ERR(timerfd_gettime(0, &got), EINVAL);
    CHECK_ERR(read(fd, &ticks, 7), EINVAL);
    CHECK_ERR(write(fd, &ticks, 8), EINVAL);
    CHECK_OK(close(fd));
    ok("errors");
}

/* Many at once, in no order: each fires, none early. */
static void many(void) {
    enum { COUNT = 200 };
    int fds[COUNT];
    int64_t at[COUNT], base = now_ns(CLOCK_MONOTONIC) + 5 * MS;
    for (int i = 0; i < COUNT; i++) {
        fds[i] = timerfd_create(CLOCK_MONOTONIC, 0);
        CHECK(fds[i] >= 0);
        at[i] = base + i * 37 % COUNT * 100000LL;
        set(fds[i], TFD_TIMER_ABSTIME, at[i], 0);
    }
    for (int i = 0; i < COUNT; i += 3)
        CHECK_OK(close(fds[i]));
    for (int i = 0; i < COUNT; i++) {
        if (i % 3 == 0) continue;
        CHECK_EQ(take(fds[i]), 1);
        CHECK(now_ns(CLOCK_MONOTONIC) >= at[i]);
        CHECK_OK(close(fds[i]));
    }
    ok("many");
}

static _Atomic int stop;

/* A busy thread does not keep a timer from firing. */
static void *spin(void *arg) {
    (void)arg;
    while (!stop)
        ;
    return NULL;
}

static void beside_a_busy_thread(void) {
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    pthread_t t = spawn(spin, NULL);
    set(fd, 0, 5 * MS, 0);
    CHECK_EQ(take(fd), 1);
    stop = 1;
    join(t);
    CHECK_OK(close(fd));
    ok("beside a busy thread");
}

/* The program itself computes; the timer fires meanwhile. */
static void while_computing(void) {
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    int64_t end = now_ns(CLOCK_MONOTONIC) + 5 * MS;
    set(fd, 0, 2 * MS, 0);
    while (now_ns(CLOCK_MONOTONIC) < end)
        ;
    CHECK(is_ready(fd, 1000));
    CHECK_OK(close(fd));
    ok("while computing");
}

int main(void) {
    static const int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};
    for (int i = 0; i < 3; i++) {
        one_shot(clocks[i]);
        absolute(clocks[i]);
    }
    ok("clocks");
    periodic();
    errors();
    many();
    beside_a_busy_thread();
    while_computing();
    return 0;
}
