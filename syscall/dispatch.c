/* SPDX-License-Identifier: MIT */
/* The way from a system call's number to its handler. */
#include <kernel/arch.h>
#include <kernel/seccomp.h>
#include <kernel/smp.h>
#include <kernel/stats.h>
#include <kernel/syscall.h>
#include <syscall/dispatch.h>
#include <syscall/strace.h>

uint32_t syscall_tracing;

_Static_assert(HERMIT_SYSCALL_COUNT <= HERMIT_STATS_CALLS, "every call has a counter");

static int64_t call_handler(uint32_t nr, struct regs *regs) {
    return likely(nr < HERMIT_SYSCALL_COUNT) ? syscall_handlers[nr](regs) : -ENOSYS;
}

/* Kept out of line so that the fast path saves no registers for it. */
static __attribute__((noinline)) void dispatch_traced(struct regs *regs) {
    uint32_t nr = (uint32_t)regs->orig_rax;
    uint32_t tracing = syscall_tracing;
    struct strace_call *trace = NULL;
    const struct thread *t = current_thread();
    int32_t tid = t->process->thread_count > 1 ? t->tid : 0;
    if (tracing & SYSCALL_TRACE_STRACE) trace = strace_enter(nr, regs, tid);
    /* Counted first: exit does not come back. */
    if (tracing & SYSCALL_TRACE_STATS && nr < HERMIT_STATS_CALLS) hermit_stats.calls[nr]++;
    uint64_t start = arch_tsc();
    int64_t result;
    if (!(tracing & SYSCALL_TRACE_FILTERS) || seccomp_admit(regs))
        result = call_handler(nr, regs);
    else
        result = (int64_t)regs->rax;
    if (tracing & SYSCALL_TRACE_STATS && nr < HERMIT_STATS_CALLS)
        hermit_stats.call_cycles[nr] += arch_tsc() - start;
    regs->rax = (uint64_t)result;
    if (trace != NULL) strace_leave(trace, result);
}

void syscall_dispatch(struct regs *regs) {
    kernel_enter();
    if (unlikely(syscall_tracing != 0))
        dispatch_traced(regs);
    else /* Linux looks at the low half of rax only. */
        regs->rax = (uint64_t)call_handler((uint32_t)regs->orig_rax, regs);
    kernel_leave();
}

void syscall_watch_filters(void) { syscall_tracing |= SYSCALL_TRACE_FILTERS; }

void syscall_trace_init(const struct hermit_boot *boot) {
    if (boot->flags & HERMIT_BOOT_STATS) syscall_tracing |= SYSCALL_TRACE_STATS;
    if (boot->flags & HERMIT_BOOT_STRACE) {
        strace_init(boot);
        syscall_tracing |= SYSCALL_TRACE_STRACE;
    }
}
