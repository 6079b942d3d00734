/* SPDX-License-Identifier: MIT */
/* sched_setscheduler(2), sched_setattr(2), setpriority(2): values, errors and that they matter. */
#include "thread.h"

#include <sched.h>
#include <semaphore.h>
#include <sys/resource.h>

enum { OTHER, FIFO, RR, BATCH, IDLE = 5, DEADLINE };
#define RESET_ON_FORK 0x40000000

struct attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t clamp_min, clamp_max;
};

static long set_policy(int tid, int policy, int priority) {
    return syscall(SYS_sched_setscheduler, tid, policy, &priority);
}
static long policy_of(int tid) { return syscall(SYS_sched_getscheduler, tid); }
static int priority_of(int tid) {
    int priority = -1;
    CHECK_OK(syscall(SYS_sched_getparam, tid, &priority));
    return priority;
}
static int nice_of(int tid) { return 20 - (int)syscall(SYS_getpriority, PRIO_PROCESS, tid); }
static long set_attr(const struct attr *a) { return syscall(SYS_sched_setattr, 0, a, 0); }

static void on_one_cpu(void) {
    cpu_set_t set, one;
    CHECK_OK(sched_getaffinity(0, sizeof set, &set));
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &set)) continue;
        CPU_SET(i, &one);
        break;
    }
    CHECK_OK(sched_setaffinity(0, sizeof one, &one));
}

static void errors(void) {
    int zero = 0;
    CHECK_ERR(set_policy(-1, OTHER, 0), EINVAL);
    CHECK_ERR(set_policy(0, -1, 0), EINVAL);
    CHECK_ERR(set_policy(0, 4, 0), EINVAL);
    CHECK_ERR(set_policy(0, OTHER, 1), EINVAL);
    CHECK_ERR(set_policy(0, FIFO, 0), EINVAL);
    CHECK_ERR(set_policy(0, RR, 100), EINVAL);
    CHECK_ERR(set_policy(0x3ffffff, OTHER, 0), ESRCH);
    CHECK_ERR(syscall(SYS_sched_setscheduler, 0, OTHER, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_sched_setscheduler, 0, OTHER, bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_sched_getparam, 0, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_sched_getparam, 0, bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_sched_getparam, 0x3ffffff, &zero), ESRCH);
    CHECK_ERR(policy_of(-1), EINVAL);
    CHECK_ERR(policy_of(0x3ffffff), ESRCH);
    CHECK_ERR(syscall(SYS_setpriority, 3, 0, 0), EINVAL);
    CHECK_ERR(syscall(SYS_getpriority, -1, 0), EINVAL);
    CHECK_ERR(syscall(SYS_setpriority, PRIO_PROCESS, 0x3ffffff, 0), ESRCH);
    struct attr a = {.size = 40};
    CHECK_ERR(set_attr(&a), E2BIG);
    CHECK(a.size >= 48);
    a = (struct attr){.size = 48, .policy = 77};
    CHECK_ERR(set_attr(&a), EINVAL);
    a = (struct attr){.size = 48, .flags = 1ull << 40};
    CHECK_ERR(set_attr(&a), EINVAL);
    CHECK_ERR(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL);
    CHECK_ERR(syscall(SYS_sched_setattr, 0, NULL, 0), EINVAL);
    CHECK_ERR(syscall(SYS_sched_setattr, 0, bad_pointer(), 0), EFAULT);
    CHECK_ERR(syscall(SYS_sched_getattr, 0, &a, 47, 0), EINVAL);
    CHECK_ERR(syscall(SYS_sched_getattr, 0, &a, 48, 1), EINVAL);
    CHECK_ERR(syscall(SYS_sched_getattr, 0x3ffffff, &a, 48, 0), ESRCH);
    ok("errors");
}

