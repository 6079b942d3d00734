/* SPDX-License-Identifier: MIT */
/* Time from the TSC: calibration against the host, following it forward and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hermit/boot.h>
#include <kernel/clock.h>
#include <kernel/hc.h>
#include <kernel/log.h>
#include <kernel/sched.h>
#include <kernel/vdso.h>
#include <kernel/wait.h>

#include "fake_cpu.h"

#define MS 1000000LL

static struct vvar vvar;
static int64_t host_skew_ns, thread_ns;
static int host_calls;

int clock_gettime(int clock, struct timespec *ts);

static int64_t real_ns(int clock) {
    struct timespec ts;
    clock_gettime(clock, &ts);
    return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

struct vvar *vdso_vvar(void) {
    return &vvar;
}
int64_t sched_cpu_ns(const struct thread *t) { return thread_ns; }
struct thread *thread_find(int32_t tid) {
    return tid == 0 || tid == fake_thread.tid ? &fake_thread : NULL;
}
void kverbose(const char *fmt, ...) {}

int64_t hypercall(enum hc_nr nr, union hc_args *args) {
    assert_int_equal(nr, HC_CLOCK);
    host_calls++;
    args->clock.monotonic_ns = real_ns(CLOCK_MONOTONIC) + host_skew_ns;
    args->clock.realtime_ns = real_ns(CLOCK_REALTIME) + host_skew_ns;
    return 0;
}

static void spin(int64_t ns) {
    int64_t end = real_ns(CLOCK_MONOTONIC) + ns;
    while (real_ns(CLOCK_MONOTONIC) < end)
        continue;
}

static int setup(void **state) {
    fake_cpu_reset();
    static const struct hermit_boot boot; /* knows neither rate nor base */
    host_skew_ns = thread_ns = host_calls = 0;
    clock_init(&boot);
    return 0;
}

/* The guest's clock against the host's, between two looks at the latter that are close together:
 * otherwise this process was not running in the meantime. */
static int64_t error_ns(void) {
    for (;;) {
        int64_t before = real_ns(CLOCK_MONOTONIC);
        int64_t guest = clock_monotonic_ns();
        if (real_ns(CLOCK_MONOTONIC) - before < MS / 4) return guest - before - host_skew_ns;
    }
}

static int64_t realtime_error_ns(void) {
    for (;;) {
        int64_t before = real_ns(CLOCK_REALTIME);
        int64_t guest = clock_realtime_ns();
        if (real_ns(CLOCK_REALTIME) - before < MS / 4) return guest - before - host_skew_ns;
    }
}

static void test_calibrated(void **state) {
    assert_true(host_calls >= 2);
    assert_true(clock_tsc_khz() > 100000 && clock_tsc_khz() < 20000000);
    spin(5 * MS);
    assert_true(error_ns() > -2 * MS && error_ns() < 2 * MS);
    int64_t drift = realtime_error_ns();
    assert_true(drift > -2 * MS && drift < 2 * MS);
}

static void test_steps_forward(void **state) {
    host_skew_ns = 50 * MS;
    clock_follow_host(false); /* compared a moment ago */
    assert_true(error_ns() < -40 * MS);
    clock_follow_host(true);
    assert_true(error_ns() > -2 * MS && error_ns() < 2 * MS);
}

static void test_never_back(void **state) {
    int64_t before = clock_monotonic_ns();
    host_skew_ns = -20 * MS;
    uint64_t mult = vvar.mult;
    clock_follow_host(true);
    assert_true(clock_monotonic_ns() >= before);
    assert_true(error_ns() > 15 * MS);
    assert_true(vvar.mult < mult); /* slower until the host has caught up */
    int64_t drift = realtime_error_ns();
    assert_true(drift > -2 * MS && drift < 2 * MS);
    assert_int_equal(vvar.seq & 1, 0);
}

static void test_clocks(void **state) {
    int64_t ns;
    assert_int_equal(clock_read(CLOCK_BOOTTIME, &ns), 0);
    assert_int_equal(clock_read(99, &ns), -EINVAL);
    assert_int_equal(clock_read(CLOCK_PROCESS_CPUTIME_ID, &ns), 0);
    assert_int_equal(clock_read((~2 * 8) | 2, &ns), 0); /* process 2 */
    assert_int_equal(clock_read((~2 * 8) | 6, &ns), 0); /* thread 2 */
    assert_int_equal(clock_read((~3 * 8) | 2, &ns), -EINVAL);
    assert_int_equal(clock_read((~2 * 8) | 3, &ns), -EINVAL); /* a clock device */
    thread_ns = 3 * MS;
    fake_process.ended_cycles = clock_tsc_khz() * 2; /* of threads that are gone */
    int64_t sum = clock_cpu_ns();
    assert_true(sum > 5 * MS - 1000 && sum < 5 * MS + 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_calibrated, setup),
        cmocka_unit_test_setup(test_steps_forward, setup),
        cmocka_unit_test_setup(test_never_back, setup),
        cmocka_unit_test_setup(test_clocks, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
