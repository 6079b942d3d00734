/* SPDX-License-Identifier: MIT */
/* Signal calls: actions, masks, waiting, sending. signal(7). */
#include <kernel/clock.h>
#include <kernel/rewrite.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>
#include <syscall/protos.h>
#include <syscall/user.h>
#include <syscall/user_time.h>

#define KNOWN_SA_FLAGS                                                                             \
    ((uint64_t)(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART |               \
                SA_EXPOSE_TAGBITS | SA_RESTORER) |                                                 \
     (uint32_t)SA_NODEFER | (uint32_t)SA_RESETHAND)
#define UNBLOCKABLE (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))

static bool is_signal(int sig) { return sig >= 1 && sig <= NSIGNALS; }

/* rt_sigaction(2) */
int64_t sys_rt_sigaction(int sig, gva_t new_action, gva_t old_action, uint64_t setsize) {
    struct k_sigaction action;
    if (setsize != sizeof(uint64_t)) return -EINVAL;
    if (new_action && get_user(action, new_action) < 0) return -EFAULT;
    if (!is_signal(sig) || (new_action && (SIG_BIT(sig) & UNBLOCKABLE))) return -EINVAL;

    struct k_sigaction *slot = &current_process()->actions[sig - 1];
    struct k_sigaction old = *slot;
    if (new_action) {
        /* Unknown flags read back as 0: that is how a program probes for them (SA_UNSUPPORTED). */
        action.flags &= KNOWN_SA_FLAGS;
        action.mask &= ~UNBLOCKABLE;
        *slot = action;
        if (action.handler == (uint64_t)SIG_IGN ||
            (action.handler == (uint64_t)SIG_DFL && signal_default_ignored(sig)))
            signal_discard(SIG_BIT(sig));
    }
    return old_action ? put_user(old, old_action) : 0;
}

/* rt_sigprocmask(2) */
int64_t sys_rt_sigprocmask(int how, gva_t set, gva_t old_set, uint64_t setsize) {
    uint64_t old = current_thread()->sigmask, arg;
    if (setsize != sizeof(uint64_t)) return -EINVAL;
    if (set) {
        if (get_user(arg, set) < 0) return -EFAULT;
        switch (how) {
        case SIG_BLOCK:
            signal_set_mask(old | arg);
            break;
        case SIG_UNBLOCK:
            signal_set_mask(old & ~arg);
            break;
        case SIG_SETMASK:
            signal_set_mask(arg);
            break;
        default:
            return -EINVAL;
        }
    }
    return old_set ? put_user(old, old_set) : 0;
}

/* rt_sigreturn(2) */
int64_t sys_rt_sigreturn(struct regs *regs) {
    int64_t r = signal_return(regs);
    regs->rip = rewrite_resume_pc(current_mm(), regs->rip);
    return r;
}

/* rt_sigpending(2): a short size gets the low bytes, as in Linux. */
int64_t sys_rt_sigpending(gva_t set, uint64_t setsize) {
    uint64_t pending = signal_pending_set() & current_thread()->sigmask;
    if (setsize > sizeof(pending)) return -EINVAL;
    return copy_to_user(set, &pending, setsize);
}

/* rt_sigsuspend(2) */
int64_t sys_rt_sigsuspend(gva_t set, uint64_t setsize) {
    uint64_t mask;
    if (setsize != sizeof(mask)) return -EINVAL;
    if (get_user(mask, set) < 0) return -EFAULT;
    signal_set_temporary_mask(mask);
    wait_until(NULL, NULL, NULL, 0, WAIT_FOREVER);
    return -ERESTARTNOHAND;
}

/* pause(2) */
int64_t sys_pause(void) {
    wait_until(NULL, NULL, NULL, 0, WAIT_FOREVER);
    return -ERESTARTNOHAND;
}

/* rt_sigtimedwait(2) */
int64_t sys_rt_sigtimedwait(gva_t uset, gva_t uinfo, gva_t timeout, uint64_t setsize) {
    uint64_t set;
    int64_t deadline_ns = WAIT_FOREVER, timeout_ns;
    siginfo_t info;
    if (setsize != sizeof(set)) return -EINVAL;
    if (get_user(set, uset) < 0) return -EFAULT;
    if (timeout) {
        int r = user_timespec(timeout, &timeout_ns);
        if (r < 0) return r;
        deadline_ns = deadline_after(timeout_ns);
    }
    set &= ~UNBLOCKABLE;
    int sig = signal_wait(set, &info, deadline_ns);
    if (sig < 0) return sig == -ETIMEDOUT ? -EAGAIN : sig;
    if (uinfo && put_user(info, uinfo) < 0) return -EFAULT;
    return sig;
}

