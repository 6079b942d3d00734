/* SPDX-License-Identifier: MIT */
/* Time values between the program and the kernel.  Owns nothing. */
#include <syscall/user_time.h>

#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/uaccess.h>

#define MAX_SECONDS (INT64_MAX / NSEC_PER_SEC - 1)

static int64_t total_ns(int64_t seconds, int64_t ns) {
    return seconds > MAX_SECONDS ? INT64_MAX : seconds * NSEC_PER_SEC + ns;
}

int timespec_ns(const struct timespec *ts, int64_t *ns) {
    if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= NSEC_PER_SEC) return -EINVAL;
    *ns = total_ns(ts->tv_sec, ts->tv_nsec);
    return 0;
}

int user_timespec(gva_t from, int64_t *ns) {
    struct timespec ts;
    if (get_user(ts, from) < 0) return -EFAULT;
    return timespec_ns(&ts, ns);
}

int put_timespec(gva_t to, int64_t ns) {
    struct timespec ts = {.tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC};
    return put_user(ts, to);
}

int user_timeval(gva_t from, int64_t *ns) {
    struct timeval tv;
    if (get_user(tv, from) < 0) return -EFAULT;
    if (tv.tv_sec < 0 || tv.tv_usec < 0 || tv.tv_usec >= 1000000) return -EINVAL;
    *ns = total_ns(tv.tv_sec, tv.tv_usec * 1000);
    return 0;
}

int put_timeval(gva_t to, int64_t ns) {
    struct timeval tv = {.tv_sec = ns / NSEC_PER_SEC, .tv_usec = ns % NSEC_PER_SEC / 1000};
    return put_user(tv, to);
}

int64_t deadline_after(int64_t ns) {
    int64_t now = clock_monotonic_ns();
    return ns > INT64_MAX - now ? INT64_MAX : now + ns;
}

int64_t time_left(int64_t deadline_ns) {
    int64_t left = deadline_ns - clock_monotonic_ns();
    return max(left, 0);
}
