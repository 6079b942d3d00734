/* SPDX-License-Identifier: MIT */
/* prctl(2): attributes of the process and its thread.  What concerns capabilities is in
 * sys_capability.c, what concerns memory in sys_prctl_mm.c. */
#include <kernel/seccomp.h>
#include <kernel/string.h>
#include <syscall/prctl.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define TIMER_SLACK_DEFAULT_NS 50000

static int64_t set_name(gva_t at) {
    char name[sizeof(current_thread()->comm)] = {0};
    int64_t len = strncpy_from_user(name, at, sizeof(name) - 1);
    if (len == -EFAULT) return -EFAULT;
    /* A longer name is cut; the last byte of `name` is still 0. */
    memset(current_thread()->comm, 0, sizeof(name));
    strlcpy(current_thread()->comm, name, sizeof(name));
    return 0;
}

static int64_t put_int(int value, gva_t at) { return put_user(value, at); }

static int64_t set_pdeath_signal(uint64_t sig) {
    if (sig > NSIGNALS) return -EINVAL;
    current_process()->pdeath_signal = (int32_t)sig; /* the parent outlives the guest */
    return 0;
}

static int64_t set_dumpable(uint64_t value) {
    if (value > 1) return -EINVAL;
    current_process()->undumpable = value == 0;
    return 0;
}

static int64_t set_timer_slack(uint64_t ns) {
    current_process()->timer_slack_ns = (int64_t)ns <= 0 ? 0 : ns;
    return 0;
}

static int64_t set_no_new_privs(uint64_t a, uint64_t rest) {
    if (a != 1 || rest != 0) return -EINVAL;
    current_process()->no_new_privs = true;
    return 0;
}

/* The machine-check policy: kept, and never acted upon. */
static int64_t set_mce_kill(uint64_t how, uint64_t policy, uint64_t rest) {
    if (rest != 0) return -EINVAL;
    if (how == PR_MCE_KILL_CLEAR) {
        if (policy != 0) return -EINVAL;
        current_process()->mce_kill = PR_MCE_KILL_DEFAULT;
        return 0;
    }
    if (how != PR_MCE_KILL_SET || policy > PR_MCE_KILL_DEFAULT) return -EINVAL;
    current_process()->mce_kill = (uint8_t)policy;
    return 0;
}

/* Speculation is the host's affair: it cannot be controlled from here. */
static int64_t get_speculation(uint64_t which, uint64_t rest) {
    if (rest != 0) return -EINVAL;
    switch (which) {
    case PR_SPEC_STORE_BYPASS:
    case PR_SPEC_INDIRECT_BRANCH:
        return PR_SPEC_ENABLE;
    case PR_SPEC_L1D_FLUSH:
        return PR_SPEC_FORCE_DISABLE;
    default:
        return -ENODEV;
    }
}

static int64_t set_speculation(uint64_t which, uint64_t rest) {
    if (rest != 0) return -EINVAL;
    if (which == PR_SPEC_L1D_FLUSH) return -EPERM;
    return which <= PR_SPEC_INDIRECT_BRANCH ? -ENXIO : -ENODEV;
}

static int64_t io_flusher(bool set, uint64_t a, uint64_t rest) {
    struct process *self = current_process();
    if (!process_capable(CAP_SYS_RESOURCE)) return -EPERM;
    if (rest != 0 || (set ? a > 1 : a != 0)) return -EINVAL;
    if (!set) return self->io_flusher;
    self->io_flusher = a != 0;
    return 0;
}

static int64_t set_thp_disable(uint64_t a, uint64_t rest) {
    if (rest != 0) return -EINVAL;
    current_process()->thp_disabled = a != 0;
    return 0;
}

/* The time-stamp counter cannot be forbidden. */
static int64_t set_tsc(uint64_t a) { return a == PR_TSC_ENABLE ? 0 : -EINVAL; }

/* Questions; -ENOSYS: op is none of them. */
static int64_t prctl_get(int op, uint64_t a, uint64_t rest) {
    const struct process *self = current_process();
    switch (op) {
    case PR_GET_PDEATHSIG:
        return put_int(self->pdeath_signal, a);
    case PR_GET_DUMPABLE:
        return !self->undumpable;
    case PR_GET_TIMING:
        return PR_TIMING_STATISTICAL;
    case PR_GET_NAME:
        return copy_to_user(a, current_thread()->comm, sizeof(current_thread()->comm));
    case PR_GET_SECCOMP:
        return (int64_t)current_thread()->seccomp_mode;
    case PR_GET_TSC:
        return put_int(PR_TSC_ENABLE, a);
    case PR_GET_TIMERSLACK:
        return self->timer_slack_ns != 0 ? (int64_t)self->timer_slack_ns : TIMER_SLACK_DEFAULT_NS;
    case PR_MCE_KILL_GET:
        return (a | rest) != 0 ? -EINVAL : self->mce_kill;
    case PR_GET_CHILD_SUBREAPER:
        return put_int(self->subreaper, a);
    case PR_GET_NO_NEW_PRIVS:
        return (a | rest) != 0 ? -EINVAL : self->no_new_privs;
    case PR_GET_TID_ADDRESS:
        return put_user(current_thread()->clear_tid, a);
    case PR_GET_THP_DISABLE:
        return (a | rest) != 0 ? -EINVAL : self->thp_disabled;
    case PR_GET_SPECULATION_CTRL:
        return get_speculation(a, rest);
    case PR_GET_IO_FLUSHER:
        return io_flusher(false, a, rest);
    default:
        return -ENOSYS;
    }
}

/* prctl(2) */
int64_t sys_prctl(int op, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    uint64_t rest = b | c | d;
    int64_t r = prctl_get(op, a, rest);
    if (r == -ENOSYS) r = prctl_capability(op, a, b, c, d);
    if (r == -ENOSYS) r = prctl_memory(op, a, b, c, d);
    if (r != -ENOSYS) return r;
    switch (op) {
    case PR_SET_PDEATHSIG:
        return set_pdeath_signal(a);
    case PR_SET_DUMPABLE:
        return set_dumpable(a);
    case PR_SET_TIMING:
        return a == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
    case PR_SET_NAME:
        return set_name(a);
    case PR_SET_TSC:
        return set_tsc(a);
    case PR_SET_TIMERSLACK:
        return set_timer_slack(a);
    case PR_TASK_PERF_EVENTS_DISABLE:
    case PR_TASK_PERF_EVENTS_ENABLE:
        return 0; /* of the events that the process has: none */
    case PR_MCE_KILL:
        return set_mce_kill(a, b, c | d);
    case PR_SET_CHILD_SUBREAPER:
        current_process()->subreaper = a != 0;
        return 0;
    case PR_SET_NO_NEW_PRIVS:
        return set_no_new_privs(a, rest);
    case PR_SET_SECCOMP:
        if (a == SECCOMP_MODE_STRICT) return seccomp_strict();
        return a == SECCOMP_MODE_FILTER ? seccomp_install(0, b) : -EINVAL;
    case PR_SET_THP_DISABLE:
        return set_thp_disable(a, rest);
    case PR_SET_SPECULATION_CTRL:
        return set_speculation(a, c | d);
    case PR_SET_IO_FLUSHER:
        return io_flusher(true, a, rest);
    default:
        return -EINVAL;
    }
}
