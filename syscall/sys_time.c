/* SPDX-License-Identifier: MIT */
/* Clocks, sleeping and interval timers. time(7). */
#include <kernel/clock.h>
#include <kernel/cpu_timer.h>
#include <kernel/signal.h>
#include <kernel/uaccess.h>
#include <kernel/vvar.h>
#include <kernel/wait.h>
#include <syscall/protos.h>
#include <syscall/user_time.h>

#define NTP_PHASE_LIMIT_US 16000000
#define ADJ_ADJTIME 0x8000 /* adjtime(3) in disguise */
#define ADJ_SINGLESHOT 1   /* with it, or Linux knows it not */

/* clock_gettime(2): CLOCK_TAI has offset 0, MONOTONIC_RAW and BOOTTIME are MONOTONIC. */
int64_t sys_clock_gettime(int clock, gva_t ts) {
    int64_t ns, r = clock_read(clock, &ns);
    return r < 0 ? r : put_timespec(ts, ns);
}

/* clock_getres(2) */
int64_t sys_clock_getres(int clock, gva_t res) {
    int64_t ns, r = clock_read(clock, &ns);
    if (r < 0) return r;
    bool coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
    return res ? put_timespec(res, coarse ? VVAR_COARSE_RES_NS : 1) : 0;
}

/* clock_settime(2): the clock is the host's. */
int64_t sys_clock_settime(int clock, gva_t ts) {
    int64_t ns;
    if (clock != CLOCK_REALTIME) return -EINVAL;
    int r = user_timespec(ts, &ns);
    return r < 0 ? r : -EPERM;
}

/* gettimeofday(2) */
int64_t sys_gettimeofday(gva_t tv, gva_t tz) {
    struct timezone utc = {0};
    if (tv && put_timeval(tv, clock_realtime_ns()) < 0) return -EFAULT;
    return tz ? put_user(utc, tz) : 0;
}

/* settimeofday(2): the clock is the host's. */
int64_t sys_settimeofday(gva_t tv, gva_t tz) {
    struct timezone zone;
    int64_t ns;
    if (tv) {
        int r = user_timeval(tv, &ns);
        if (r < 0) return r;
    }
    if (tz && get_user(zone, tz) < 0) return -EFAULT;
    return -EPERM;
}

/* The host keeps the clock and does not say how well: one that nobody synchronizes, as Linux says
 * before the first adjustment. */
static int64_t adjust_clock(struct timex *tx) {
    const uint32_t only_reads = ADJ_OFFSET_SS_READ;
    if (tx->modes & ADJ_ADJTIME && !(tx->modes & ADJ_SINGLESHOT)) return -EINVAL;
    if (tx->modes != 0 && tx->modes != only_reads) return -EPERM;
    int64_t now = clock_realtime_ns();
    *tx = (struct timex){
        .modes = tx->modes,
        .maxerror = NTP_PHASE_LIMIT_US,
        .esterror = NTP_PHASE_LIMIT_US,
        .status = STA_UNSYNC,
        .constant = 2,
        .precision = 1,
        .tolerance = 500LL << 16, /* MAXFREQ: 500 ppm */
        .time = {now / NSEC_PER_SEC, now % NSEC_PER_SEC / 1000},
        .tick = 10000,
    };
    return TIME_ERROR;
}

/* adjtimex(2): the clock is the host's. */
int64_t sys_adjtimex(gva_t at) {
    struct timex tx;
    if (get_user(tx, at) < 0) return -EFAULT;
    int64_t r = adjust_clock(&tx);
    return r >= 0 && put_user(tx, at) < 0 ? -EFAULT : r;
}

/* clock_adjtime(2) */
int64_t sys_clock_adjtime(int clock, gva_t at) {
    struct timex tx;
    int64_t ns;
    if (get_user(tx, at) < 0) return -EFAULT;
    if (clock_read(clock, &ns) < 0) return -EINVAL;
    return clock == CLOCK_REALTIME ? sys_adjtimex(at) : -EOPNOTSUPP;
}

/* time(2) */
int64_t sys_time(gva_t out) {
    int64_t seconds = clock_realtime_ns() / NSEC_PER_SEC;
    if (out && put_user(seconds, out) < 0) return -EFAULT;
    return seconds;
}

/* Sleeps until restart_arg[0]; restart_arg[1] receives the rest when a signal comes first. */
static int64_t sleep_relative(struct thread *t) {
    int64_t deadline_ns = (int64_t)t->restart_arg[0];
    if (wait_until(NULL, NULL, NULL, 0, deadline_ns) == -ETIMEDOUT) return 0;
    gva_t rem = t->restart_arg[1];
    if (rem && put_timespec(rem, time_left(deadline_ns)) < 0) return -EFAULT;
    t->restart = sleep_relative;
    return -ERESTART_RESTARTBLOCK;
}

static int64_t start_sleep(int64_t ns, gva_t rem) {
    struct thread *t = current_thread();
    t->restart_arg[0] = (uint64_t)deadline_after(ns);
    t->restart_arg[1] = rem;
    return sleep_relative(t);
}

