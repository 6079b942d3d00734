/* SPDX-License-Identifier: MIT */
/* Who may favour threads; private to syscall/. */
#ifndef SYSCALL_NICE_H
#define SYSCALL_NICE_H

#include <syscall/user.h>

/* May the process give itself this nice value (RLIMIT_NICE)? */
static inline bool sched_may_nice(int nice) {
    return (uint64_t)(20 - nice) <= current_process()->limits[RLIMIT_NICE].rlim_cur ||
           process_capable(CAP_SYS_NICE);
}

#endif
