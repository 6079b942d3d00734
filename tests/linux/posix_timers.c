/* SPDX-License-Identifier: MIT */
/* timer_create(2) and its relatives, CPU-time clocks, ITIMER_VIRTUAL and ITIMER_PROF. */
#include "signals.h"
#include "thread.h"

#include <limits.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <sys/time.h>

#define MS 1000000LL
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

typedef int ktimer; /* the kernel's number: what libc calls timer_t may be something else */

static int create(clockid_t clock, struct sigevent *e, ktimer *t) {
    return (int)syscall(SYS_timer_create, clock, e, t);
}
static int settime(ktimer t, int flags, int64_t value, int64_t interval) {
    struct itimerspec s = {.it_value = timespec_of(value), .it_interval = timespec_of(interval)};
    return (int)syscall(SYS_timer_settime, t, flags, &s, NULL);
}
static int64_t left(ktimer t, int64_t *interval) {
    struct itimerspec s;
    CHECK_OK(syscall(SYS_timer_gettime, t, &s));
    if (interval != NULL) *interval = s.it_interval.tv_sec * 1000 * MS + s.it_interval.tv_nsec;
    return s.it_value.tv_sec * 1000 * MS + s.it_value.tv_nsec;
}
static int overrun(ktimer t) { return (int)syscall(SYS_timer_getoverrun, t); }
static int delete (ktimer t) { return (int)syscall(SYS_timer_delete, t); }

static struct sigevent signal_event(int sig, int value) {
    return (struct sigevent){
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = sig, .sigev_value.sival_int = value};
}

static siginfo_t take(int sig) {
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, sig);
    CHECK_EQ(sigwaitinfo(&set, &info), sig);
    return info;
}

static void one_shot(clockid_t clock) {
    ktimer t;
    struct sigevent e = signal_event(SIGRTMIN, 4711);
    CHECK_OK(create(clock, &e, &t));
    CHECK_EQ(left(t, NULL), 0);
    int64_t start = now_ns(CLOCK_MONOTONIC);
    CHECK_OK(settime(t, 0, 20 * MS, 0));
    CHECK(left(t, NULL) <= 20 * MS);
    siginfo_t info = take(SIGRTMIN);
    CHECK(now_ns(CLOCK_MONOTONIC) - start >= 19 * MS);
    CHECK_EQ(info.si_code, SI_TIMER);
    CHECK_EQ(info.si_value.sival_int, 4711);
    CHECK_EQ(info.si_timerid, t);
    CHECK_EQ(info.si_overrun, 0);
    CHECK_EQ(left(t, NULL), 0);
    CHECK_EQ(overrun(t), 0);
    /* An absolute time in the past expires at once. */
    CHECK_OK(settime(t, TIMER_ABSTIME, 1, 0));
    info = take(SIGRTMIN);
    CHECK_OK(settime(t, TIMER_ABSTIME, now_ns(clock) + 10 * MS, 0));
    info = take(SIGRTMIN);
    CHECK_OK(settime(t, 0, 1000000 * MS, 5 * MS));
    int64_t interval;
    CHECK(left(t, &interval) > 900000 * MS);
    CHECK_EQ(interval, 5 * MS);
    CHECK_OK(settime(t, 0, 0, 5 * MS)); /* off */
    CHECK_EQ(left(t, &interval), 0);
    CHECK_EQ(interval, 0);
    CHECK_OK(delete (t));
    CHECK_ERR(delete (t), EINVAL);
}

static void overruns(void) {
    ktimer t;
    struct sigevent e = signal_event(SIGRTMIN, 1);
    CHECK_OK(create(CLOCK_MONOTONIC, &e, &t));
    int64_t start = now_ns(CLOCK_MONOTONIC);
    CHECK_OK(settime(t, 0, MS, MS));
    while (!is_pending(SIGRTMIN) || now_ns(CLOCK_MONOTONIC) - start < 50 * MS)
        ;
    siginfo_t info = take(SIGRTMIN);
    int64_t passed = (now_ns(CLOCK_MONOTONIC) - start) / MS;
    CHECK(info.si_overrun >= 48 && info.si_overrun <= passed);
    CHECK_EQ(overrun(t), info.si_overrun);
    info = take(SIGRTMIN);
    info = take(SIGRTMIN);
    int64_t interval;
    CHECK(left(t, &interval) <= MS);
    CHECK_EQ(interval, MS);
    CHECK_OK(delete (t));
    while (is_pending(SIGRTMIN)) /* it may have expired once more; whether that stays depends */
        take(SIGRTMIN);
    ok("overruns");
}

