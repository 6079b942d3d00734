/* SPDX-License-Identifier: MIT */
/* prctl(2): attributes of the process and its thread. */
#include <kernel/string.h>
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

static int64_t set_flag(bool *flag, uint64_t value, uint64_t more) {
    if (value > 1 || more != 0) return -EINVAL;
    *flag = value != 0;
    return 0;
}

static int64_t put_int(int value, gva_t at) { return put_user(value, at); }

static int64_t set_timer_slack(uint64_t ns) {
    current_process()->timer_slack_ns = (int64_t)ns <= 0 ? 0 : ns;
    return 0;
}

static int64_t no_new_privs(uint64_t a, uint64_t rest) {
    if (a != 1 || rest != 0) return -EINVAL;
    current_process()->no_new_privs = true;
    return 0;
}

/* prctl(2) */
int64_t sys_prctl(int op, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    struct process *self = current_process();
    uint64_t rest = b | c | d;
    switch (op) {
    case PR_SET_PDEATHSIG:
        if (a > NSIGNALS) return -EINVAL;
        self->pdeath_signal = (int32_t)a; /* the parent never dies first: it runs the guest */
        return 0;
    case PR_GET_PDEATHSIG:
        return put_int(self->pdeath_signal, a);
    case PR_GET_DUMPABLE:
        return !self->undumpable;
    case PR_SET_DUMPABLE:
        if (a > 1) return -EINVAL;
        self->undumpable = a == 0;
        return 0;
    case PR_GET_KEEPCAPS:
        return self->keep_caps;
    case PR_SET_KEEPCAPS:
        return set_flag(&self->keep_caps, a, 0);
    case PR_SET_NAME:
        return set_name(a);
    case PR_GET_NAME:
        return copy_to_user(a, current_thread()->comm, sizeof(current_thread()->comm));
    case PR_GET_SECCOMP:
        return 0; /* there are no filters */
    case PR_GET_SECUREBITS:
        return 0;
    case PR_CAPBSET_READ:
        return a <= CAP_LAST_CAP ? 1 : -EINVAL;
    case PR_SET_TIMERSLACK:
        return set_timer_slack(a);
    case PR_GET_TIMERSLACK:
        return self->timer_slack_ns != 0 ? (int64_t)self->timer_slack_ns : TIMER_SLACK_DEFAULT_NS;
    case PR_SET_CHILD_SUBREAPER:
        self->subreaper = a != 0;
        return 0;
    case PR_GET_CHILD_SUBREAPER:
        return put_int(self->subreaper, a);
    case PR_SET_NO_NEW_PRIVS:
        return no_new_privs(a, rest);
    case PR_GET_NO_NEW_PRIVS:
        return (a | rest) != 0 ? -EINVAL : self->no_new_privs;
    case PR_GET_THP_DISABLE:
        return (a | rest) != 0 ? -EINVAL : 0;
    case PR_GET_TID_ADDRESS:
        return put_user(current_thread()->clear_tid, a);
    default:
        return -EINVAL;
    }
}
