/* SPDX-License-Identifier: MIT */
/* In the place of musl's file of this name: the system calls of its C files (see hermit_syscall.h),
 * and what musl wants to know about the architecture. */
#ifndef HERMIT_SYSCALL_ARCH_H
#define HERMIT_SYSCALL_ARCH_H

#include "hermit_syscall.h"

#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

#define VDSO_USEFUL
#define VDSO_CGT_SYM "__vdso_clock_gettime"
#define VDSO_CGT_VER "LINUX_2.6"
#define VDSO_GETCPU_SYM "__vdso_getcpu"
#define VDSO_GETCPU_VER "LINUX_2.6"

#define IPC_64 0

/* Always inlined: else the number would not be a constant. */
#define HERMIT_INLINE static inline __attribute__((__always_inline__)) long

/* The call of number n whose argument registers are the further operands. */
#define HERMIT_CALL(n, ...)                                                                        \
    ({                                                                                             \
        long hermit_result;                                                                        \
        __asm__ __volatile__(HERMIT_SYSCALL                                                        \
                             : "=a"(hermit_result)                                                 \
                             : "a"(n), HERMIT_OPERANDS(n), ##__VA_ARGS__                           \
                             : "rcx", "r11", "cc", "memory");                                      \
        hermit_result;                                                                             \
    })

HERMIT_INLINE __syscall0(long n) { return HERMIT_CALL(n); }

HERMIT_INLINE __syscall1(long n, long a) { return HERMIT_CALL(n, "D"(a)); }

HERMIT_INLINE __syscall2(long n, long a, long b) { return HERMIT_CALL(n, "D"(a), "S"(b)); }

HERMIT_INLINE __syscall3(long n, long a, long b, long c) {
    return HERMIT_CALL(n, "D"(a), "S"(b), "d"(c));
}

HERMIT_INLINE __syscall4(long n, long a, long b, long c, long d) {
    register long r10 __asm__("r10") = d;
    return HERMIT_CALL(n, "D"(a), "S"(b), "d"(c), "r"(r10));
}

HERMIT_INLINE __syscall5(long n, long a, long b, long c, long d, long e) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    return HERMIT_CALL(n, "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8));
}

HERMIT_INLINE __syscall6(long n, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    return HERMIT_CALL(n, "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9));
}

#endif