static void silent(void) {
    ktimer t;
    struct sigevent e = {.sigev_notify = SIGEV_NONE};
    CHECK_OK(create(CLOCK_MONOTONIC, &e, &t));
    CHECK_OK(settime(t, 0, MS, 0));
    sleep_ms(3);
    CHECK_EQ(left(t, NULL), 0);
    CHECK_OK(settime(t, 0, MS, 50 * MS));
    sleep_ms(3);
    CHECK(left(t, NULL) > 0 && left(t, NULL) <= 50 * MS);
    CHECK_OK(delete (t));
    ok("SIGEV_NONE");
}

static void by_default(void) {
    ktimer t;
    mask_signal(SIG_BLOCK, SIGALRM);
    CHECK_OK(create(CLOCK_REALTIME, NULL, &t));
    CHECK_OK(settime(t, 0, MS, 0));
    siginfo_t info = take(SIGALRM);
    CHECK_EQ(info.si_code, SI_TIMER);
    CHECK_EQ(info.si_value.sival_int, t);
    CHECK_OK(delete (t));
    ok("without an event: SIGALRM");
}

static _Atomic int target, stop;

static void *waits_for_timer(void *arg) {
    target = gettid_();
    siginfo_t info = take(SIGRTMIN + 1);
    CHECK_EQ(info.si_value.sival_int, 5);
    return NULL;
}

static void to_thread(void) {
    ktimer t;
    mask_signal(SIG_BLOCK, SIGRTMIN + 1);
    pthread_t thread = spawn(waits_for_timer, NULL);
    while (target == 0)
        sleep_ms(1);
    struct sigevent e = signal_event(SIGRTMIN + 1, 5);
    e.sigev_notify = 4; /* SIGEV_THREAD_ID */
    e.sigev_notify_thread_id = target;
    CHECK_OK(create(CLOCK_MONOTONIC, &e, &t));
    CHECK_OK(settime(t, 0, MS, 0));
    join(thread);
    CHECK_EQ(is_pending(SIGRTMIN + 1), 0);
    e.sigev_notify_thread_id = 0x3ffffff;
    CHECK_ERR(create(CLOCK_MONOTONIC, &e, &t), EINVAL);
    ok("SIGEV_THREAD_ID");
}

static sem_t notified;

static void on_notify(union sigval v) {
    CHECK_EQ(v.sival_int, 9);
    CHECK_OK(sem_post(&notified));
}

static void libc_thread(void) {
    timer_t t;
    CHECK_OK(sem_init(&notified, 0, 0));
    struct sigevent e = {.sigev_notify = SIGEV_THREAD,
                         .sigev_notify_function = on_notify,
                         .sigev_value.sival_int = 9};
    CHECK_OK(timer_create(CLOCK_MONOTONIC, &e, &t));
    struct itimerspec s = {.it_value = timespec_of(MS), .it_interval = timespec_of(2 * MS)};
    CHECK_OK(timer_settime(t, 0, &s, NULL));
    for (int i = 0; i < 3; i++)
        CHECK_OK(sem_wait(&notified));
    CHECK_OK(timer_delete(t));
    ok("SIGEV_THREAD");
}

static void *burn(void *arg) {
    target = gettid_();
    volatile unsigned x = 0;
    while (!stop)
        x = x + 1;
    return NULL;
}

static void burn_until(int sig) {
    volatile unsigned x = 0;
    while (!is_pending(sig))
        for (int i = 0; i < 10000; i++)
            x = x + 1;
}

