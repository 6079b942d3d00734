/* SPDX-License-Identifier: MIT */
/* What the measured programs share: a clock, the cycle counter, the count on the command line.
 *
 * A program prints one line of JSON with its own figures; hermit-bench reads it. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t timespec_ns(struct timespec t) {
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t clock_ns(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return timespec_ns(t);
}

/* Waits for what stands before it, so that the work is not counted short. */
static inline uint64_t cycles(void) {
    uint32_t lo, hi;

    __asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
    return (uint64_t)hi << 32 | lo;
}

/* argv[1] as a positive count, or the default. */
static inline uint64_t count_argument(int argc, char **argv, uint64_t fallback) {
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : fallback;

    if (n == 0) {
        fprintf(stderr, "%s: the count must be a positive number\n", argv[0]);
        exit(2);
    }
    return n;
}

#endif
