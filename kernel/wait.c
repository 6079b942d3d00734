/* SPDX-License-Identifier: MIT */
/* Threads that wait, and sleeping in the loader when nobody else can run.  Owns the lists of
 * waiting threads and the account of time asleep. */
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/ktimer.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/vfs.h>
#include <kernel/wait.h>

#include "sched_internal.h"

#define RETRY_NS 10000000
#define REVENTS_UNKNOWN 0xffffu /* the loader has not looked */

static struct thread_list watching = TAILQ_HEAD_INITIALIZER(watching); /* with a condition */
static struct thread_list sleeping = TAILQ_HEAD_INITIALIZER(sleeping); /* woken by name */
static uint32_t timed, on_host;  /* threads with a deadline, with host files */
static int64_t next_deadline_ns; /* nobody's is earlier, if anybody has one */
static struct hc_wait_fd union_fds[HC_MAX_WAIT_FDS];
static int64_t slept_ns;

int64_t wait_total_ns(void) { return slept_ns; }

int64_t wait_next_deadline(void) {
    int64_t timer = ktimer_next();
    if (timed == 0) return timer;
    return timer < 0 ? next_deadline_ns : min(timer, next_deadline_ns);
}

bool wait_for_host(void) { return on_host > 0; }

static struct thread_list *list_of(const struct thread *t) {
    return t->wait.ready != NULL ? &watching : &sleeping;
}

void wait_remove(struct thread *t) {
    TAILQ_REMOVE(list_of(t), t, queued);
    if (t->wait.deadline_ns >= 0) timed--;
    if (t->wait.count > 0) on_host--;
}

/* Gives the CPU away until somebody wakes the thread. */
static void block(const struct wait *w) {
    struct thread *t = current_thread();
    t->wait = *w;
    t->state = THREAD_WAITING;
    t->switches++;
    TAILQ_INSERT_TAIL(list_of(t), t, queued);
    for (uint32_t i = 0; i < w->count; i++)
        w->fds[i].revents = 0;
    if (w->count > 0) on_host++;
    if (w->deadline_ns >= 0) {
        if (timed++ == 0 || w->deadline_ns < next_deadline_ns) next_deadline_ns = w->deadline_ns;
    }
    sched_switch_away();
}

static bool passed(int64_t deadline_ns) {
    return deadline_ns >= 0 && clock_monotonic_ns() >= deadline_ns;
}

/* `again`: evaluated by this thread only; otherwise by anybody, through w->ready. */
static int wait_loop(bool (*again)(void *arg), const struct wait *w) {
    for (;;) {
        if (again != NULL && again(w->arg)) return 0;
        if (signal_pending()) {
            percpu()->pending = 1; /* the exit path delivers it and ends the call */
            return -EINTR;
        }
        if (passed(w->deadline_ns)) return -ETIMEDOUT;
        block(w);
    }
}

int wait_until(bool (*ready)(void *arg), void *arg, struct hc_wait_fd *fds, uint32_t count,
               int64_t deadline_ns) {
    const struct wait w = {ready, arg, fds, count, deadline_ns};
    return wait_loop(ready, &w);
}

int wait_until_woken(bool (*ready)(void *arg), void *arg, int64_t deadline_ns) {
    const struct wait w = {.arg = arg, .deadline_ns = deadline_ns};
    return wait_loop(ready, &w);
}

void wait_sleep(void) {
    const struct wait w = {.deadline_ns = WAIT_FOREVER};
    block(&w);
}

void wait_poke(void) {
    struct thread *t, *next;
    TAILQ_FOREACH_SAFE(t, &watching, queued, next) {
        if (t->wait.ready(t->wait.arg)) sched_wake(t);
    }
}

static void wake_expired(struct thread_list *list, int64_t now, int64_t *next_ns) {
    struct thread *t, *next;
    TAILQ_FOREACH_SAFE(t, list, queued, next) {
        int64_t deadline = t->wait.deadline_ns;
        if (deadline < 0) continue;
        if (deadline <= now)
            sched_wake(t);
        else
            *next_ns = min(*next_ns, deadline);
    }
}