static void on_cpu_time(void) {
    ktimer t;
    struct sigevent e = signal_event(SIGRTMIN, 2);
    clockid_t clocks[] = {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
    for (int i = 0; i < 2; i++) {
        CHECK_OK(create(clocks[i], &e, &t));
        int64_t start = now_ns(clocks[i]);
        CHECK_OK(settime(t, 0, 30 * MS, 0));
        burn_until(SIGRTMIN);
        siginfo_t info = take(SIGRTMIN);
        CHECK(now_ns(clocks[i]) - start >= 30 * MS);
        CHECK_EQ(info.si_value.sival_int, 2);
        CHECK_EQ(left(t, NULL), 0);
        CHECK_OK(settime(t, TIMER_ABSTIME, start, 0));
        info = take(SIGRTMIN);
        CHECK_OK(delete (t));
    }
    /* That of another thread, which goes on while this one sleeps. */
    target = 0;
    pthread_t thread = spawn(burn, NULL);
    while (target == 0)
        sleep_ms(1);
    clockid_t clock;
    CHECK_OK(pthread_getcpuclockid(thread, &clock));
    CHECK_OK(create(clock, &e, &t));
    CHECK_OK(settime(t, 0, 20 * MS, 20 * MS));
    take(SIGRTMIN);
    take(SIGRTMIN);
    CHECK(now_ns(clock) >= 40 * MS);
    CHECK_OK(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &(struct timespec){.tv_nsec = 10000000},
                             NULL));
    stop = 1;
    join(thread);
    CHECK_OK(delete (t));
    struct timespec zero = {0};
    CHECK_ERR(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &zero, NULL), EOPNOTSUPP);
    CHECK_ERR(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &zero, NULL), EOPNOTSUPP);
    CHECK_ERR(syscall(SYS_clock_nanosleep, ~0u << 3 | 6, 0, &zero, NULL), EINVAL);
    ok("CPU-time clocks");
}

static volatile sig_atomic_t ticks;

static void on_tick(int sig) { ticks++; }

static void cpu_itimers(void) {
    int which[] = {ITIMER_VIRTUAL, ITIMER_PROF}, sigs[] = {SIGVTALRM, SIGPROF};
    for (int i = 0; i < 2; i++) {
        struct itimerval t = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 10000}, old;
        CHECK(signal(sigs[i], on_tick) != SIG_ERR);
        ticks = 0;
        int64_t start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
        CHECK_OK(setitimer(which[i], &t, NULL));
        CHECK_OK(getitimer(which[i], &old));
        CHECK(old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 24000);
        CHECK_EQ(old.it_interval.tv_usec, 10000);
        while (ticks < 3)
            ;
        CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) - start >= 20 * MS);
        t = (struct itimerval){.it_value.tv_sec = 0};
        CHECK_OK(setitimer(which[i], &t, &old));
        CHECK_EQ(old.it_interval.tv_usec, 10000);
        CHECK_OK(getitimer(which[i], &old));
        CHECK_EQ(old.it_value.tv_usec, 0);
    }
    ok("ITIMER_VIRTUAL, ITIMER_PROF");
}

static void cpu_limit(void) {
    CHECK(signal(SIGXCPU, on_tick) != SIG_ERR);
    ticks = 0;
    struct rlimit l = {.rlim_max = RLIM_INFINITY};
    l.rlim_cur = (rlim_t)(now_ns(CLOCK_PROCESS_CPUTIME_ID) / (1000 * MS)) + 1;
    rlim_t limit = l.rlim_cur;
    CHECK_OK(setrlimit(RLIMIT_CPU, &l));
    while (!ticks)
        ;
    CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) >= (int64_t)limit * 1000 * MS - 500 * MS);
    CHECK_OK(getrlimit(RLIMIT_CPU, &l));
    CHECK_EQ(l.rlim_cur, limit + 1);
    l.rlim_cur = RLIM_INFINITY;
    CHECK_OK(setrlimit(RLIMIT_CPU, &l));
    ok("RLIMIT_CPU");
}

