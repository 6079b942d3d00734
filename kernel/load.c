/* SPDX-License-Identifier: MIT */
/* The load average.  Nothing ticks while the machine sleeps, so it is brought up to date when
 * somebody asks: the time that the CPUs worked since then stands for the number of runnable
 * threads at every sampling point in between. */
#include <kernel/clock.h>
#include <kernel/sched.h>

#define SAMPLE_NS (5 * NSEC_PER_SEC)
#define ONE (1ULL << LOAD_SHIFT)
#define PERIODS_MAX 4096 /* after which nothing of the old value is left */

/* What is left after 5 s of an average over 1, 5 and 15 minutes: e^-(5/60) etc. */
static const uint64_t decay[3] = {1884, 2014, 2037};

static struct {
    uint64_t load[3];
    int64_t then_ns, then_busy_ns;
} state;

/* base^n in fixed point. */
static uint64_t power(uint64_t base, uint64_t n) {
    uint64_t result = ONE;

    for (; n; n >>= 1) {
        if (n & 1) result = (result * base + ONE / 2) >> LOAD_SHIFT;
        base = (base * base + ONE / 2) >> LOAD_SHIFT;
    }
    return result;
}

void load_average(uint64_t load[3]) {
    int64_t now = clock_monotonic_ns(), busy = clock_cpu_ns();
    int64_t since = state.then_ns ? state.then_ns : (int64_t)current_process()->start_ns;
    uint64_t periods = (uint64_t)(now - since) / SAMPLE_NS;

    if (periods > 0) {
        uint64_t active =
            (uint64_t)(busy - state.then_busy_ns) / 1000 * ONE / ((uint64_t)(now - since) / 1000);

        for (int i = 0; i < 3; i++) {
            uint64_t left = power(decay[i], min(periods, (uint64_t)PERIODS_MAX));

            state.load[i] = (state.load[i] * left + active * (ONE - left)) >> LOAD_SHIFT;
        }
        state.then_ns = now;
        state.then_busy_ns = busy;
    }
    for (int i = 0; i < 3; i++)
        load[i] = state.load[i];
}
