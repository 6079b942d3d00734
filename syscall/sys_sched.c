/* SPDX-License-Identifier: MIT */
/* Where and in front of whom threads run: affinity, yielding, nice values. sched(7). */
#include <kernel/sched.h>
#include <kernel/smp.h>
#include <kernel/string.h>
#include <syscall/nice.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define MASK_BYTES sizeof(uint64_t) /* of all CPUs there can be */
#define NICE_MIN (-20)
#define NICE_MAX 19
#define RT_PRIORITY_MAX 99

/* sched_yield(2) */
int64_t sys_sched_yield(void) {
    sched_yield();
    return 0;
}

/* sched_getaffinity(2): returns the size of the mask in bytes. */
int64_t sys_sched_getaffinity(int pid, uint64_t len, gva_t mask_at) {
    if (len < MASK_BYTES || len % sizeof(uint64_t) != 0) return -EINVAL;
    const struct thread *t = thread_seen(pid);
    if (t == NULL) return -ESRCH;
    uint64_t mask = sched_affinity(t);
    int err = put_user(mask, mask_at);
    return err != 0 ? err : (int64_t)MASK_BYTES;
}

/* sched_setaffinity(2): a CPU that was not started yet is when somebody is to run there. */
int64_t sys_sched_setaffinity(int pid, uint64_t len, gva_t mask_at) {
    uint64_t mask = 0;
    if (copy_from_user(&mask, mask_at, min(len, (uint64_t)MASK_BYTES)) != 0) return -EFAULT;
    struct thread *t = thread_find(pid);
    if (t == NULL) return no_process(pid);
    mask &= cpu_possible_mask();
    return mask != 0 ? sched_set_affinity(t, mask) : -EINVAL;
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

/* setpriority(2) for one thread. */
static int set_nice(struct thread *t, int nice) {
    struct sched_policy policy = t->sched;
    if (nice < policy.nice && !sched_may_nice(nice)) return -EACCES;
    policy.nice = nice;
    sched_set_policy(t, &policy);
    return 0;
}

/* The threads that `which` and `who` name: *first and, with *all, those behind it; NULL: none. */
static struct thread *priority_target(int which, int who, bool *all) {
    const struct process *self = current_process();
    *all = which != PRIO_PROCESS;
    if (which == PRIO_PROCESS) return who < 0 ? NULL : thread_find(who);
    bool mine = which == PRIO_PGRP ? who == self->pgid : (uint32_t)who == self->uid;
    return who == 0 || mine ? TAILQ_FIRST(&self->threads) : NULL;
}

/* getpriority(2): the system call answers 20 - nice, of the most favoured thread. */
int64_t sys_getpriority(int which, int who) {
    bool all;
    if (which < PRIO_PROCESS || which > PRIO_USER) return -EINVAL;
    const struct thread *t = priority_target(which, who, &all);
    if (t == NULL && which == PRIO_PROCESS) t = thread_seen(who);
    if (t == NULL) return -ESRCH;
    int64_t best = 20 - t->sched.nice;
    while (all && (t = TAILQ_NEXT(t, in_process)) != NULL)
        best = max(best, 20 - t->sched.nice);
    return best;
}

/* setpriority(2) */
int64_t sys_setpriority(int which, int who, int nice) {
    bool all;
    if (which < PRIO_PROCESS || which > PRIO_USER) return -EINVAL;
    struct thread *t = priority_target(which, who, &all);
    if (t == NULL) return which == PRIO_PROCESS ? no_process(who) : -ESRCH;
    nice = max(NICE_MIN, min(nice, NICE_MAX));
    int r = set_nice(t, nice);
    while (all && (t = TAILQ_NEXT(t, in_process)) != NULL)
        if (set_nice(t, nice) != 0) r = -EACCES;
    return r;
}
