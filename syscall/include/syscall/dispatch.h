/* SPDX-License-Identifier: MIT */
/* The dispatch table and the switch that turns tracing on; private to syscall/. */
#ifndef SYSCALL_DISPATCH_H
#define SYSCALL_DISPATCH_H

#include <kernel/process.h>
#include <syscall/syscall_names.h>

typedef int64_t (*syscall_fn)(struct regs *regs);

/* Generated; calls without a handler have one that answers -ENOSYS. */
extern const syscall_fn syscall_handlers[HERMIT_SYSCALL_COUNT];

enum syscall_tracing_bits {
    SYSCALL_TRACE_STRACE = 1,
    SYSCALL_TRACE_STATS = 2,
    SYSCALL_TRACE_FILTERS = 4, /* seccomp(2) */
};

/* Non-zero: every call takes the slow path. */
extern uint32_t syscall_tracing;

#endif
