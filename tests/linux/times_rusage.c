/* SPDX-License-Identifier: MIT */
/* times(2), getrusage(2), CPU clocks, clock_gettime(2) errors. */
#include "check.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static int64_t nanoseconds(clockid_t id) {
    struct timespec ts;
    CHECK_OK(clock_gettime(id, &ts));
    CHECK(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void burn(int64_t ns) {
    volatile unsigned long sink = 0;
    int64_t end = nanoseconds(CLOCK_MONOTONIC) + ns;
    while (nanoseconds(CLOCK_MONOTONIC) < end)
        for (int i = 0; i < 10000; i++)
            sink = sink + (unsigned long)i;
}

static void cpu_time(void) {
    struct rusage before, after;
    struct tms t1, t2;
    CHECK_OK(getrusage(RUSAGE_SELF, &before));
    clock_t c1 = times(&t1);
    int64_t p1 = nanoseconds(CLOCK_PROCESS_CPUTIME_ID), th1 = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
    burn(200000000);
    CHECK_OK(getrusage(RUSAGE_SELF, &after));
    clock_t c2 = times(&t2);
    int64_t p2 = nanoseconds(CLOCK_PROCESS_CPUTIME_ID), th2 = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
    CHECK(c2 - c1 >= 19 && c2 - c1 < 1000);
    CHECK(t2.tms_utime + t2.tms_stime >= t1.tms_utime + t1.tms_stime);
    CHECK(p2 > p1 && th2 > th1);
    long used = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
                after.ru_utime.tv_usec - before.ru_utime.tv_usec +
                (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000 +
                after.ru_stime.tv_usec - before.ru_stime.tv_usec;
    CHECK(used > 0);
    CHECK(after.ru_maxrss > 0);
    CHECK_OK(getrusage(RUSAGE_CHILDREN, &after));
    CHECK_EQ(after.ru_utime.tv_sec, 0);
    CHECK_ERR(getrusage(99, &after), EINVAL);
    CHECK_ERR(syscall(SYS_getrusage, RUSAGE_SELF, bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_times, bad_pointer()), EFAULT);
    CHECK(times(NULL) != (clock_t)-1);
    ok("CPU time");
}

static void clocks(void) {
    static const clockid_t ids[] = {CLOCK_REALTIME, CLOCK_MONOTONIC,       CLOCK_MONOTONIC_RAW,
                                    CLOCK_BOOTTIME, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE};
    struct timespec ts;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        int64_t last = nanoseconds(ids[i]);
        for (int k = 0; k < 1000; k++) {
            int64_t now = nanoseconds(ids[i]);
            CHECK(now >= last);
            last = now;
        }
        CHECK_OK(clock_getres(ids[i], &ts));
        CHECK(ts.tv_sec == 0 && ts.tv_nsec > 0);
    }
    CHECK(nanoseconds(CLOCK_REALTIME) > 1600000000LL * 1000000000);
    CHECK_ERR(syscall(SYS_clock_gettime, 99, &ts), EINVAL);
    CHECK_ERR(syscall(SYS_clock_gettime, CLOCK_REALTIME, bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_clock_getres, 99, &ts), EINVAL);
    struct timeval tv;
    CHECK_OK(gettimeofday(&tv, NULL));
    CHECK_OK(syscall(SYS_gettimeofday, &tv, NULL));
    time_t t = time(NULL);
    CHECK(t >= tv.tv_sec && t - tv.tv_sec < 5);
    CHECK_EQ(syscall(SYS_time, &t), t);
    ok("clocks");
}

int main(void) {
    cpu_time();
    clocks();
    return 0;
}
