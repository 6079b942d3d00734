/* SPDX-License-Identifier: MIT */
/* A VM exit costs far more than a cache line that travels between two CPUs: a program that calls
 * often is served by a thread that watches the call block.  It starts with the first burst of
 * doorbells, polls while calls come and sleeps soon after.  Owns hc_comm.polling. */
#include <loader/poller.h>

#include <linux/futex.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

#include <loader/services.h>
#include <loader/thread.h>
#include <loader/vcpu.h>
#include <loader/vm.h>

#define BURST 8                 /* doorbells ... */
#define BURST_CYCLES 5000000ULL /* ... within about 2 ms start the thread */
#define FEW 4                   /* calls in such a time, or none ... */
#define IDLE_CYCLES 2000000ULL  /* ... in about 1 ms, end a round of polling */

static enum { UNTRIED, RUNNING, IMPOSSIBLE } state;
static uint32_t awake; /* futex: 0 while the thread sleeps */
static uint64_t burst_start;
static unsigned burst;

static unsigned serve_all(void) {
    unsigned served = 0;
    for (uint32_t cpu = 0, n = vcpu_count(); cpu < n; cpu++)
        served += hc_serve(cpu, false);
    return served;
}

static void poll_round(void) {
    __atomic_store_n(&vm_comm->polling, 1, __ATOMIC_SEQ_CST);
    uint64_t now = __rdtsc(), last = now, start = now;
    unsigned calls = 0;
    while (now - last < IDLE_CYCLES) {
        unsigned served = serve_all();
        now = __rdtsc();
        calls += served;
        if (now - start > BURST_CYCLES) {
            if (calls < FEW) break; /* the peer of a server may want this CPU */
            calls = 0;
            start = now;
        }
        if (served > 0)
            last = now;
        else
            _mm_pause();
    }
    __atomic_store_n(&vm_comm->polling, 0, __ATOMIC_SEQ_CST);
    serve_all(); /* submitted while the guest still saw polling set */
}

static void *poller_main(void *arg) {
    for (;;) {
        poll_round();
        __atomic_store_n(&awake, 0, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&awake, __ATOMIC_SEQ_CST) == 0) {
            syscall(SYS_futex, &awake, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
        }
    }
    return NULL;
}

static void start(void) {
    cpu_set_t cpus;
    state = IMPOSSIBLE; /* polling on the only CPU would keep the guest from it */
    if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0 || CPU_COUNT(&cpus) < 2) return;
    awake = 1;
    if (thread_start(poller_main, NULL) == 0) state = RUNNING;
}

static void wake(void) {
    if (__atomic_exchange_n(&awake, 1, __ATOMIC_SEQ_CST) != 0) return;
    syscall(SYS_futex, &awake, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void poller_note_doorbell(void) {
    if (state == IMPOSSIBLE) return;
    uint64_t now = __rdtsc();
    if (now - burst_start > BURST_CYCLES) {
        burst_start = now;
        burst = 0;
    }
    if (++burst < BURST) return;
    burst = 0;
    if (state == UNTRIED)
        start();
    else
        wake();
}
