/* SPDX-License-Identifier: MIT */
/* Resource limits. getrlimit(2). */
#include <kernel/cpu_timer.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define NR_OPEN (1024 * 1024) /* /proc/sys/fs/nr_open: what RLIMIT_NOFILE can be raised to */

static int set_limit(int resource, const struct rlimit *new) {
    struct rlimit *old = &current_process()->limits[resource];
    if (new->rlim_cur > new->rlim_max) return -EINVAL;
    if (resource == RLIMIT_NOFILE && new->rlim_max > NR_OPEN) return -EPERM;
    if (new->rlim_max > old->rlim_max && !process_capable(CAP_SYS_RESOURCE)) return -EPERM;
    *old = *new;
    if (resource == RLIMIT_CPU) cpu_limit_changed();
    return 0;
}

/* prlimit(2) */
int64_t sys_prlimit64(int pid, int resource, gva_t new_at, gva_t old_at) {
    if (resource < 0 || resource >= RLIM_NLIMITS) return -EINVAL;
    if (!pid_is_self(pid)) return no_process(pid);
    struct rlimit old = current_process()->limits[resource], new;
    if (new_at != 0) {
        if (get_user(new, new_at) != 0) return -EFAULT;
        int err = set_limit(resource, &new);
        if (err != 0) return err;
    }
    return old_at != 0 ? put_user(old, old_at) : 0;
}

/* getrlimit(2) */
int64_t sys_getrlimit(int resource, gva_t at) {
    if (resource < 0 || resource >= RLIM_NLIMITS) return -EINVAL;
    return put_user(current_process()->limits[resource], at);
}

/* setrlimit(2) */
int64_t sys_setrlimit(int resource, gva_t at) {
    struct rlimit new;
    if (resource < 0 || resource >= RLIM_NLIMITS) return -EINVAL;
    if (get_user(new, at) != 0) return -EFAULT;
    return set_limit(resource, &new);
}
