/* SPDX-License-Identifier: MIT */
/* nanosleep(2), clock_nanosleep(2), the clocks they sleep on, and their errors. */
#include "check.h"

#include <signal.h>
#include <sys/time.h>
#include <time.h>

static int64_t clock_ns(clockid_t clock) {
    struct timespec ts;
    CHECK_OK(clock_gettime(clock, &ts));
    CHECK(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static struct timespec spec(int64_t ns) {
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

static void on_alarm(int sig) { (void)sig; }

static void lengths(void) {
    const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
    struct timespec ts = spec(30000000);
    int64_t start = clock_ns(CLOCK_MONOTONIC);
    CHECK_OK(nanosleep(&ts, NULL));
    int64_t took = clock_ns(CLOCK_MONOTONIC) - start;
    CHECK(took >= 30000000 && took < 1500000000);
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        start = clock_ns(clocks[i]);
        CHECK_OK(clock_nanosleep(clocks[i], 0, &ts, NULL));
        took = clock_ns(clocks[i]) - start;
        CHECK(took >= 29000000 && took < 1500000000);
        struct timespec until = spec(start + 60000000);
        CHECK_OK(clock_nanosleep(clocks[i], TIMER_ABSTIME, &until, NULL));
        CHECK(clock_ns(clocks[i]) - start >= 59000000);
        CHECK_OK(clock_nanosleep(clocks[i], TIMER_ABSTIME, &until, NULL)); /* past */
    }
    ok("sleeps last");
}

static void cpu_time(void) {
    int64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    struct timespec ts = spec(300000000);
    CHECK_OK(nanosleep(&ts, NULL));
    CHECK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu < 150000000);
    int64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    int64_t limit = clock_ns(CLOCK_MONOTONIC) + 10000000000LL;
    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start < 20000000)
        CHECK(clock_ns(CLOCK_MONOTONIC) < limit);
    ok("sleep takes no CPU time, computing does");
}

static void interrupted(void) {
    struct sigaction a = {.sa_handler = on_alarm};
    struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    struct timespec ts = spec(20000000000LL), rem = {0};
    CHECK_OK(sigaction(SIGALRM, &a, NULL));
    CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
    CHECK_ERR(nanosleep(&ts, &rem), EINTR);
    CHECK(rem.tv_sec >= 15 && rem.tv_sec < 20);
    CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
    ts = spec(clock_ns(CLOCK_MONOTONIC) + 20000000000LL);
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), EINTR);
    ok("EINTR and the rest");
}

static void errors(void) {
    struct timespec bad = {.tv_nsec = 1000000000}, negative = {.tv_sec = -1}, ts = {0};
    CHECK_ERR(nanosleep(&bad, NULL), EINVAL);
    CHECK_ERR(nanosleep(&negative, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_nanosleep, bad_pointer(), NULL), EFAULT);
    CHECK_ERR(syscall(SYS_clock_nanosleep, 99, 0, &ts, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &ts, NULL), EOPNOTSUPP);
    CHECK_ERR(clock_gettime(99, &ts), EINVAL);
    ok("errors");
}

int main(void) {
    lengths();
    cpu_time();
    interrupted();
    errors();
    return 0;
}
