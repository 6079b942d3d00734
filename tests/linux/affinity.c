/* SPDX-License-Identifier: MIT */
/* sched_setaffinity(2) really places; getcpu(2) and the vDSO agree. */
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "thread.h"

static int cpu_by_call(void) {
    unsigned cpu, node;
    CHECK_OK(syscall(SYS_getcpu, &cpu, &node, NULL));
    return (int)cpu;
}

static void pin(pid_t tid, int cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CHECK_OK(sched_setaffinity(tid, sizeof(one), &one));
}

static void each_cpu(const cpu_set_t *all) {
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, all)) continue;
        pin(0, cpu);
        for (int i = 0; i < 100; i++) {
            CHECK_EQ(sched_getcpu(), cpu);
            CHECK_EQ(cpu_by_call(), cpu);
        }
        cpu_set_t now;
        CHECK_OK(sched_getaffinity(0, sizeof(now), &now));
        CHECK_EQ(CPU_COUNT(&now), 1);
        CHECK(CPU_ISSET(cpu, &now));
    }
    CHECK_OK(sched_setaffinity(0, sizeof(*all), all));
    ok("this thread");
}

static atomic_int moved_tid, want, stop;

/* Runs in the program all the time: only an interrupt moves it. */
static void *runner(void *arg) {
    atomic_store(&moved_tid, (int)syscall(SYS_gettid));
    while (!atomic_load(&stop)) {
        int cpu = atomic_load(&want);
        if (cpu >= 0 && sched_getcpu() == cpu) atomic_store(&want, -1);
    }
    return NULL;
}

static void another_thread(const cpu_set_t *all) {
    atomic_store(&want, -1);
    pthread_t t = spawn(runner, NULL);
    while (atomic_load(&moved_tid) == 0)
        sched_yield();
    for (int round = 0; round < 10; round++) {
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
            if (!CPU_ISSET(cpu, all)) continue;
            pin(atomic_load(&moved_tid), cpu);
            atomic_store(&want, cpu);
            while (atomic_load(&want) >= 0)
                sched_yield();
        }
    }
    atomic_store(&stop, 1);
    join(t);
    ok("another thread");
}

static void *inherits(void *arg) {
    cpu_set_t mine;
    CHECK_OK(sched_getaffinity(0, sizeof(mine), &mine));
    CHECK(CPU_EQUAL(&mine, (cpu_set_t *)arg));
    return NULL;
}

static void errors(const cpu_set_t *all) {
    cpu_set_t none, first;
    CPU_ZERO(&none);
    CHECK_ERR(sched_setaffinity(0, sizeof(none), &none), EINVAL);
    CHECK_ERR(sched_setaffinity(0x3fffffff, sizeof(*all), all), ESRCH);
    CHECK_ERR(sched_setaffinity(0, sizeof(*all), bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_sched_getaffinity, 0, 4, &none), EINVAL);
    CPU_ZERO(&first);
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
        if (!CPU_ISSET(cpu, all)) continue;
        CPU_ZERO(&first);
        CPU_SET(cpu, &first);
    }
    CHECK_OK(sched_setaffinity(0, sizeof(first), &first));
    join(spawn(inherits, &first));
    CHECK_OK(sched_setaffinity(0, sizeof(*all), all));
    ok("errors, inheritance");
}

int main(void) {
    cpu_set_t all;
    CHECK_OK(sched_getaffinity(0, sizeof(all), &all));
    each_cpu(&all);
    another_thread(&all);
    errors(&all);
    return 0;
}
