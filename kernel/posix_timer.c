/* SPDX-License-Identifier: MIT */
/* Timers of timer_create(2).  Owns them.
 *
 * As in Linux a periodic timer that has sent its signal rests until the program takes it: then the
 * periods that have passed are counted as overruns and it is set for the next one. */
#include <kernel/clock.h>
#include <kernel/cpu_timer.h>
#include <kernel/heap.h>
#include <kernel/ktimer.h>
#include <kernel/posix_timer.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/string.h>

#define IGNORED_PACE_NS 4000000 /* least distance of expirations that nobody hears of */

struct posix_timer {
    TAILQ_ENTRY(posix_timer) link;
    int32_t id;
    int clock;
    bool on_cpu;  /* a CPU-time clock; `expires_ns` is of that, else of CLOCK_MONOTONIC */
    bool resting; /* until the program takes its signal */
    int notify, sig;
    sigval_t value;
    struct thread *target; /* SIGEV_THREAD_ID; NULL once it has ended */
    int64_t expires_ns;    /* next or, while resting, last; 0: off */
    int64_t interval_ns;
    int64_t overrun; /* so far */
    int32_t last_overrun;
    struct ktimer wall;
    struct cpu_timer cpu;
    struct signal_source source;
};

static int64_t now_of(const struct posix_timer *t) {
    return t->on_cpu ? cpu_timer_now(&t->cpu) : clock_monotonic_ns();
}

static void start(struct posix_timer *t) {
    if (t->notify == SIGEV_NONE) return; /* nobody hears of it: the clock is enough */
    if (t->on_cpu)
        cpu_timer_set(&t->cpu, t->expires_ns);
    else
        ktimer_set(&t->wall, t->expires_ns);
}

static void stop(struct posix_timer *t) {
    cpu_timer_cancel(&t->cpu);
    ktimer_cancel(&t->wall);
}

/* Moves a periodic timer to its first expiration after `now`; the number of periods. */
static int64_t forward(struct posix_timer *t, int64_t now) {
    if (now < t->expires_ns) return 0;
    int64_t periods = (now - t->expires_ns) / t->interval_ns + 1;
    t->expires_ns += periods * t->interval_ns;
    return periods;
}

static void expire(struct posix_timer *t) {
    if (t->notify == (SIGEV_SIGNAL | SIGEV_THREAD_ID) && t->target == NULL) return;
    if (t->source.node != NULL) { /* that of an earlier setting still waits */
        t->overrun++;
        return;
    }
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_code = SI_TIMER;
    info.si_tid = t->id;
    info.si_value = t->value;
    bool periodic = t->interval_ns != 0;
    t->resting = periodic;
    if (!periodic) t->expires_ns = 0;
    if (signal_send_source(&t->source, t->target, t->sig, &info) || !periodic) return;
    t->resting = false;
    t->overrun += forward(t, now_of(t) + max(IGNORED_PACE_NS - t->interval_ns, 0));
    start(t);
}

static void wall_fired(struct ktimer *k) { expire(container_of(k, struct posix_timer, wall)); }
static void cpu_fired(struct cpu_timer *c) { expire(container_of(c, struct posix_timer, cpu)); }

static void signal_taken(struct signal_source *s, siginfo_t *info) {
    struct posix_timer *t = container_of(s, struct posix_timer, source);
    if (t->resting) {
        t->resting = false;
        t->overrun += forward(t, now_of(t)) - 1;
        start(t);
    }
    if (info == NULL) return;
    t->last_overrun = (int32_t)min(t->overrun, (int64_t)INT32_MAX);
    info->si_overrun = t->last_overrun;
    t->overrun = 0;
}

/* Which clocks have timers. */
static int choose_clock(struct posix_timer *t, int clock) {
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI:
        return 0;
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_REALTIME_ALARM: /* there is no real-time clock device to wake the machine */
    case CLOCK_BOOTTIME_ALARM:
        return -EOPNOTSUPP;
    default:
        t->on_cpu = true;
        return clock_cpu_thread(clock, &t->cpu.thread);
    }
}

