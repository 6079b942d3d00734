/* SPDX-License-Identifier: MIT */
/* The process itself: its numbers, its end, its threads' registers, waiting for children. */
#include <kernel/sched.h>
#include <syscall/protos.h>
#include <syscall/user.h>

/* exit(2): the thread only. */
int64_t sys_exit(int status) { thread_exit(status & 0xff); }

/* exit_group(2) */
int64_t sys_exit_group(int status) { process_exit(status & 0xff); }

/* getpid(2) */
int64_t sys_getpid(void) { return current_process()->pid; }

/* gettid(2) */
int64_t sys_gettid(void) { return current_thread()->tid; }

/* getppid(2) */
int64_t sys_getppid(void) { return INIT_PID; }

/* Whose numbers may be asked for: the program's and process 1's. */
static const struct process *process_seen(int pid) {
    if (pid_is_self(pid)) return current_process();
    return pid == INIT_PID ? thread_seen(pid)->process : NULL;
}

/* getpgid(2) */
int64_t sys_getpgid(int pid) {
    const struct process *p = process_seen(pid);
    return p != NULL ? p->pgid : -ESRCH;
}

/* getpgrp(2) */
int64_t sys_getpgrp(void) { return current_process()->pgid; }

/* setpgid(2) */
int64_t sys_setpgid(int pid, int pgid) {
    struct process *self = current_process();
    if (pgid < 0) return -EINVAL;
    if (!pid_is_self(pid)) return -ESRCH;
    if (self->sid == self->pid) return -EPERM; /* a session leader */
    if (pgid != 0 && pgid != self->pid && pgid != self->pgid) return -EPERM;
    self->pgid = pgid != 0 ? pgid : self->pid;
    leaf_changed();
    return 0;
}

/* getsid(2) */
int64_t sys_getsid(int pid) {
    const struct process *p = process_seen(pid);
    return p != NULL ? p->sid : -ESRCH;
}

/* setsid(2) */
int64_t sys_setsid(void) {
    struct process *self = current_process();
    if (self->pgid == self->pid) return -EPERM;
    self->sid = self->pgid = self->pid;
    leaf_changed();
    return self->sid;
}

/* wait4(2): there is no call that makes children. */
int64_t sys_wait4(int pid, gva_t status, uint32_t options, gva_t usage) {
    const uint32_t known = WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL;
    if (options & ~known) return -EINVAL;
    return pid == INT32_MIN ? -ESRCH : -ECHILD;
}

/* waitid(2): as wait4. */
int64_t sys_waitid(int type, int id, gva_t info, uint32_t options, gva_t usage) {
    const uint32_t states = WEXITED | WSTOPPED | WCONTINUED;
    const uint32_t known = WNOHANG | WNOWAIT | states | __WNOTHREAD | __WCLONE | __WALL;
    if (options & ~known || (options & states) == 0) return -EINVAL;
    switch (type) {
    case P_ALL:
        return -ECHILD;
    case P_PID:
        return id <= 0 ? -EINVAL : -ECHILD;
    case P_PGID:
        return id < 0 ? -EINVAL : -ECHILD;
    case P_PIDFD:
        return id < 0 ? -EINVAL : -EBADF;
    default:
        return -EINVAL;
    }
}

/* arch_prctl(2): %gs leads to the kernel's own data, so a program cannot have it. */
int64_t sys_arch_prctl(int op, uint64_t arg) {
    uint64_t base;
    switch (op) {
    case ARCH_SET_FS:
        if (arg >= HERMIT_USER_TOP) return -EPERM;
        current_thread()->fs_base = arg;
        __asm__ volatile("wrfsbase %0" : : "r"(arg) : "memory");
        return 0;
    case ARCH_GET_FS:
        /* The program may have used wrfsbase itself. */
        __asm__ volatile("rdfsbase %0" : "=r"(base));
        return put_user(base, arg);
    default:
        return -EINVAL;
    }
}

/* set_tid_address(2) */
int64_t sys_set_tid_address(gva_t at) {
    current_thread()->clear_tid = at;
    return current_thread()->tid;
}

#define ROBUST_LIST_BYTES 24 /* sizeof(struct robust_list_head) */

/* set_robust_list(2) */
int64_t sys_set_robust_list(gva_t head, uint64_t len) {
    if (len != ROBUST_LIST_BYTES) return -EINVAL;
    current_thread()->robust_list = head;
    return 0;
}

/* get_robust_list(2) */
int64_t sys_get_robust_list(int pid, gva_t head_at, gva_t len_at) {
    uint64_t len = ROBUST_LIST_BYTES;
    const struct thread *t = thread_find(pid);
    if (t == NULL) return no_process(pid);
    int err = put_user(len, len_at);
    return err != 0 ? err : put_user(t->robust_list, head_at);
}