static void errors(void) {
    ktimer t;
    struct sigevent e = signal_event(0, 0);
    CHECK_ERR(create(CLOCK_MONOTONIC, &e, &t), EINVAL);
    e = signal_event(65, 0);
    CHECK_ERR(create(CLOCK_MONOTONIC, &e, &t), EINVAL);
    e = signal_event(SIGRTMIN, 0);
    e.sigev_notify = 17;
    CHECK_ERR(create(CLOCK_MONOTONIC, &e, &t), EINVAL);
    CHECK_ERR(create(CLOCK_MONOTONIC, bad_pointer(), &t), EFAULT);
    CHECK_ERR(create(CLOCK_MONOTONIC, NULL, bad_pointer()), EFAULT);
    CHECK_ERR(create(CLOCK_MONOTONIC_RAW, NULL, &t), EOPNOTSUPP);
    CHECK_ERR(create(CLOCK_REALTIME_COARSE, NULL, &t), EOPNOTSUPP);
    CHECK_ERR(create(77, NULL, &t), EINVAL);
    CHECK_ERR(create((clockid_t)(~0x3fffffu << 3 | 6), NULL, &t), EINVAL);
    CHECK_OK(create(CLOCK_MONOTONIC, NULL, &t));
    CHECK_ERR(syscall(SYS_timer_settime, t, 0, NULL, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_timer_settime, t, 0, bad_pointer(), NULL), EFAULT);
    struct itimerspec bad = {.it_value.tv_nsec = 1000000000};
    CHECK_ERR(syscall(SYS_timer_settime, t, 0, &bad, NULL), EINVAL);
    bad = (struct itimerspec){.it_value.tv_nsec = 1, .it_interval.tv_sec = -1};
    CHECK_ERR(syscall(SYS_timer_settime, t, 0, &bad, NULL), EINVAL);
    CHECK_ERR(settime(t + 100, 0, MS, 0), EINVAL);
    CHECK_ERR(syscall(SYS_timer_gettime, t, bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_timer_gettime, t + 100, &bad), EINVAL);
    CHECK_ERR(overrun(t + 100), EINVAL);
    CHECK_ERR(delete (-1), EINVAL);
    CHECK_OK(delete (t));
    struct rlimit l, low;
    CHECK_OK(getrlimit(RLIMIT_SIGPENDING, &l));
    low = l;
    low.rlim_cur = 0;
    CHECK_OK(setrlimit(RLIMIT_SIGPENDING, &low));
    CHECK_ERR(create(CLOCK_MONOTONIC, NULL, &t), EAGAIN);
    CHECK_OK(setrlimit(RLIMIT_SIGPENDING, &l));
    ok("errors");
}

/* A timer does not live on in the next program, ITIMER_REAL does. */
static void over_exec(char *self) {
    ktimer t;
    struct sigevent e = signal_event(SIGRTMIN, 3);
    struct itimerval it = {.it_value.tv_sec = 1000};
    CHECK_OK(create(CLOCK_MONOTONIC, &e, &t));
    CHECK_OK(settime(t, 0, 5000 * MS, 0));
    CHECK_OK(setitimer(ITIMER_REAL, &it, NULL));
    char number[16];
    snprintf(number, sizeof number, "%d", t);
    execl(self, self, number, NULL);
    CHECK(!"exec");
}

int main(int argc, char **argv) {
    if (argc > 1) {
        struct itimerval it;
        CHECK_ERR(delete (atoi(argv[1])), EINVAL);
        CHECK_OK(getitimer(ITIMER_REAL, &it));
        CHECK(it.it_value.tv_sec > 900);
        ok("execve");
        return 0;
    }
    mask_signal(SIG_BLOCK, SIGRTMIN);
    one_shot(CLOCK_MONOTONIC);
    one_shot(CLOCK_REALTIME);
    one_shot(CLOCK_BOOTTIME);
    one_shot(CLOCK_TAI);
    ok("one shot");
    overruns();
    silent();
    by_default();
    to_thread();
    libc_thread();
    on_cpu_time();
    cpu_itimers();
    cpu_limit();
    errors();
    over_exec(argv[0]);
    return 1;
}
