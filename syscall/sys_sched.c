/* SPDX-License-Identifier: MIT */
/* Scheduling: SCHED_OTHER. sched(7). */
#include <kernel/sched.h>
#include <kernel/smp.h>
#include <kernel/string.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define MASK_BYTES sizeof(uint64_t) /* of all CPUs there can be */
#define SLICE_NS 4000000            /* what Linux answers for a lone SCHED_OTHER thread */
#define NICE_MIN (-20)
#define NICE_MAX 19
#define RT_PRIORITY_MAX 99

/* CPUs that were not started yet count: they are when somebody is to run there. */
static uint64_t possible_mask(void) {
    uint32_t cpus = cpu_count();
    return cpus >= 64 ? UINT64_MAX : (1ULL << cpus) - 1;
}

static bool tid_known(int tid) { return thread_find(tid) != NULL; }

/* sched_yield(2) */
int64_t sys_sched_yield(void) {
    sched_yield();
    return 0;
}

/* sched_getaffinity(2): returns the size of the mask in bytes. */
int64_t sys_sched_getaffinity(int pid, uint64_t len, gva_t mask_at) {
    if (len < MASK_BYTES || len % sizeof(uint64_t) != 0) return -EINVAL;
    if (pid < 0 || !tid_known(pid)) return -ESRCH;
    uint64_t chosen = thread_find(pid)->affinity;
    uint64_t mask = chosen != 0 ? chosen : possible_mask();
    int err = put_user(mask, mask_at);
    return err != 0 ? err : (int64_t)MASK_BYTES;
}

/* sched_setaffinity(2) */
int64_t sys_sched_setaffinity(int pid, uint64_t len, gva_t mask_at) {
    uint64_t mask = 0;
    if (copy_from_user(&mask, mask_at, min(len, (uint64_t)MASK_BYTES)) != 0) return -EFAULT;
    if (pid < 0 || !tid_known(pid)) return -ESRCH;
    mask &= possible_mask();
    return mask != 0 ? sched_set_affinity(thread_find(pid), mask) : -EINVAL;
}

/* sched_getscheduler(2) */
int64_t sys_sched_getscheduler(int pid) {
    if (pid < 0) return -EINVAL;
    return tid_known(pid) ? SCHED_NORMAL : -ESRCH;
}

/* sched_getparam(2) */
int64_t sys_sched_getparam(int pid, gva_t param_at) {
    if (pid < 0 || param_at == 0) return -EINVAL;
    if (!tid_known(pid)) return -ESRCH;
    int priority = 0;
    return put_user(priority, param_at);
}

static bool policy_realtime(int policy) { return policy == SCHED_FIFO || policy == SCHED_RR; }

/* sched_setscheduler(2): policies other than SCHED_OTHER are never permitted. */
int64_t sys_sched_setscheduler(int pid, int policy, gva_t param_at) {
    if (pid < 0 || param_at == 0) return -EINVAL;
    int priority;
    if (get_user(priority, param_at) != 0) return -EFAULT;
    if (!tid_known(pid)) return -ESRCH;
    policy &= ~SCHED_RESET_ON_FORK;
    bool realtime = policy_realtime(policy);
    if (!realtime && policy != SCHED_NORMAL && policy != SCHED_BATCH && policy != SCHED_IDLE)
        return -EINVAL;
    if (priority < 0 || priority > RT_PRIORITY_MAX || realtime != (priority != 0)) return -EINVAL;
    return policy == SCHED_NORMAL ? 0 : -EPERM;
}

/* sched_setparam(2) */
int64_t sys_sched_setparam(int pid, gva_t param_at) {
    return sys_sched_setscheduler(pid, SCHED_NORMAL, param_at);
}

static int64_t priority_limit(int policy, int realtime) {
    switch (policy) {
    case SCHED_FIFO:
    case SCHED_RR:
        return realtime;
    case SCHED_NORMAL:
    case SCHED_BATCH:
    case SCHED_IDLE:
    case SCHED_DEADLINE:
        return 0;
    default:
        return -EINVAL;
    }
}

/* sched_get_priority_max(2) */
int64_t sys_sched_get_priority_max(int policy) { return priority_limit(policy, RT_PRIORITY_MAX); }

/* sched_get_priority_min(2) */
int64_t sys_sched_get_priority_min(int policy) { return priority_limit(policy, 1); }

/* sched_rr_get_interval(2) */
int64_t sys_sched_rr_get_interval(int pid, gva_t at) {
    if (pid < 0) return -EINVAL;
    if (!tid_known(pid)) return -ESRCH;
    struct timespec slice = {.tv_nsec = SLICE_NS};
    return put_user(slice, at);
}

/* True if `who` names this process in the way that `which` says. */
static bool priority_target(int which, int who) {
    struct process *self = current_process();
    switch (which) {
    case PRIO_PROCESS:
        return tid_known(who);
    case PRIO_PGRP:
        return who == 0 || who == self->pgid;
    default:
        return who == 0 || (uint32_t)who == self->uid;
    }
}

/* getpriority(2): the system call answers 20 - nice. */
int64_t sys_getpriority(int which, int who) {
    if (which < PRIO_PROCESS || which > PRIO_USER) return -EINVAL;
    return priority_target(which, who) ? 20 - current_process()->nice : -ESRCH;
}

/* setpriority(2) */
int64_t sys_setpriority(int which, int who, int nice) {
    struct process *self = current_process();
    if (which < PRIO_PROCESS || which > PRIO_USER) return -EINVAL;
    if (!priority_target(which, who)) return -ESRCH;
    nice = max(NICE_MIN, min(nice, NICE_MAX));
    uint64_t rlimit = self->limits[RLIMIT_NICE].rlim_cur;
    if (nice < self->nice && (uint64_t)(20 - nice) > rlimit && !process_capable(CAP_SYS_NICE))
        return -EACCES;
    self->nice = nice;
    return 0;
}
