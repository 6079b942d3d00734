/* SPDX-License-Identifier: MIT */
/* Parts of prctl(2) with a file of their own.  -ENOSYS: op is not theirs. */
#ifndef SYSCALL_PRCTL_H
#define SYSCALL_PRCTL_H

#include <stdint.h>

/* sys_capability.c: PR_CAPBSET_*, PR_CAP_AMBIENT, PR_*_SECUREBITS, PR_*_KEEPCAPS. */
int64_t prctl_capability(int op, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
/* sys_prctl_mm.c: PR_SET_MM, PR_SET_VMA. */
int64_t prctl_memory(int op, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

#endif
