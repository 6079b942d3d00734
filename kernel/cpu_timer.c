/* SPDX-License-Identifier: MIT */
/* Timers on CPU-time clocks, and what is made of them: ITIMER_VIRTUAL, ITIMER_PROF, RLIMIT_CPU.
 * Owns the list of timers that are set. */
#include <kernel/clock.h>
#include <kernel/cpu_timer.h>
#include <kernel/ktimer.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/smp.h>
#include <kernel/string.h>
#include <kernel/wait.h>

#define MIN_PERIOD_NS 500000 /* between two looks at the clocks */

TAILQ_HEAD(cpu_timer_list, cpu_timer);

static void look(struct ktimer *unused);

bool cpu_timer_parked;
static struct cpu_timer_list timers = TAILQ_HEAD_INITIALIZER(timers);
static struct ktimer next_look = {.fire = look};
static int64_t seen_ns; /* CPU time of the process when looked at last */

int64_t cpu_timer_now(const struct cpu_timer *t) {
    if (t->ended) return 0;
    return t->thread != NULL ? sched_cpu_ns(t->thread) : clock_cpu_ns();
}

/* Several CPUs use up the process's time faster than it passes. */
static void plan(int64_t left_ns) {
    uint32_t cpus = (uint32_t)__builtin_popcountll(cpu_online_mask());
    cpu_timer_parked = false;
    ktimer_set(&next_look, clock_monotonic_ns() + max(left_ns / cpus, MIN_PERIOD_NS));
}

static int64_t least_left(void) {
    const struct cpu_timer *t;
    int64_t least = INT64_MAX;
    TAILQ_FOREACH(t, &timers, link) {
        if (!t->ended) least = min(least, t->deadline_ns - cpu_timer_now(t));
    }
    return least;
}

static struct cpu_timer *first_due(void) {
    struct cpu_timer *t;
    TAILQ_FOREACH(t, &timers, link) {
        if (!t->ended && t->deadline_ns <= cpu_timer_now(t)) return t;
    }
    return NULL;
}

static void look(struct ktimer *unused) {
    struct cpu_timer *t;
    while ((t = first_due()) != NULL) {
        cpu_timer_cancel(t);
        t->fire(t);
    }
    int64_t left = least_left(), used = clock_cpu_ns();
    bool idle = used == seen_ns;
    seen_ns = used;
    cpu_timer_parked = left != INT64_MAX && idle; /* goes on when somebody runs */
    if (left != INT64_MAX && !idle) plan(left);
}

void cpu_timer_unpark(void) { plan(least_left()); }

void cpu_timer_set(struct cpu_timer *t, int64_t deadline_ns) {
    cpu_timer_cancel(t);
    t->deadline_ns = deadline_ns;
    t->set = true;
    TAILQ_INSERT_TAIL(&timers, t, link);
    plan(max(least_left(), 0));
}

void cpu_timer_cancel(struct cpu_timer *t) {
    if (!t->set) return;
    t->set = false;
    TAILQ_REMOVE(&timers, t, link);
    if (!TAILQ_EMPTY(&timers)) return;
    cpu_timer_parked = false;
    ktimer_cancel(&next_look);
}

void cpu_timer_thread_exit(const struct thread *thread) {
    struct cpu_timer *t;
    TAILQ_FOREACH(t, &timers, link) {
        if (t->thread != thread) continue;
        t->thread = NULL;
        t->ended = true;
    }
}

static struct cpu_timer *itimer_of(struct process *p, int which) {
    return which == ITIMER_PROF ? &p->itimer_prof : &p->itimer_virtual;
}

static void send_from_kernel(int sig) {
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_code = SI_KERNEL;
    signal_send(sig, &info);
}

static void itimer_fired(struct cpu_timer *t) {
    send_from_kernel(t == &current_process()->itimer_prof ? SIGPROF : SIGVTALRM);
    if (t->interval_ns == 0) return;
    int64_t periods = (clock_cpu_ns() - t->deadline_ns) / t->interval_ns + 1;
    cpu_timer_set(t, t->deadline_ns + periods * t->interval_ns);
}

void cpu_itimer_get(int which, int64_t *left_ns, int64_t *interval_ns) {
    const struct cpu_timer *t = itimer_of(current_process(), which);
    *left_ns = t->set ? max(t->deadline_ns - clock_cpu_ns(), 1000) : 0;
    *interval_ns = t->interval_ns;
}

void cpu_itimer_set(int which, int64_t value_ns, int64_t interval_ns) {
    struct cpu_timer *t = itimer_of(current_process(), which);
    int64_t now = clock_cpu_ns();
    cpu_timer_cancel(t);
    t->fire = itimer_fired;
    t->interval_ns = interval_ns;
    if (value_ns != 0) cpu_timer_set(t, value_ns > INT64_MAX - now ? INT64_MAX : now + value_ns);
}

static int64_t limit_ns(uint64_t seconds) {
    return seconds > INT64_MAX / NSEC_PER_SEC ? INT64_MAX : (int64_t)seconds * NSEC_PER_SEC;
}

static void limit_reached(struct cpu_timer *t) {
    struct rlimit *limit = &current_process()->limits[RLIMIT_CPU];
    if (clock_cpu_ns() >= limit_ns(limit->rlim_max)) return send_from_kernel(SIGKILL);
    send_from_kernel(SIGXCPU);
    limit->rlim_cur++; /* once a second from now on, as in Linux */
    cpu_limit_changed();
}

void cpu_limit_changed(void) {
    struct process *p = current_process();
    const struct rlimit *limit = &p->limits[RLIMIT_CPU];
    p->cpu_limit.fire = limit_reached;
    if (limit->rlim_cur == (uint64_t)RLIM_INFINITY)
        cpu_timer_cancel(&p->cpu_limit);
    else
        cpu_timer_set(&p->cpu_limit, limit_ns(limit->rlim_cur));
}

struct sleeper {
    struct cpu_timer timer;
    struct thread *thread;
    bool over;
};

static void wake_sleeper(struct cpu_timer *t) {
    struct sleeper *s = container_of(t, struct sleeper, timer);
    s->over = true;
    sched_wake(s->thread);
}

static bool sleep_over(void *arg) { return ((const struct sleeper *)arg)->over; }

int cpu_timer_sleep(struct thread *of, int64_t deadline_ns) {
    struct sleeper s = {.timer = {.fire = wake_sleeper, .thread = of}, .thread = current_thread()};
    if (deadline_ns <= cpu_timer_now(&s.timer)) return 0;
    cpu_timer_set(&s.timer, deadline_ns);
    int r = wait_until_woken(sleep_over, &s, WAIT_FOREVER);
    cpu_timer_cancel(&s.timer);
    return r;
}
