/* SPDX-License-Identifier: MIT */
/* Filters in front of system calls. seccomp(2).
 *
 * A thread's filters are a list from the newest to the oldest, shared with the threads that it
 * makes; a filter counts those that point to it. */
#ifndef KERNEL_SECCOMP_H
#define KERNEL_SECCOMP_H

#include <kernel/process.h>

struct seccomp_filter;

/* Puts a filter (a struct sock_fprog of the program) in front of the current thread's; with
 * SECCOMP_FILTER_FLAG_TSYNC in front of everybody's.  0, the number of a thread that has filters
 * of its own (TSYNC), or -EFAULT, -EINVAL, -EACCES, -ENOMEM, -ESRCH. */
int64_t seccomp_install(uint32_t flags, gva_t program);
/* SECCOMP_MODE_STRICT for the current thread: 0 or -EINVAL. */
int seccomp_strict(void);
/* May the call go on?  false: regs hold what it answers, or a signal is on its way.  Ends the
 * thread or the process where the filter says so. */
bool seccomp_admit(struct regs *regs);
/* A new thread starts with its maker's mode and filters; one that ends lets go of them. */
void seccomp_inherit(struct thread *t, const struct thread *from);
void seccomp_thread_exit(struct thread *t);
/* SECCOMP_RET_*: can a filter ask for it? */
bool seccomp_action_known(uint32_t action);
/* How many filters the thread has. */
uint32_t seccomp_depth(const struct thread *t);

#endif
