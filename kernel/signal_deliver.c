/* SPDX-License-Identifier: MIT */
/* The exit path: default actions, handlers, restarting of interrupted calls.  Owns nothing. */
#include <kernel/rewrite.h>
#include <kernel/rseq.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/syscall.h>
#include <kernel/wait.h>

#include "signal_internal.h"

#define SYSCALL_INSN_LEN 2
#define STOP_DEFAULT (SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | SIG_BIT(SIGTTOU))

void signal_wait_while_stopped(void) {
    const struct thread *t = current_thread();
    /* Nothing but SIGCONT and SIGKILL ends a stop; all other signals wait. */
    while (t->process->stopped && !t->killed && !(signal_pending_set() & SIG_BIT(SIGKILL)))
        wait_sleep();
}

static void stop_process(struct thread *t) {
    struct thread *other;
    t->process->stopped = true;
    TAILQ_FOREACH(other, &t->process->threads, in_process) { sched_interrupt(other); }
    signal_wait_while_stopped();
}

static bool has_any(void *set) { return (signal_pending_set() & *(uint64_t *)set) != 0; }

int signal_wait(uint64_t set, siginfo_t *info, int64_t deadline_ns) {
    struct thread *t = current_thread();
    t->sigwait = set;
    int r = wait_until_woken(has_any, &set, deadline_ns);
    t->sigwait = 0;
    return r != 0 ? r : signal_take(set, info);
}

static void default_action(struct regs *regs, int sig, const siginfo_t *info) {
    if (signal_default_ignored(sig)) return;
    if (STOP_DEFAULT & SIG_BIT(sig)) return stop_process(current_thread());
    if ((SYNCHRONOUS_SIGNALS & SIG_BIT(sig)) && info->si_code > 0) {
        regs->rip = rewrite_original_pc(current_mm(), regs->rip);
        crash_report(regs, sig, info);
    }
    syscall_trace_killed(sig);
    process_die(sig);
}

static void rewind_call(struct regs *regs, uint64_t nr) {
    regs->rax = nr;
    regs->rip -= SYSCALL_INSN_LEN;
    percpu()->full_restore = 1;
}

/* A handler is about to run: is the interrupted call made again after it? */
static void restart_after_handler(struct regs *regs, const struct k_sigaction *action) {
    switch ((int64_t)regs->rax) {
    case -ERESTART_RESTARTBLOCK:
    case -ERESTARTNOHAND:
        regs->rax = (uint64_t)-EINTR;
        break;
    case -ERESTARTSYS:
        if (action->flags & SA_RESTART)
            rewind_call(regs, regs->orig_rax);
        else
            regs->rax = (uint64_t)-EINTR;
        break;
    case -ERESTARTNOINTR:
        rewind_call(regs, regs->orig_rax);
        break;
    default:
        break;
    }
}

static void restart_without_handler(struct regs *regs) {
    switch ((int64_t)regs->rax) {
    case -ERESTARTNOHAND:
    case -ERESTARTSYS:
    case -ERESTARTNOINTR:
        rewind_call(regs, regs->orig_rax);
        break;
    case -ERESTART_RESTARTBLOCK:
        rewind_call(regs, __NR_restart_syscall);
        break;
    default:
        break;
    }
}

static void run_handler(struct regs *regs, int sig, const siginfo_t *info) {
    struct thread *t = current_thread();
    struct k_sigaction *slot = &t->process->actions[sig - 1];
    struct k_sigaction action = *slot;
    if (action.flags & SA_RESETHAND) slot->handler = (uint64_t)SIG_DFL;
    if (regs->orig_rax != ~0ULL) restart_after_handler(regs, &action);
    regs->rip = rewrite_original_pc(current_mm(), regs->rip); /* what the program knows */
    if (rseq_before_signal(regs) < 0 || signal_push_frame(regs, sig, &action, info) < 0) {
        /* No stack to tell the program on: a handler for SIGSEGV would fare no better. */
        if (sig == SIGSEGV) slot->handler = (uint64_t)SIG_DFL;
        signal_force(SIGSEGV, SI_KERNEL, 0);
        return;
    }
    uint64_t mask = t->sigmask | action.mask;
    if (!(action.flags & SA_NODEFER)) mask |= SIG_BIT(sig);
    t->restore_sigmask = false; /* the frame holds the program's own mask */
    signal_set_mask(mask);
}

void signal_deliver(struct regs *regs) {
    struct thread *t = current_thread();
    siginfo_t info;
    int sig;
    while (!t->killed && (sig = signal_take(~t->sigmask, &info)) != 0) {
        uint64_t handler = t->process->actions[sig - 1].handler;
        if (handler == (uint64_t)SIG_IGN) continue;
        syscall_trace_signal(sig, &info);
        if (handler == (uint64_t)SIG_DFL)
            default_action(regs, sig, &info);
        else
            run_handler(regs, sig, &info);
    }
    if (regs->orig_rax != ~0ULL) restart_without_handler(regs);
    signal_restore_mask();
}
