/* SPDX-License-Identifier: MIT */
/* Leaf calls: system calls that a word behind %gs answers.  A rewritten site that names its call
 * gets the answer from arch/x86_64/door.S without entering the kernel: no frame, no lock.
 *
 * That code is the program's as far as interrupts are concerned: one that lands there finishes the
 * call (leaf_finish) and goes on as if it had come behind it.  While calls are traced, counted or
 * filtered there are no leaf calls (leaf_close).  Usable from assembly. */
#ifndef KERNEL_LEAF_H
#define KERNEL_LEAF_H

/* X(number, name), in the order of percpu.leaf. */
#define LEAF_CALLS(X)                                                                              \
    X(39, getpid)                                                                                  \
    X(102, getuid)                                                                                 \
    X(104, getgid)                                                                                 \
    X(107, geteuid)                                                                                \
    X(108, getegid)                                                                                \
    X(110, getppid)                                                                                \
    X(111, getpgrp)                                                                                \
    X(186, gettid)

#ifndef __ASSEMBLER__
#include <kernel/types.h>

#define LEAF_INDEX(nr, name) LEAF_##name,
enum leaf { LEAF_CALLS(LEAF_INDEX) LEAF_COUNT };

struct percpu;
struct regs;
struct thread;

/* cpu runs t from now on. */
void leaf_switched(struct percpu *cpu, const struct thread *t);
/* What some leaf call answers for the current process has changed. */
void leaf_changed(void);
/* From now on, and on every CPU, all calls enter the kernel. */
void leaf_close(void);
/* Is this call answered so now? */
bool leaf_open(uint32_t nr);
/* If regs were interrupted on a door's first instructions, what these began is brought to its end:
 * a leaf call has returned; for any other call, true: it is to be dispatched. */
bool leaf_finish(struct regs *regs);
#endif

#endif
