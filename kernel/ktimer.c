/* SPDX-License-Identifier: MIT */
/* Timers of the kernel, in a tree by deadline.  Owns the tree, not the timers. */
#include <bsd/sys/tree.h>
#include <kernel/clock.h>
#include <kernel/ktimer.h>
#include <kernel/process.h>
#include <kernel/wait.h>

#include "sched_internal.h"

#define UNUSED_STATIC static __attribute__((unused))

RB_HEAD(ktimer_tree, ktimer);

static struct ktimer_tree timers = RB_INITIALIZER(&timers);
static int64_t next_ns = WAIT_FOREVER; /* of the first one: asked on every wake-up */

static int by_deadline(const struct ktimer *a, const struct ktimer *b) {
    if (a->deadline_ns != b->deadline_ns) return a->deadline_ns < b->deadline_ns ? -1 : 1;
    return (a > b) - (a < b);
}

RB_GENERATE_INTERNAL(ktimer_tree, ktimer, node, by_deadline, UNUSED_STATIC)

static void find_next(void) {
    const struct ktimer *first = RB_MIN(ktimer_tree, &timers);
    next_ns = first != NULL ? first->deadline_ns : WAIT_FOREVER;
}

void ktimer_cancel(struct ktimer *t) {
    if (!t->set) return;
    RB_REMOVE(ktimer_tree, &timers, t);
    t->set = false;
    find_next();
}

void ktimer_set(struct ktimer *t, int64_t deadline_ns) {
    ktimer_cancel(t);
    t->deadline_ns = max(deadline_ns, 0);
    t->set = true;
    RB_INSERT(ktimer_tree, &timers, t);
    find_next();
    wait_deadline_set(next_ns);
    if (timer_outdated()) percpu()->pending = 1;
}

int64_t ktimer_next(void) { return next_ns; }

void ktimer_run(void) {
    if (next_ns < 0) return;
    int64_t now = clock_monotonic_ns();
    while (next_ns >= 0 && next_ns <= now) {
        struct ktimer *t = RB_MIN(ktimer_tree, &timers);
        ktimer_cancel(t);
        t->fire(t);
    }
}
