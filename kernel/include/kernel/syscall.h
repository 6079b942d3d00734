/* SPDX-License-Identifier: MIT */
/* The one upcall: the entry code hands a system call to syscall/. */
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#include <kernel/process.h>

/* Runs the call in regs (number in orig_rax) and stores the result in regs->rax.  raw: it was a
 * `syscall` instruction, not a jump. */
void syscall_dispatch(struct regs *regs, bool raw);

/* A traced call is about to wait: what is known of it is shown first. */
void syscall_trace_wait(struct strace_call *call);
/* A signal was taken; it ends the process. */
void syscall_trace_signal(int sig, const siginfo_t *info);
void syscall_trace_killed(int sig);
/* A thread has filters (seccomp.h): they are asked before every call from now on. */
void syscall_watch_filters(void);

struct hermit_boot;
/* Turns --strace and --stats on as the boot block says. */
void syscall_trace_init(const struct hermit_boot *boot);

#endif