static void check_deadlines(void) {
    ktimer_run();
    if (timed == 0) return;
    int64_t now = clock_monotonic_ns(), next_ns = INT64_MAX;
    if (now < next_deadline_ns) return;
    wake_expired(&watching, now, &next_ns);
    wake_expired(&sleeping, now, &next_ns);
    next_deadline_ns = next_ns;
}

static int64_t call_loader(struct hc_wait_fd *fds, uint32_t count, int64_t deadline_ns) {
    static struct hc_wait_fd none; /* an address that the loader accepts for no entries */
    union hc_args args = {
        .wait = {.fds = frame_gpa(count ? fds : &none),
                 .count = min(count, HC_MAX_WAIT_FDS),
                 .deadline_ns = deadline_ns < 0 ? WAIT_FOREVER : deadline_ns},
    };
    hostfs_flush_closes();
    return hypercall(HC_WAIT, &args);
}

/* Joins the files of all waiting threads; those of threads that do not fit stay UNKNOWN. */
static uint32_t gather(void) {
    struct thread *t;
    uint32_t n = 0;
    TAILQ_FOREACH(t, &watching, queued) {
        const struct wait *w = &t->wait;
        bool fits = w->count <= HC_MAX_WAIT_FDS - n;
        for (uint32_t i = 0; i < w->count; i++) {
            w->fds[i].revents = fits ? 0 : REVENTS_UNKNOWN;
            if (fits) union_fds[n++] = w->fds[i];
        }
    }
    return n;
}

/* Gives each thread its part of the answer and wakes those that have one. */
static void distribute(void) {
    struct thread *t, *next;
    uint32_t n = 0;
    TAILQ_FOREACH_SAFE(t, &watching, queued, next) {
        const struct wait *w = &t->wait;
        bool any = false;
        for (uint32_t i = 0; i < w->count; i++) {
            if (w->fds[i].revents != REVENTS_UNKNOWN) w->fds[i].revents = union_fds[n++].revents;
            any |= w->fds[i].revents != 0;
        }
        if (any) sched_wake(t);
    }
}

/* Looks at the host's files; sleeps there until one is ready, the deadline (-1: none) has passed
 * or an event was posted. */
static void look(int64_t deadline_ns) {
    uint32_t total = on_host > 0 ? gather() : 0;
    if (total == HC_MAX_WAIT_FDS) { /* perhaps not all */
        int64_t soon = clock_monotonic_ns() + RETRY_NS;
        deadline_ns = deadline_ns < 0 ? soon : min(deadline_ns, soon);
    }
    int64_t r = call_loader(union_fds, total, deadline_ns);
    if (r < 0 && r != -EINTR) {
        /* The host cannot watch these: look again soon. */
        int64_t soon = clock_monotonic_ns() + RETRY_NS;
        r = call_loader(NULL, 0, deadline_ns < 0 ? soon : min(deadline_ns, soon));
        if (r < 0 && r != -EINTR) panic("cannot sleep: the loader answers %ld", r);
    } else if (r == 0 && deadline_ns > 0 && clock_monotonic_ns() < deadline_ns) {
        clock_follow_host(true); /* the host's clock is past the deadline: catch up */
    }
    if (total > 0 && r >= 0) distribute();
}

void wait_check(bool tick) {
    check_deadlines();
    if (tick && on_host > 0 && hypercall_available()) look(0);
}

/* Plain QEMU: no loader, so no timer would end a halt. */
static void idle_without_loader(void) {
    wait_poke(); /* an interrupt from here on ends the halt at once */
    if (sched_others_runnable()) return;
    if (wait_next_deadline() < 0 && current_process()->itimer_deadline_ns == 0)
        arch_idle();
    else
        arch_pause();
}

void wait_idle(void) {
    int64_t start = clock_monotonic_ns();
    for (;;) {
        percpu()->pending = 0;
        signal_collect_events();
        check_deadlines();
        if (sched_others_runnable()) break;
        if (hypercall_available())
            look(wait_next_deadline());
        else
            idle_without_loader();
    }
    slept_ns += clock_monotonic_ns() - start;
    if (hypercall_available()) clock_follow_host(false);
}
