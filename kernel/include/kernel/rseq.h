/* SPDX-License-Identifier: MIT */
/* Restartable sequences. rseq(2).
 *
 * A thread that left its CPU in the middle of the program's code, moved to another CPU or gets a
 * signal passes the way out of the kernel with thread.rseq_work set; there its sequence is
 * aborted and its area says where it runs. */
#ifndef KERNEL_RSEQ_H
#define KERNEL_RSEQ_H

#include <kernel/process.h>

/* rseq(2): 0 or -EINVAL, -EPERM, -EBUSY, -EFAULT. */
int rseq_register(gva_t area, uint32_t len, uint32_t sig);
int rseq_unregister(gva_t area, uint32_t len, uint32_t sig);
/* execve: the area is gone. */
void rseq_forget(struct thread *t);
/* t, the current thread, runs again: is there work on its way out? */
void rseq_switched(struct thread *t);
/* A signal frame is about to be made of regs: 0, -EFAULT or -EINVAL (the program is broken). */
int rseq_before_signal(struct regs *regs);
/* The work, on the way out. */
void rseq_leave(struct regs *regs);
/* membarrier(2): sequences that run on this CPU (-1: on any) abort when smp_quiesce() returns. */
void rseq_abort_running(int cpu);

#endif
