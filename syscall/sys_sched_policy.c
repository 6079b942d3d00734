/* SPDX-License-Identifier: MIT */
/* Scheduling policies. sched(7). */
#include <kernel/sched.h>
#include <kernel/string.h>
#include <syscall/nice.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define RT_PRIORITY_MAX 99
#define KEEP_POLICY (-1)
#define KNOWN_FLAGS ((uint64_t)SCHED_FLAG_ALL)
#define CLAMP_FLAGS ((uint64_t)(SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX))

static bool policy_realtime(int policy) { return policy == SCHED_FIFO || policy == SCHED_RR; }

static bool policy_known(int policy) {
    return policy_realtime(policy) || policy == SCHED_NORMAL || policy == SCHED_BATCH ||
           policy == SCHED_IDLE || policy == SCHED_DEADLINE;
}

/* May the process do this to t? */
static bool permitted(const struct thread *t, const struct sched_policy *new) {
    const struct sched_policy *old = &t->sched;
    uint64_t limit = current_process()->limits[RLIMIT_RTPRIO].rlim_cur;
    if (process_capable(CAP_SYS_NICE)) return true;
    if (policy_realtime(new->policy)) {
        if (new->policy != old->policy && limit == 0) return false;
        if (new->priority > old->priority && (uint64_t) new->priority > limit) return false;
    } else if (new->nice < old->nice && !sched_may_nice(new->nice)) {
        return false;
    }
    if (old->policy == SCHED_IDLE && new->policy != SCHED_IDLE && !sched_may_nice(old->nice))
        return false;
    return new->reset_on_fork || !old->reset_on_fork;
}

/* Deadline scheduling is known, but there is no time to give away. */
static int apply(struct thread *t, const struct sched_policy *new) {
    if (!policy_known(new->policy)) return -EINVAL;
    if (new->priority < 0 || new->priority > RT_PRIORITY_MAX) return -EINVAL;
    if (policy_realtime(new->policy) != (new->priority != 0)) return -EINVAL;
    if (new->policy == SCHED_DEADLINE) return process_capable(CAP_SYS_NICE) ? -EBUSY : -EPERM;
    if (!permitted(t, new)) return -EPERM;
    sched_set_policy(t, new);
    return 0;
}

static int64_t set_scheduler(int pid, int policy, gva_t param_at) {
    int32_t priority;
    if (pid < 0 || param_at == 0) return -EINVAL;
    if (get_user(priority, param_at) != 0) return -EFAULT;
    struct thread *t = thread_find(pid);
    if (t == NULL) return no_process(pid);
    struct sched_policy new = t->sched;
    new.priority = priority;
    if (policy != KEEP_POLICY) {
        new.policy = policy & ~SCHED_RESET_ON_FORK;
        new.reset_on_fork = (policy & SCHED_RESET_ON_FORK) != 0;
    }
    return apply(t, &new);
}

/* sched_setscheduler(2) */
int64_t sys_sched_setscheduler(int pid, int policy, gva_t param_at) {
    return policy < 0 ? -EINVAL : set_scheduler(pid, policy, param_at);
}

/* sched_setparam(2) */
int64_t sys_sched_setparam(int pid, gva_t param_at) {
    return set_scheduler(pid, KEEP_POLICY, param_at);
}

/* sched_getscheduler(2) */
int64_t sys_sched_getscheduler(int pid) {
    if (pid < 0) return -EINVAL;
    const struct thread *t = thread_seen(pid);
    if (t == NULL) return -ESRCH;
    return t->sched.policy | (t->sched.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
}

/* sched_getparam(2) */
int64_t sys_sched_getparam(int pid, gva_t param_at) {
    if (pid < 0 || param_at == 0) return -EINVAL;
    const struct thread *t = thread_seen(pid);
    return t == NULL ? -ESRCH : put_user(t->sched.priority, param_at);
}

/* sched_rr_get_interval(2) */
int64_t sys_sched_rr_get_interval(int pid, gva_t at) {
    struct timespec slice = {0};
    if (pid < 0) return -EINVAL;
    const struct thread *t = thread_seen(pid);
    if (t == NULL) return -ESRCH;
    if (t->sched.policy == SCHED_RR)
        slice.tv_nsec = SCHED_RR_SLICE_MS * 1000000;
    else if (t->sched.policy != SCHED_FIFO)
        slice.tv_nsec = SCHED_SLICE_MS * 1000000;
    return put_user(slice, at);
}

/* The program's structure may be of another version, as clone3(2)'s. */
static int copy_attr(struct sched_attr *attr, gva_t at) {
    uint32_t size, ours = sizeof(*attr);
    if (get_user(size, at) != 0) return -EFAULT;
    if (size == 0) size = SCHED_ATTR_SIZE_VER0;
    if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE) goto wrong_size;
    memset(attr, 0, sizeof(*attr));
    if (copy_from_user(attr, at, min(size, ours)) != 0) return -EFAULT;
    for (uint32_t i = ours; i < size; i++) {
        uint8_t byte;
        if (get_user(byte, at + i) != 0) return -EFAULT;
        if (byte != 0) goto wrong_size;
    }
    if ((attr->sched_flags & CLAMP_FLAGS) && size < SCHED_ATTR_SIZE_VER1) return -EINVAL;
    attr->sched_nice = max(-20, min(attr->sched_nice, 19));
    return 0;
wrong_size:
    return put_user(ours, at) != 0 ? -EFAULT : -E2BIG;
}

/* sched_setattr(2): no deadlines, no utilization clamps. */
int64_t sys_sched_setattr(int pid, gva_t at, uint32_t flags) {
    struct sched_attr attr;
    if (at == 0 || pid < 0 || flags != 0) return -EINVAL;
    int r = copy_attr(&attr, at);
    if (r != 0) return r;
    if ((int32_t)attr.sched_policy < 0) return -EINVAL;
    struct thread *t = thread_find(pid);
    if (t == NULL) return no_process(pid);
    struct sched_policy new = {
        .policy = (int32_t)attr.sched_policy,
        .priority = (int32_t)attr.sched_priority,
        .nice = policy_realtime((int32_t)attr.sched_policy) ? t->sched.nice : attr.sched_nice,
        .reset_on_fork = (attr.sched_flags & SCHED_FLAG_RESET_ON_FORK) != 0,
    };
    if (attr.sched_flags & SCHED_FLAG_KEEP_POLICY) new.policy = t->sched.policy;
    if (attr.sched_flags & SCHED_FLAG_KEEP_PARAMS) {
        new.priority = t->sched.priority;
        new.nice = t->sched.nice;
    }
    if (!policy_known(new.policy) || (attr.sched_flags & ~KNOWN_FLAGS)) return -EINVAL;
    if (attr.sched_flags & CLAMP_FLAGS) return -EOPNOTSUPP;
    return apply(t, &new);
}

/* sched_getattr(2) */
int64_t sys_sched_getattr(int pid, gva_t at, uint32_t size, uint32_t flags) {
    if (at == 0 || pid < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0 || flags != 0)
        return -EINVAL;
    const struct thread *t = thread_seen(pid);
    if (t == NULL) return -ESRCH;
    const struct sched_policy *p = &t->sched;
    const struct sched_attr attr = {
        .size = min(size, (uint32_t)sizeof(attr)),
        .sched_policy = (uint32_t)p->policy,
        .sched_flags = p->reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0,
        .sched_nice = policy_realtime(p->policy) ? 0 : p->nice,
        .sched_priority = (uint32_t)p->priority,
    };
    return copy_to_user(at, &attr, attr.size);
}
