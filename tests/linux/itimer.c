/* SPDX-License-Identifier: MIT */
/* setitimer(2), getitimer(2), alarm(2): one shot, periodic, while computing, while asleep. */
#include "signals.h"

#include <sys/time.h>

static void set(int value_ms, int interval_ms) {
    struct itimerval t = {.it_value = {.tv_usec = value_ms * 1000},
                          .it_interval = {.tv_usec = interval_ms * 1000}};
    signals_seen = 0;
    CHECK_OK(setitimer(ITIMER_REAL, &t, NULL));
}

int main(void) {
    struct itimerval got;
    CHECK(signal(SIGALRM, count_signal) != SIG_ERR);

    int64_t start = now_ms();
    set(50, 0);
    CHECK_OK(getitimer(ITIMER_REAL, &got));
    CHECK(got.it_value.tv_usec > 0 && got.it_value.tv_usec <= 50000);
    CHECK_ERR(pause(), EINTR);
    CHECK_EQ(signals_seen, 1);
    CHECK(now_ms() - start >= 49);
    CHECK_OK(getitimer(ITIMER_REAL, &got));
    CHECK(got.it_value.tv_sec == 0 && got.it_value.tv_usec == 0);
    ok("one shot");

    set(20, 20);
    start = now_ms();
    while (signals_seen < 3)
        CHECK(now_ms() - start < 5000); /* computing: nothing but the timer comes in between */
    CHECK(now_ms() - start >= 55);
    CHECK_OK(getitimer(ITIMER_REAL, &got));
    CHECK_EQ(got.it_interval.tv_usec, 20000);
    set(0, 0);
    int before = signals_seen;
    struct timespec ts = {.tv_nsec = 60000000};
    CHECK_OK(nanosleep(&ts, NULL));
    CHECK_EQ(signals_seen, before);
    ok("periodic, then stopped");

    CHECK_EQ(alarm(100), 0);
    CHECK_EQ(alarm(1), 100);
    start = now_ms();
    CHECK_ERR(pause(), EINTR);
    CHECK(now_ms() - start >= 990 && now_ms() - start < 30000);
    CHECK_EQ(alarm(0), 0);
    ok("alarm");

    struct itimerval bad = {.it_value = {.tv_usec = 1000000}};
    CHECK_ERR(setitimer(ITIMER_REAL, &bad, NULL), EINVAL);
    CHECK_ERR(getitimer((__typeof__(ITIMER_REAL))9, &got), EINVAL);
    ok("errors");
    return 0;
}
