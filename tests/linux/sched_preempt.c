/* SPDX-License-Identifier: MIT */
/* Threads that never wait share the CPU; vector registers survive; timers reach who sleeps. */
#include "thread.h"

#include <sched.h>
#include <signal.h>
#include <sys/time.h>

#define SPINNERS 4

static _Atomic int turn, stop, alarms;
static _Atomic long spins[SPINNERS];

static void *take_turns(void *arg) {
    int me = (int)(intptr_t)arg;
    for (int i = 0; i < 5; i++) {
        while (turn % SPINNERS != me)
            ;
        turn++;
    }
    return NULL;
}

/* Nobody gives the CPU away: without preemption this never ends. */
static void turns(void) {
    pthread_t t[SPINNERS];
    for (intptr_t i = 0; i < SPINNERS; i++)
        t[i] = spawn(take_turns, (void *)i);
    for (int i = 0; i < SPINNERS; i++)
        join(t[i]);
    CHECK_EQ(turn, 5 * SPINNERS);
    ok("spinning threads take turns");
}

static void *spin(void *arg) {
    while (stop == 0)
        spins[(intptr_t)arg]++;
    return NULL;
}

/* Some threads compute, this one sleeps: it wakes about when it should. */
static void sleeper(void) {
    pthread_t t[SPINNERS];
    for (intptr_t i = 0; i < SPINNERS; i++)
        t[i] = spawn(spin, (void *)i);
    int64_t start = now_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < 10; i++)
        sleep_ms(5);
    CHECK(now_ns(CLOCK_MONOTONIC) - start < 5000000000LL);
    stop = 1;
    for (int i = 0; i < SPINNERS; i++) {
        join(t[i]);
        CHECK(spins[i] > 0);
    }
    ok("a sleeping thread among computing ones");
}

static void on_alarm(int sig) { alarms++; }

static void *count_alarms(void *arg) {
    while (alarms < 5)
        ;
    return NULL;
}

static void itimer(void) {
    struct sigaction a = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval t = {{0, 15000}, {0, 15000}}, off = {0};
    CHECK_OK(sigaction(SIGALRM, &a, NULL));
    CHECK_OK(setitimer(ITIMER_REAL, &t, NULL));
    pthread_t a1 = spawn(count_alarms, NULL), a2 = spawn(count_alarms, NULL);
    join(a1);
    join(a2);
    CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));
    ok("ITIMER_REAL among computing threads");
}

/* Each thread keeps a value of its own in every vector register. */
static void *keep_vectors(void *arg) {
    uint64_t mine = (uint64_t)(intptr_t)arg * 0x0101010101010101ULL, bad = 0;
    int64_t until = now_ns(CLOCK_MONOTONIC) + 150000000;
    while (now_ns(CLOCK_MONOTONIC) < until) {
        __asm__ volatile("movq %1, %%xmm0\n\tpunpcklqdq %%xmm0, %%xmm0\n\t"
                         "movdqa %%xmm0, %%xmm1\n\tmovdqa %%xmm0, %%xmm7\n\t"
                         "movdqa %%xmm0, %%xmm8\n\tmovdqa %%xmm0, %%xmm15\n\t"
                         "mov $200000, %%ecx\n1:\tdec %%ecx\n\tjnz 1b\n\t"
                         "pxor %%xmm0, %%xmm1\n\tpxor %%xmm0, %%xmm7\n\tpxor %%xmm0, %%xmm8\n\t"
                         "pxor %%xmm0, %%xmm15\n\tpor %%xmm1, %%xmm7\n\tpor %%xmm8, %%xmm15\n\t"
                         "por %%xmm7, %%xmm15\n\tmovq %%xmm15, %%rax\n\tmovq %%xmm0, %%rdx\n\t"
                         "xor %1, %%rdx\n\tor %%rdx, %%rax\n\tor %%rax, %0"
                         : "+r"(bad)
                         : "r"(mine)
                         : "rax", "rcx", "rdx", "xmm0", "xmm1", "xmm7", "xmm8", "xmm15");
        CHECK_EQ(bad, 0);
        sched_yield();
    }
    return NULL;
}

static void vectors(void) {
    pthread_t t[SPINNERS];
    for (intptr_t i = 0; i < SPINNERS; i++)
        t[i] = spawn(keep_vectors, (void *)(i + 1));
    for (int i = 0; i < SPINNERS; i++)
        join(t[i]);
    ok("vector registers");
}

static int ends[2];

static void *reader(void *arg) {
    char c;
    CHECK_EQ(read(ends[0], &c, 1), 1);
    stop = 1;
    return NULL;
}

/* A thread that becomes ready while the others compute gets its turn. */
static void reader_among_spinners(void) {
    CHECK_OK(pipe(ends));
    stop = 0;
    pthread_t r = spawn(reader, NULL), s = spawn(spin, (void *)0), s2 = spawn(spin, (void *)1);
    sleep_ms(5);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    while (stop == 0)
        ;
    join(r);
    join(s);
    join(s2);
    ok("a reader among computing threads");
}

int main(void) {
    turns();
    sleeper();
    itimer();
    vectors();
    reader_among_spinners();
    return 0;
}