/* nanosleep(2) */
int64_t sys_nanosleep(gva_t request, gva_t rem) {
    int64_t ns;
    int r = user_timespec(request, &ns);
    return r < 0 ? r : start_sleep(ns, rem);
}

/* restart_arg[]: clock, deadline on it, where the rest goes. */
static int64_t sleep_on_cpu(struct thread *t) {
    struct thread *of;
    int clock = (int)t->restart_arg[0];
    int64_t deadline_ns = (int64_t)t->restart_arg[1], now;
    if (clock_cpu_thread(clock, &of) != 0) return -EINVAL;
    if (cpu_timer_sleep(of, deadline_ns) == 0) return 0;
    gva_t rem = t->restart_arg[2];
    clock_read(clock, &now);
    if (rem && put_timespec(rem, max(deadline_ns - now, 0)) < 0) return -EFAULT;
    t->restart = sleep_on_cpu;
    return -ERESTART_RESTARTBLOCK;
}

static int64_t start_cpu_sleep(int clock, bool absolute, int64_t ns, gva_t rem) {
    struct thread *t = current_thread(), *of;
    int64_t now;
    if (clock_cpu_thread(clock, &of) != 0 || of == t) return -EINVAL;
    clock_read(clock, &now);
    if (!absolute) ns = ns > INT64_MAX - now ? INT64_MAX : now + ns;
    t->restart_arg[0] = (uint64_t)clock;
    t->restart_arg[1] = (uint64_t)ns;
    t->restart_arg[2] = absolute ? 0 : rem;
    int64_t r = sleep_on_cpu(t);
    return absolute && r == -ERESTART_RESTARTBLOCK ? -ERESTARTNOHAND : r;
}

static bool is_cpu_clock(int clock) {
    return clock == CLOCK_PROCESS_CPUTIME_ID || (clock < 0 && (clock & 3) != 3);
}

/* clock_nanosleep(2) */
int64_t sys_clock_nanosleep(int clock, uint32_t flags, gva_t request, gva_t rem) {
    int64_t ns, now;
    if (!is_cpu_clock(clock)) {
        if (clock_read(clock, &now) < 0) return -EINVAL;
        if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME &&
            clock != CLOCK_TAI)
            return -EOPNOTSUPP;
    }
    int r = user_timespec(request, &ns);
    if (r < 0) return r;
    if (is_cpu_clock(clock)) return start_cpu_sleep(clock, (flags & TIMER_ABSTIME) != 0, ns, rem);
    if (!(flags & TIMER_ABSTIME)) return start_sleep(ns, rem);
    if (ns <= now) return 0;
    r = wait_until(NULL, NULL, NULL, 0, deadline_after(ns - now));
    return r == -ETIMEDOUT ? 0 : -ERESTARTNOHAND;
}

static int64_t put_itimer(int which, gva_t to) {
    const struct process *p = current_process();
    int64_t left = p->itimer_deadline_ns ? time_left(p->itimer_deadline_ns) : 0;
    int64_t interval = p->itimer_interval_ns;
    /* An armed timer never reads as off. */
    if (p->itimer_deadline_ns) left = max(left, 1000);
    if (which != ITIMER_REAL) cpu_itimer_get(which, &left, &interval);
    if (put_timeval(to + offsetof(struct itimerval, it_value), left) < 0) return -EFAULT;
    return put_timeval(to + offsetof(struct itimerval, it_interval), interval);
}

static bool is_itimer(int which) {
    return which == ITIMER_REAL || which == ITIMER_VIRTUAL || which == ITIMER_PROF;
}

/* getitimer(2) */
int64_t sys_getitimer(int which, gva_t value) {
    return is_itimer(which) ? put_itimer(which, value) : -EINVAL;
}

/* setitimer(2): a NULL value is zero, as in Linux. */
int64_t sys_setitimer(int which, gva_t value, gva_t old_value) {
    int64_t value_ns = 0, interval_ns = 0;
    if (value) {
        int r = user_timeval(value + offsetof(struct itimerval, it_value), &value_ns);
        if (r == 0) r = user_timeval(value + offsetof(struct itimerval, it_interval), &interval_ns);
        if (r < 0) return r;
    }
    if (!is_itimer(which)) return -EINVAL;
    if (old_value && put_itimer(which, old_value) < 0) return -EFAULT;
    if (which != ITIMER_REAL)
        cpu_itimer_set(which, value_ns, value_ns ? interval_ns : 0);
    else
        signal_set_itimer(value_ns ? deadline_after(value_ns) : 0, value_ns ? interval_ns : 0);
    return 0;
}

/* alarm(2): the rest is rounded, but never to 0. */
int64_t sys_alarm(uint32_t seconds) {
    const struct process *p = current_process();
    int64_t left = 0;
    if (p->itimer_deadline_ns) {
        int64_t ns = time_left(p->itimer_deadline_ns);
        left = max((ns + NSEC_PER_SEC / 2) / NSEC_PER_SEC, 1);
    }
    signal_set_itimer(seconds ? deadline_after(seconds * NSEC_PER_SEC) : 0, 0);
    return left;
}
