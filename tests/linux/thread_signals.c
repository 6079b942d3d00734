/* SPDX-License-Identifier: MIT */
/* Signals between threads: masks, directed and process-wide signals, interruption of waits. */
#include "thread.h"

#include <signal.h>

static _Atomic int handled_by, handled, go, tid;

static void note(int sig) {
    handled_by = gettid_();
    handled++;
}

static void install(int sig, int flags) {
    struct sigaction a = {.sa_handler = note, .sa_flags = flags};
    CHECK_OK(sigaction(sig, &a, NULL));
}

static void mask(int how, int sig) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    CHECK_OK(pthread_sigmask(how, &set, NULL));
}

static int tgkill_(int to, int sig) { return (int)syscall(SYS_tgkill, getpid(), to, sig); }

static _Atomic uint32_t word;

static void *wait_in_futex(void *arg) {
    tid = gettid_();
    CHECK_ERR(futex(&word, F_WAIT, 0, NULL, NULL, 0), EINTR);
    return NULL;
}

static int ends[2];

static void *wait_in_read(void *arg) {
    char c;
    tid = gettid_();
    CHECK_ERR(read(ends[0], &c, 1), EINTR);
    return NULL;
}

static void *wait_in_sleep(void *arg) {
    struct timespec t = {.tv_sec = 10};
    tid = gettid_();
    CHECK_ERR(nanosleep(&t, NULL), EINTR);
    return NULL;
}

static void *wait_in_pause(void *arg) {
    tid = gettid_();
    CHECK_ERR(pause(), EINTR);
    return NULL;
}

static void interrupts(void) {
    void *(*const waits[])(void *) = {wait_in_futex, wait_in_read, wait_in_sleep, wait_in_pause};
    install(SIGUSR1, 0);
    CHECK_OK(pipe(ends));
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        tid = handled = handled_by = 0;
        pthread_t t = spawn(waits[i], NULL);
        wait_until_asleep(&tid);
        CHECK_OK(tgkill_(tid, SIGUSR1));
        join(t);
        CHECK_EQ(handled, 1);
        CHECK_EQ(handled_by, tid);
    }
    ok("interrupted waits");
}

static void *spin(void *arg) {
    tid = gettid_();
    while (handled == 0)
        ;
    CHECK_EQ(handled_by, gettid_());
    return NULL;
}

static void running(void) {
    tid = handled = 0;
    pthread_t t = spawn(spin, NULL);
    while (tid == 0)
        sleep_ms(1);
    CHECK_OK(tgkill_(tid, SIGUSR1));
    join(t);
    CHECK_EQ(handled, 1);
    ok("a running thread");
}

static void *take_usr2(void *arg) {
    mask(SIG_UNBLOCK, SIGUSR2);
    tid = gettid_();
    while (handled == 0)
        sleep_ms(1);
    return NULL;
}

/* The only thread that lets it through gets what is sent to the process. */
static void process_wide(void) {
    tid = handled = 0;
    install(SIGUSR2, SA_RESTART);
    mask(SIG_BLOCK, SIGUSR2);
    CHECK_OK(kill(getpid(), SIGUSR2));
    CHECK_EQ(handled, 0);
    pthread_t t = spawn(take_usr2, NULL);
    join(t);
    CHECK_EQ(handled, 1);
    CHECK_EQ(handled_by, tid);

    handled = tid = 0;
    t = spawn(take_usr2, NULL);
    while (tid == 0)
        sleep_ms(1);
    CHECK_OK(kill(getpid(), SIGUSR2));
    join(t);
    CHECK_EQ(handled_by, tid);
    mask(SIG_UNBLOCK, SIGUSR2);
    CHECK_EQ(handled, 1);
    ok("signals for the process");
}

static void *wait_for_signal(void *arg) {
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    tid = gettid_();
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    return (void *)(intptr_t)info.si_value.sival_int;
}

static void sigwait_in_thread(void) {
    tid = 0;
    mask(SIG_BLOCK, SIGRTMIN);
    pthread_t t = spawn(wait_for_signal, NULL);
    wait_until_asleep(&tid);
    CHECK_OK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 42}));
    CHECK_EQ((intptr_t)join(t), 42);

    struct timespec zero = {0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    CHECK_ERR(sigtimedwait(&set, NULL, &zero), EAGAIN);
    ok("sigwaitinfo");
}

static void *own_mask(void *arg) {
    sigset_t now;
    CHECK_OK(pthread_sigmask(SIG_SETMASK, NULL, &now));
    CHECK(sigismember(&now, SIGHUP)); /* inherited */
    mask(SIG_UNBLOCK, SIGHUP);
    CHECK_ERR(tgkill_(0x3ffffff, SIGUSR1), ESRCH);
    CHECK_OK(tgkill_(gettid_(), 0));
    CHECK_ERR(tgkill_(gettid_(), 65), EINVAL);
    stack_t alt;
    CHECK_OK(sigaltstack(NULL, &alt));
    CHECK(alt.ss_flags & SS_DISABLE); /* not inherited */
    return NULL;
}

static void masks(void) {
    static char stack[65536];
    stack_t alt = {.ss_sp = stack, .ss_size = sizeof stack};
    CHECK_OK(sigaltstack(&alt, NULL));
    mask(SIG_BLOCK, SIGHUP);
    join(spawn(own_mask, NULL));
    sigset_t now;
    CHECK_OK(pthread_sigmask(SIG_SETMASK, NULL, &now));
    CHECK(sigismember(&now, SIGHUP));
    mask(SIG_UNBLOCK, SIGHUP);
    ok("masks and stacks");
}

static _Atomic int storms;

static void count_storm(int sig) { storms++; }

static void *compute(void *arg) {
    double x = 1.0, y = (double)(intptr_t)arg;
    while (go == 0) {
        for (int i = 0; i < 1000; i++)
            x = x * 1.0000001 + y;
        if (x > 1e15) x = 1.0;
    }
    CHECK(x >= 1.0);
    return NULL;
}

/* As Go preempts its threads: many signals to running threads. */
static void storm(void) {
    struct sigaction a = {.sa_handler = count_storm, .sa_flags = SA_RESTART};
    pthread_t t[3];
    CHECK_OK(sigaction(SIGURG, &a, NULL));
    for (intptr_t i = 0; i < 3; i++)
        t[i] = spawn(compute, (void *)(i + 1));
    for (int i = 0; i < 300; i++) {
        CHECK_OK(pthread_kill(t[i % 3], SIGURG));
        if (i % 30 == 0) sleep_ms(1);
    }
    for (int i = 0; i < 2000 && storms == 0; i++)
        sleep_ms(1);
    go = 1;
    for (int i = 0; i < 3; i++)
        join(t[i]);
    CHECK(storms > 0);
    ok("many signals to running threads");
}

int main(void) {
    interrupts();
    running();
    process_wide();
    sigwait_in_thread();
    masks();
    storm();
    return 0;
}
