/* SPDX-License-Identifier: MIT */
/* The way from a system call's number to its handler. */
#include <kernel/arch.h>
#include <kernel/leaf.h>
#include <kernel/rewrite.h>
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

static int32_t shown_tid(const struct thread *t) {
    return t->process->thread_count > 1 ? t->tid : 0;
}

/* Calls that do not come back are all that is ever seen of them. */
static void note_end(uint32_t nr, const struct regs *regs, int32_t tid) {
    if (nr == __NR_exit_group || nr == __NR_exit) strace_exited(tid, (int)regs->rdi & 0xff);
}

/* Kept out of line so that the fast path saves no registers for it. */
static __attribute__((noinline)) void dispatch_traced(struct regs *regs, bool raw) {
    uint32_t nr = (uint32_t)regs->orig_rax;
    uint32_t tracing = syscall_tracing;
    bool counted = (tracing & SYSCALL_TRACE_STATS) != 0 && nr < HERMIT_STATS_CALLS;
    struct thread *t = current_thread();
    if (tracing & SYSCALL_TRACE_STRACE) {
        t->trace = strace_enter(nr, regs, shown_tid(t));
        note_end(nr, regs, shown_tid(t));
    }
    /* Counted first: exit does not come back. */
    if (counted) hermit_stats.calls[nr]++;
    if (counted && !raw && rewrite_is_patched(current_mm(), regs->rip))
        hermit_stats.patched_calls++;
    uint64_t start = arch_tsc();
    bool admitted = !(tracing & SYSCALL_TRACE_FILTERS) || seccomp_admit(regs);
    int64_t result = admitted ? call_handler(nr, regs) : (int64_t)regs->rax;
    if (counted) hermit_stats.call_cycles[nr] += arch_tsc() - start;
    if (counted && result < 0 && result >= -4095) hermit_stats.call_errors[nr]++;
    regs->rax = (uint64_t)result;
    if (t->trace == NULL) return;
    strace_leave(t->trace, result);
    t->trace = NULL;
}

void syscall_trace_wait(struct strace_call *call) { strace_wait(call); }

void syscall_trace_signal(int sig, const siginfo_t *info) {
    if (syscall_tracing & SYSCALL_TRACE_STRACE)
        strace_signal(shown_tid(current_thread()), sig, info);
}

void syscall_trace_killed(int sig) {
    if (syscall_tracing & SYSCALL_TRACE_STRACE) strace_killed(shown_tid(current_thread()), sig);
}

void syscall_dispatch(struct regs *regs, bool raw) {
    kernel_enter();
    if (unlikely(raw)) rewrite_trapped(regs);
    if (unlikely(syscall_tracing != 0))
        dispatch_traced(regs, raw);
    else /* Linux looks at the low half of rax only. */
        regs->rax = (uint64_t)call_handler((uint32_t)regs->orig_rax, regs);
    kernel_leave();
}

void syscall_watch_filters(void) {
    syscall_tracing |= SYSCALL_TRACE_FILTERS;
    leaf_close();
}

void syscall_trace_init(const struct hermit_boot *boot) {
    if (boot->flags & HERMIT_BOOT_STATS) syscall_tracing |= SYSCALL_TRACE_STATS;
    if (boot->flags & HERMIT_BOOT_STRACE) {
        strace_init(boot);
        syscall_tracing |= SYSCALL_TRACE_STRACE;
    }
    if (syscall_tracing != 0) leaf_close();
}
