/* SPDX-License-Identifier: MIT */
/* vdso(7): the calls that need no kernel, run in the program.  Owns nothing; reads the vvar page
 * that lies before the image (vdso.lds).  Anything else goes to the kernel. */
#include <linux/errno.h>
#include <linux/time.h>

#include <asm/unistd_64.h>

#include <kernel/vvar.h>

#define NSEC_PER_SEC 1000000000u

/* Not const: the kernel changes it behind the compiler's back. */
extern struct vvar vvar_page __attribute__((visibility("hidden")));

int __vdso_clock_gettime(int clock, struct timespec *ts);
int __vdso_clock_getres(int clock, struct timespec *res);
int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz);
long __vdso_time(long *out);
long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

static long syscall2(long nr, long a, long b) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return result;
}

int __vdso_clock_gettime(int clock, struct timespec *ts) {
    int64_t ns;
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
        ns = vvar_read(&vvar_page, true);
        break;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
        ns = vvar_read(&vvar_page, false);
        break;
    default:
        return (int)syscall2(__NR_clock_gettime, clock, (long)ts);
    }
    ts->tv_sec = (long)((uint64_t)ns / NSEC_PER_SEC);
    ts->tv_nsec = (long)((uint64_t)ns % NSEC_PER_SEC);
    return 0;
}

int __vdso_clock_getres(int clock, struct timespec *res) {
    long ns;
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_TAI:
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
        ns = 1;
        break;
    case CLOCK_REALTIME_COARSE:
    case CLOCK_MONOTONIC_COARSE:
        ns = VVAR_COARSE_RES_NS;
        break;
    default:
        return (int)syscall2(__NR_clock_getres, clock, (long)res);
    }
    if (res) {
        res->tv_sec = 0;
        res->tv_nsec = ns;
    }
    return 0;
}

int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz) {
    if (tv) {
        uint64_t ns = (uint64_t)vvar_read(&vvar_page, true);
        tv->tv_sec = (long)(ns / NSEC_PER_SEC);
        tv->tv_usec = (long)(ns % NSEC_PER_SEC / 1000);
    }
    if (tz) {
        tz->tz_minuteswest = 0;
        tz->tz_dsttime = 0;
    }
    return 0;
}

long __vdso_time(long *out) {
    long seconds = (long)((uint64_t)vvar_read(&vvar_page, true) / NSEC_PER_SEC);
    if (out) *out = seconds;
    return seconds;
}

long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused) {
    if (cpu) __asm__ volatile("movl %%gs:%c1, %0" : "=r"(*cpu) : "i"(VVAR_GS_CPU));
    if (node) *node = 0;
    return 0;
}

/* The unversioned-looking names that Linux's vDSO exports, too. */
#define ALIAS(name) __attribute__((weak, alias("__vdso_" #name)))
int clock_gettime(int clock, struct timespec *ts) ALIAS(clock_gettime);
int clock_getres(int clock, struct timespec *res) ALIAS(clock_getres);
int gettimeofday(struct timeval *tv, struct timezone *tz) ALIAS(gettimeofday);
long time(long *out) ALIAS(time);
long getcpu(unsigned *cpu, unsigned *node, void *unused) ALIAS(getcpu);
