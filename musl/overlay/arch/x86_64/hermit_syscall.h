/* SPDX-License-Identifier: MIT */
/* How musl enters the kernel, in C and in assembly: a jump through a word behind %gs where Hermit
 * is underneath, `syscall` everywhere else.
 *
 *         cmpb   $0, __hermit(%rip)
 *         je     10f
 *         lea    11f(%rip), %rcx      # where the kernel returns to
 *         jmp    *%gs:SLOT
 * 10:     syscall
 * 11:
 *
 * `syscall` lies directly before the return address although Hermit never gets there by itself: a
 * signal handler that restarts the call (SA_RESTART) returns to two bytes before 11, and what it
 * executes there must be the call.  For the same reason a signal during the call reports 11 or 10,
 * as on Linux, which is what cancellation looks at (__cp_begin, __cp_end). */
#ifndef HERMIT_SYSCALL_H
#define HERMIT_SYSCALL_H

#include "hermit/rewrite.h"

#ifdef __ASSEMBLER__
/* build.py puts this in the place of every `syscall` in musl's assembly files, except
 * __restore_rt's.  The number may be any. */
/* clang-format off */
#define HERMIT_SYSCALL \
    cmpb $0, __hermit(%rip); je 10f; lea 11f(%rip), %rcx; jmp *%gs:HERMIT_GS_DOOR; 10: syscall; 11:
/* clang-format on */
#else
/* Not 0: AT_HERMIT was in the auxiliary vector.  Set before the first thread has its TLS. */
extern __attribute__((__visibility__("hidden"))) unsigned char __hermit;

#define HERMIT_SYSCALL                                                                             \
    "cmpb $0, %[hermit]\n\tje 10f\n\tlea 11f(%%rip), %%rcx\n\tjmp *%%gs:%c[slot]\n"                \
    "10:\tsyscall\n11:"

/* Operands of HERMIT_SYSCALL: a constant number has its own slot. */
#define HERMIT_OPERANDS(n)                                                                         \
    [hermit] "m"(__hermit), [slot] "i"(__builtin_constant_p(n) &&                                  \
                                               (unsigned long)(n) < HERMIT_GS_CALLS_COUNT          \
                                           ? HERMIT_GS_CALL(n)                                     \
                                           : HERMIT_GS_DOOR)
#endif

#endif
