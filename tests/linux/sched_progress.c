// SPDX-License-Identifier: MIT
/* A thread that sleeps for microseconds, again and again, leaves time for another that computes. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

/* musl comes without the header. */
#define FUTEX_WAIT 0
#define FUTEX_PRIVATE_FLAG 128

static atomic_int done;

static void *compute(void *arg) {
    uint64_t sum = 0;
    for (int i = 0; i < 400000000; i++) {
        sum += (uint64_t)i;
        __asm__ volatile("" : "+r"(sum)); /* not to be computed ahead */
    }
    done = 1;
    return NULL;
}

/* As an interpreter does that waits for its lock. */
static void wait_on_futex(void) {
    static atomic_int never;
    const struct timespec ten_us = {0, 10000};
    long r = syscall(SYS_futex, &never, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &ten_us, NULL, 0);
    CHECK(r == -1 && errno == ETIMEDOUT);
}

static void wait_asleep(void) {
    const struct timespec one_us = {0, 1000};
    CHECK(nanosleep(&one_us, NULL) == 0);
}

static void beside(void (*wait)(void), const char *what) {
    pthread_t thread;
    done = 0;
    CHECK(pthread_create(&thread, NULL, compute, NULL) == 0);
    while (!done)
        wait();
    CHECK(pthread_join(thread, NULL) == 0);
    printf("ok %s\n", what);
}

int main(void) {
    beside(wait_on_futex, "futex with a time limit of 10 us");
    beside(wait_asleep, "nanosleep of 1 us");
    return 0;
}
