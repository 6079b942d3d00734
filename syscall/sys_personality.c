/* SPDX-License-Identifier: MIT */
/* What a thread is like to the kernel's other parts: personality(2), I/O priority. */
#include <kernel/sched.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define QUERY 0xffffffffu
/* What Linux does for a 64-bit program too and nobody does here. */
#define UNSUPPORTED ((uint32_t)(MMAP_PAGE_ZERO | ADDR_COMPAT_LAYOUT))

/* personality(2): Linux refuses nothing; here other systems' programs and layouts are. */
int64_t sys_personality(uint32_t persona) {
    struct thread *t = current_thread();
    uint32_t old = t->personality, domain = persona & PER_MASK;
    if (persona == QUERY) return old;
    if ((domain != PER_LINUX && domain != PER_LINUX32) || (persona & UNSUPPORTED)) return -EINVAL;
    t->personality = persona;
    return old;
}

/* A level has three bits; those above it are hints for devices. */
static int check_ioprio(uint32_t value) {
    switch (value >> IOPRIO_CLASS_SHIFT) {
    case IOPRIO_CLASS_RT:
        return process_capable(CAP_SYS_ADMIN) || process_capable(CAP_SYS_NICE) ? 0 : -EPERM;
    case IOPRIO_CLASS_BE:
    case IOPRIO_CLASS_IDLE:
        return 0;
    case IOPRIO_CLASS_NONE:
        return (value & (IOPRIO_NR_LEVELS - 1)) == 0 ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

/* The threads that `which` and `who` name: the first one and, unless IOPRIO_WHO_PROCESS, those
 * behind it; NULL: none. */
static struct thread *ioprio_target(int which, int who) {
    const struct process *self = current_process();
    if (which == IOPRIO_WHO_PROCESS) return thread_find(who);
    bool mine =
        which == IOPRIO_WHO_PGRP ? who == 0 || who == self->pgid : (uint32_t)who == self->uid;
    return mine ? TAILQ_FIRST(&self->threads) : NULL;
}

/* ioprio_set(2): kept for ioprio_get(2); which of the guest's transfers comes first is the host's
 * to decide. */
int64_t sys_ioprio_set(int which, int who, int value) {
    int err = check_ioprio((uint32_t)value);
    if (err != 0) return err;
    if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER) return -EINVAL;
    struct thread *t = ioprio_target(which, who);
    if (t == NULL) return which == IOPRIO_WHO_PROCESS ? no_process(who) : -ESRCH;
    t->ioprio = (uint32_t)value;
    while (which != IOPRIO_WHO_PROCESS && (t = TAILQ_NEXT(t, in_process)) != NULL)
        t->ioprio = (uint32_t)value;
    return 0;
}

/* Without a priority of its own a thread has that of its nice value. */
static uint32_t effective(const struct thread *t) {
    if (t->ioprio >> IOPRIO_CLASS_SHIFT != IOPRIO_CLASS_NONE) return t->ioprio;
    uint32_t class = t->sched.policy == SCHED_IDLE ? IOPRIO_CLASS_IDLE
                     : t->sched.priority > 0       ? IOPRIO_CLASS_RT
                                                   : IOPRIO_CLASS_BE;
    return class << IOPRIO_CLASS_SHIFT | (uint32_t)(t->sched.nice + 20) / 5;
}

/* ioprio_get(2): what was set or, of several threads, the best. */
int64_t sys_ioprio_get(int which, int who) {
    if (which < IOPRIO_WHO_PROCESS || which > IOPRIO_WHO_USER) return -EINVAL;
    const struct thread *t = ioprio_target(which, who);
    if (t == NULL && which == IOPRIO_WHO_PROCESS) t = thread_seen(who);
    if (t == NULL) return -ESRCH;
    if (which == IOPRIO_WHO_PROCESS) return t->ioprio;
    uint32_t best = effective(t);
    while ((t = TAILQ_NEXT(t, in_process)) != NULL) {
        uint32_t other = effective(t);
        best = min(best, other);
    }
    return best;
}
