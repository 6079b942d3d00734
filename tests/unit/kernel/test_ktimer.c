/* SPDX-License-Identifier: MIT */
/* Timers of the kernel: order, cancelling, timers that set and cancel others while they fire. */
#include <kernel/ktimer.h>
#include <kernel/wait.h>

#include "fake_fs.h"
#include "kernel/sched_internal.h"
#include "ktest.h"

#define COUNT 100

static struct ktimer timers[COUNT];
static int64_t last_ns;
static int fired;

bool timer_outdated(void) { return false; }

int ktest_setup(void) { return 0; }

static void note(struct ktimer *t) {
    assert_false(t->set);
    assert_true(t->deadline_ns >= last_ns);
    last_ns = t->deadline_ns;
    fired++;
}

static void run_at(int64_t now_ns) {
    fake_now_ns = now_ns - 1; /* a look makes it one more */
    ktimer_run();
}

static void test_order(void **state) {
    assert_int_equal(ktimer_next(), WAIT_FOREVER);
    for (int i = 0; i < COUNT; i++) {
        timers[i].fire = note;
        ktimer_set(&timers[i], 1000 + i * 37 % COUNT / 2); /* two at each time */
    }
    for (int i = 0; i < COUNT; i += 2)
        ktimer_cancel(&timers[i]);
    ktimer_cancel(&timers[0]);
    ktimer_set(&timers[0], -5); /* the past */
    assert_int_equal(ktimer_next(), 0);
    run_at(999);
    assert_int_equal(fired, 1);
    run_at(1000 + COUNT / 4 - 1);
    assert_true(fired > 1 && fired < 1 + COUNT / 2);
    ktimer_set(&timers[1], 5000); /* moved, set or not */
    run_at(1000 + COUNT);
    int before = fired;
    assert_int_equal(ktimer_next(), 5000);
    run_at(5000);
    assert_int_equal(fired, before + 1);
    assert_int_equal(ktimer_next(), WAIT_FOREVER);
}

static void again(struct ktimer *t) {
    fired++;
    if (fired < 3) ktimer_set(t, t->deadline_ns + 10);
    ktimer_cancel(&timers[1]);
}

static void test_from_within(void **state) {
    fired = 0;
    last_ns = 0;
    timers[0].fire = again;
    ktimer_set(&timers[0], 10);
    ktimer_set(&timers[1], 11);
    run_at(30);
    assert_int_equal(fired, 3); /* at 10, 20 and 30; the other one never */
    assert_int_equal(ktimer_next(), WAIT_FOREVER);
}

const struct ktest ktests[] = {KTEST(test_order), KTEST(test_from_within), {0}};
