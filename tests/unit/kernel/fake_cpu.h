/* SPDX-License-Identifier: MIT */
/* A thread, its CPU and a piece of "program memory" for host builds of kernel code. */
#ifndef FAKE_CPU_H
#define FAKE_CPU_H

#include <kernel/process.h>

#define FAKE_USER_BYTES 65536

extern struct process fake_process;
extern struct thread fake_thread;
extern struct percpu fake_percpu;
/* The only memory that copy_from_user and copy_to_user reach. */
extern unsigned char fake_user[FAKE_USER_BYTES];

/* Everything as after exec: no signals, no handlers. */
void fake_cpu_reset(void);

#endif
