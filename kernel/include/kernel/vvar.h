/* SPDX-License-Identifier: MIT */
/* The page of time data that the kernel writes and the vDSO in the program reads.
 *
 * The only kernel header that is also compiled into the vDSO: no other kernel include. */
#ifndef KERNEL_VVAR_H
#define KERNEL_VVAR_H

#include <stdbool.h>
#include <stdint.h>

/* ns = (ticks * mult) >> VVAR_SHIFT: 10^6 << 43 still fits in 64 bits, for the finest mult. */
#define VVAR_SHIFT 43

struct vvar {
    uint32_t seq; /* odd while the kernel writes */
    uint32_t pad;
    uint64_t tsc_base;
    uint64_t mult;
    int64_t monotonic_ns; /* both at tsc_base */
    int64_t realtime_ns;
};

#define VVAR_GS_CPU 1024           /* offset from %gs of the number of the CPU */
#define VVAR_COARSE_RES_NS 4000000 /* what Linux reports for CLOCK_*_COARSE at 250 Hz */

/* lfence: the counter must not be read before the loads that precede it in program order. */
static inline uint64_t vvar_tsc(void) {
    uint32_t lo, hi;
    __asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
    return (uint64_t)hi << 32 | lo;
}

/* Nanoseconds since tsc_base; a counter that lags behind the base (another CPU's) reads as 0. */
static inline int64_t vvar_elapsed(uint64_t tsc, uint64_t tsc_base, uint64_t mult) {
    int64_t ticks = (int64_t)(tsc - tsc_base);
    if (ticks < 0) return 0;
    return (int64_t)(((unsigned __int128)(uint64_t)ticks * mult) >> VVAR_SHIFT);
}

static inline int64_t vvar_read(const struct vvar *v, bool realtime) {
    for (;;) {
        uint32_t seq = __atomic_load_n(&v->seq, __ATOMIC_ACQUIRE);
        uint64_t tsc_base = __atomic_load_n(&v->tsc_base, __ATOMIC_RELAXED);
        uint64_t mult = __atomic_load_n(&v->mult, __ATOMIC_RELAXED);
        const int64_t *base = realtime ? &v->realtime_ns : &v->monotonic_ns;
        int64_t ns =
            __atomic_load_n(base, __ATOMIC_RELAXED) + vvar_elapsed(vvar_tsc(), tsc_base, mult);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (!(seq & 1) && __atomic_load_n(&v->seq, __ATOMIC_RELAXED) == seq) return ns;
    }
}

#endif