static void *inherits(void *arg) {
    CHECK_EQ(nice_of(0), 3);
    CHECK_EQ(policy_of(0), BATCH);
    CHECK_OK(setpriority(PRIO_PROCESS, (id_t)gettid_(), 7));
    CHECK_EQ(nice_of(0), 7);
    struct attr a;
    CHECK_OK(syscall(SYS_sched_getattr, 0, &a, sizeof a, 0));
    CHECK(a.size >= 48 && a.size <= sizeof a);
    CHECK_EQ(a.policy, BATCH);
    CHECK_EQ(a.nice, 7);
    a = (struct attr){.size = sizeof a, .policy = OTHER, .nice = 9};
    CHECK_OK(set_attr(&a));
    CHECK_EQ(nice_of(0), 9);
    CHECK_OK(set_policy(0, IDLE, 0));
    CHECK_EQ(policy_of(0), IDLE);
    return NULL;
}

static void *values(void *arg) {
    CHECK_OK(setpriority(PRIO_PROCESS, 0, 3));
    CHECK_OK(set_policy(0, BATCH, 0));
    CHECK_EQ(policy_of(0), BATCH);
    CHECK_EQ(priority_of(0), 0);
    join(spawn(inherits, NULL));
    CHECK_EQ(nice_of(0), 3);
    CHECK_EQ(policy_of(0), BATCH);
    CHECK_OK(set_policy(0, OTHER | RESET_ON_FORK, 0));
    CHECK_EQ(policy_of(0), OTHER | RESET_ON_FORK);
    struct timespec t;
    CHECK_OK(syscall(SYS_sched_rr_get_interval, 0, &t));
    CHECK(t.tv_sec == 0);
    ok("values");
    return NULL;
}

static _Atomic int stop, ready;

/* The CPU time that a thread of this nice value has had in the end. */
static void *burn(void *nice_value) {
    CHECK_OK(setpriority(PRIO_PROCESS, 0, *(int *)nice_value));
    ready++;
    while (!stop)
        ;
    return (void *)(intptr_t)now_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void *shares(void *arg) {
    int values_of[2] = {1, 11};
    on_one_cpu();
    pthread_t t[2];
    for (int i = 0; i < 2; i++)
        t[i] = spawn(burn, &values_of[i]);
    while (ready < 2)
        sleep_ms(1);
    sleep_ms(500);
    stop = 1;
    intptr_t much = (intptr_t)join(t[0]), little = (intptr_t)join(t[1]);
    CHECK(much > 3 * little); /* 9.3 times as much, if both always wanted to run */
    ok("nice values share the CPU");
    return NULL;
}

static _Atomic int low_ran, others_ran;

static void *low(void *arg) {
    low_ran = 1;
    return NULL;
}

static void *ordinary(void *arg) {
    others_ran = 1;
    return NULL;
}

static void *realtime(void *arg) {
    on_one_cpu();
    if (set_policy(0, RR, 10) != 0) {
        CHECK_EQ(errno, EPERM);
        ok("no real-time priorities here");
        return NULL;
    }
    CHECK_EQ(policy_of(0), RR);
    CHECK_EQ(priority_of(0), 10);
    struct timespec t;
    CHECK_OK(syscall(SYS_sched_rr_get_interval, 0, &t));
    CHECK_EQ(t.tv_nsec, 100000000);
    CHECK_OK(set_policy(0, FIFO | RESET_ON_FORK, 10));
    CHECK_OK(syscall(SYS_sched_rr_get_interval, 0, &t));
    CHECK_EQ(t.tv_nsec, 0);
    pthread_t a = spawn(ordinary, NULL); /* made with SCHED_OTHER: RESET_ON_FORK */
    CHECK_OK(set_policy(0, FIFO, 10));
    pthread_t b = spawn(low, NULL);
    int64_t start = now_ns(CLOCK_THREAD_CPUTIME_ID);
    while (now_ns(CLOCK_THREAD_CPUTIME_ID) - start < 30000000) {
        sched_yield(); /* to those of its priority only */
        CHECK_EQ(others_ran, 0);
    }
    join(b);
    CHECK_EQ(low_ran, 1);
    join(a);
    ok("real-time threads come first");
    return NULL;
}

int main(void) {
    errors();
    join(spawn(values, NULL));
    join(spawn(shares, NULL));
    join(spawn(realtime, NULL));
    return 0;
}