static uint32_t count_timers(const struct process *p) {
    const struct posix_timer *t;
    uint32_t n = 0;
    TAILQ_FOREACH(t, &p->timers, link) n++;
    return n;
}

static int32_t new_id(struct process *p) {
    int32_t id;
    do {
        id = p->next_timer;
        p->next_timer = id == INT32_MAX ? 0 : id + 1;
    } while (posix_timer_find(id) != NULL);
    return id;
}

int posix_timer_create(int clock, const struct sigevent *event, int32_t *id) {
    struct process *p = current_process();
    if (p->timers.tqh_last == NULL) TAILQ_INIT(&p->timers);
    if (count_timers(p) + p->queued_signals >= p->limits[RLIMIT_SIGPENDING].rlim_cur)
        return -EAGAIN;
    struct posix_timer *t = kzalloc(sizeof(*t));
    if (t == NULL) return -EAGAIN;
    int r = choose_clock(t, clock);
    if (r != 0) {
        kfree(t);
        return r;
    }
    *id = t->id = new_id(p);
    t->clock = clock;
    t->notify = event != NULL ? event->sigev_notify : SIGEV_SIGNAL;
    t->sig = event != NULL ? event->sigev_signo : SIGALRM;
    t->value.sival_int = t->id;
    if (event != NULL) t->value = event->sigev_value;
    if (t->notify == (SIGEV_SIGNAL | SIGEV_THREAD_ID))
        t->target = thread_find(event->_sigev_un._tid);
    t->wall.fire = wall_fired;
    t->cpu.fire = cpu_fired;
    t->source.taken = signal_taken;
    TAILQ_INSERT_TAIL(&p->timers, t, link);
    return 0;
}

struct posix_timer *posix_timer_find(int32_t id) {
    struct posix_timer *t;
    TAILQ_FOREACH(t, &current_process()->timers, link) {
        if (t->id == id) return t;
    }
    return NULL;
}

void posix_timer_get(struct posix_timer *t, int64_t *left_ns, int64_t *interval_ns) {
    *interval_ns = t->interval_ns;
    *left_ns = 0;
    if (t->expires_ns == 0) return;
    int64_t now = now_of(t);
    bool silent = t->notify == SIGEV_NONE;
    if (t->interval_ns != 0 && (t->resting || silent)) t->overrun += forward(t, now);
    *left_ns = t->expires_ns - now;
    if (*left_ns <= 0) *left_ns = silent ? 0 : 1; /* about to expire is not off */
}

void posix_timer_set(struct posix_timer *t, int64_t value_ns, int64_t interval_ns, bool absolute) {
    stop(t);
    t->resting = false;
    t->overrun = t->last_overrun = 0;
    t->expires_ns = t->interval_ns = 0;
    if (value_ns == 0) return;
    int64_t now = now_of(t), of_clock = now;
    if (!t->on_cpu) clock_read(t->clock, &of_clock);
    int64_t left = absolute ? value_ns - of_clock : value_ns;
    t->expires_ns = left > INT64_MAX - now ? INT64_MAX : max(now + left, 1);
    t->interval_ns = interval_ns;
    start(t);
}

int32_t posix_timer_overrun(const struct posix_timer *t) { return t->last_overrun; }

void posix_timer_delete(struct posix_timer *t) {
    stop(t);
    signal_source_detach(&t->source);
    TAILQ_REMOVE(&current_process()->timers, t, link);
    kfree(t);
}

void posix_timers_delete_all(struct process *p) {
    struct posix_timer *t, *next;
    TAILQ_FOREACH_SAFE(t, &p->timers, link, next) { posix_timer_delete(t); }
    p->next_timer = 0;
}

void posix_timers_thread_exit(const struct thread *thread) {
    struct posix_timer *t;
    TAILQ_FOREACH(t, &thread->process->timers, link) {
        if (t->target != thread) continue;
        stop(t);
        signal_source_detach(&t->source);
        t->target = NULL;
    }
}
