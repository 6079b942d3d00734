/* SPDX-License-Identifier: MIT */
/* The one event timer, shared by ITIMER_REAL, the kernel's timers (ktimer.h), the deadlines of
 * waiting threads and the slices of running ones.  It may fire early: whoever it is for looks at
 * the clock and it is armed again.  Without a loader nothing fires. */
#include <kernel/clock.h>
#include <kernel/hc.h>
#include <kernel/process.h>
#include <kernel/wait.h>

#include "sched_internal.h"

#define NEAR_NS 100000 /* armed for about then is good enough */

static struct {
    int64_t armed_ns; /* 0: not armed */
    bool ticking;     /* armed for the end of the slice or earlier */
    bool tick;        /* fired since the last look */
} timer;

/* Two threads share a CPU, or one runs while another waits for what only a look can tell. */
static bool tick_needed(void) {
    return runqueue_any_waiting() || (wait_for_host() && !wait_watched());
}

/* The earliest deadline of a waiting thread that no idle CPU takes care of, or WAIT_FOREVER. */
static int64_t thread_deadline(void) {
    return wait_watched() ? WAIT_FOREVER : wait_next_deadline();
}

bool timer_outdated(void) {
    if (!hypercall_available()) return false;
    int64_t next = thread_deadline();
    if (next >= 0 && (timer.armed_ns == 0 || next < timer.armed_ns)) return true;
    return !timer.ticking && tick_needed();
}

static int64_t earlier(int64_t a, int64_t b) {
    if (a == 0 || b == 0) return a == 0 ? b : a;
    return min(a, b);
}

/* When the first slice ends, or 0: the timer fires before that or little later. */
static int64_t tick_deadline(void) {
    int64_t end =
        clock_monotonic_ns() + (int64_t)(runqueue_next_slice_end() * 1000000 / clock_tsc_khz());
    if (timer.ticking && timer.armed_ns - end < NEAR_NS) return 0;
    timer.ticking = true;
    return end;
}

void timer_update(void) {
    int64_t next = thread_deadline(), want = current_process()->itimer_deadline_ns;
    if (next >= 0) want = earlier(want, max(next, 1));
    if (tick_needed()) want = earlier(want, tick_deadline());
    if (want == 0 || (timer.armed_ns != 0 && timer.armed_ns <= want)) return;
    timer.armed_ns = want;
    int64_t delay = want - clock_monotonic_ns();
    union hc_args args = {.timer = {.delay_ns = max(delay, 1)}};
    if (hypercall_available()) hypercall(HC_TIMER, &args);
}

void timer_fired(void) {
    if (timer.armed_ns != 0 && clock_monotonic_ns() < timer.armed_ns) clock_follow_host(true);
    timer.armed_ns = 0;
    timer.ticking = false;
    timer.tick = true;
}

bool timer_take_tick(void) {
    bool tick = timer.tick;
    timer.tick = false;
    return tick;
}