/* Whom a number names: every thread's stands for its process, as in Linux. */
static bool names_process(int pid) { return pid > 0 && thread_find(pid) != NULL; }

static int64_t send_process(int sig, const siginfo_t *info) {
    if (sig == 0) return 0;
    return is_signal(sig) ? signal_send(sig, info) : -EINVAL;
}

/* To process 1: it has no handlers, and is spared the default actions, SIGKILL's too. kill(2). */
int64_t send_init(int sig) {
    const struct process *self = current_process();
    if (sig != 0 && !is_signal(sig)) return -EINVAL;
    return self->euid == 0 || self->uid == 0 || process_capable(CAP_KILL) ? 0 : -EPERM;
}

/* What only the kernel and kill(2) may say, unless it is to oneself. */
static bool claims_too_much(const siginfo_t *info) {
    return info->si_code >= 0 || info->si_code == SI_TKILL;
}

/* rt_sigqueueinfo(2) */
int64_t sys_rt_sigqueueinfo(int pid, int sig, gva_t uinfo) {
    siginfo_t info;
    if (get_user(info, uinfo) < 0) return -EFAULT;
    if (claims_too_much(&info) && pid != current_thread()->tid) return -EPERM;
    if (pid == INIT_PID) return send_init(sig);
    return names_process(pid) ? send_process(sig, &info) : -ESRCH;
}

/* kill(2): with -1 Linux spares process 1 and the caller, so nobody is left. */
int64_t sys_kill(int pid, int sig) {
    if (pid == INIT_PID) return send_init(sig);
    bool own_group = pid == 0 || (pid < -1 && -(int64_t)pid == current_process()->pgid);
    return own_group || names_process(pid) ? send_process(sig, NULL) : -ESRCH;
}

static int64_t send_thread(int tid, int sig, const siginfo_t *info) {
    if (tid == INIT_PID) return send_init(sig);
    struct thread *t = thread_find(tid);
    if (t == NULL) return -ESRCH;
    if (sig == 0) return 0;
    return is_signal(sig) ? signal_send_thread(t, sig, info) : -EINVAL;
}

static bool is_thread_of(int tid, int pid) {
    const struct thread *t = thread_seen(tid);
    return t != NULL && t->process->pid == pid;
}

static siginfo_t tkill_info(void) {
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_code = SI_TKILL;
    info.si_pid = current_process()->pid;
    info.si_uid = current_process()->uid;
    return info;
}

/* tkill(2) */
int64_t sys_tkill(int tid, int sig) {
    const siginfo_t info = tkill_info();
    return tid <= 0 ? -EINVAL : send_thread(tid, sig, &info);
}

/* tgkill(2) */
int64_t sys_tgkill(int pid, int tid, int sig) {
    const siginfo_t info = tkill_info();
    if (pid <= 0 || tid <= 0) return -EINVAL;
    if (!is_thread_of(tid, pid)) return -ESRCH;
    return send_thread(tid, sig, &info);
}

/* rt_tgsigqueueinfo(2) */
int64_t sys_rt_tgsigqueueinfo(int pid, int tid, int sig, gva_t uinfo) {
    siginfo_t info;
    if (get_user(info, uinfo) < 0) return -EFAULT;
    if (pid <= 0 || tid <= 0) return -EINVAL;
    if (claims_too_much(&info) && tid != current_thread()->tid) return -EPERM;
    if (!is_thread_of(tid, pid)) return -ESRCH;
    return send_thread(tid, sig, &info);
}

/* sigaltstack(2) */
int64_t sys_sigaltstack(gva_t new_stack, gva_t old_stack) {
    struct thread *t = current_thread();
    gva_t rsp = t->regs->rsp;
    stack_t stack, old = t->altstack;
    if (new_stack) {
        if (get_user(stack, new_stack) < 0) return -EFAULT;
        int r = signal_set_altstack(t, &stack, rsp);
        if (r < 0) return r;
    }
    if (!old_stack) return 0;
    uint32_t flags = (uint32_t)old.ss_flags & SS_FLAG_BITS;
    if (old.ss_size == 0)
        flags |= SS_DISABLE;
    else if (!new_stack && signal_on_altstack(t, rsp))
        flags |= SS_ONSTACK; /* with a new one this would have been EPERM */
    old.ss_flags = (int)flags;
    return put_user(old, old_stack);
}

/* restart_syscall(2): made by the exit path only; rax of the interrupted call says which. */
int64_t sys_restart_syscall(void) {
    struct thread *t = current_thread();
    return t->restart ? t->restart(t) : -EINTR;
}
