/* SPDX-License-Identifier: MIT */
/* clone(2), clone3(2): threads of the one process. */
#include <kernel/sched.h>
#include <kernel/string.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define CLONE_ARGS_MIN 64 /* bytes of the first version */
#define THREADS_MAX 32768 /* whatever RLIMIT_NPROC says */
/* What makes a thread. */
#define THREAD_FLAGS ((uint64_t)(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD))
/* What makes no difference here: System V semaphores, tracing, I/O priorities. */
#define NEUTRAL_FLAGS                                                                              \
    ((uint64_t)(CLONE_SYSVSEM | CLONE_DETACHED | CLONE_PTRACE | CLONE_UNTRACED) | CLONE_IO)
#define HANDLED_FLAGS                                                                              \
    ((uint64_t)(CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID) |  \
     CLONE_CLEAR_SIGHAND)

/* Flags and values of either call. */
struct request {
    uint64_t flags, exit_signal;
    gva_t stack; /* its upper end; 0: the caller's */
    gva_t parent_tid, child_tid, tls;
};

static int check(const struct request *q) {
    uint64_t f = q->flags;
    if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND)) return -EINVAL;
    if ((f & CLONE_SIGHAND) && !(f & CLONE_VM)) return -EINVAL;
    if ((f & CLONE_FS) && (f & CLONE_NEWNS)) return -EINVAL;
    if ((f & CLONE_SIGHAND) && (f & CLONE_CLEAR_SIGHAND)) return -EINVAL;
    if ((f & CLONE_THREAD) && (f & (CLONE_NEWUSER | CLONE_NEWPID))) return -EINVAL;
    /* Second processes, and threads that share less than everything. */
    if ((f & THREAD_FLAGS) != THREAD_FLAGS) return -ENOSYS;
    if (f & ~(THREAD_FLAGS | NEUTRAL_FLAGS | HANDLED_FLAGS)) return -ENOSYS;
    if ((f & CLONE_SETTLS) && q->tls >= HERMIT_USER_TOP) return -EPERM;
    return 0;
}

static bool too_many(const struct process *p) {
    if (p->thread_count >= THREADS_MAX) return true;
    return p->thread_count >= p->limits[RLIMIT_NPROC].rlim_cur &&
           !process_capable(CAP_SYS_RESOURCE) && p->uid != 0;
}

static int64_t make_thread(const struct request *q) {
    int r = check(q);
    if (r != 0) return r;
    struct thread *t = too_many(current_process()) ? NULL : thread_create();
    if (t == NULL) return -EAGAIN;
    int32_t tid = t->tid;
    if (q->stack != 0) t->regs->rsp = q->stack;
    if (q->flags & CLONE_SETTLS) t->fs_base = q->tls;
    if (q->flags & CLONE_CHILD_CLEARTID) t->clear_tid = q->child_tid;
    if ((q->flags & CLONE_PARENT_SETTID) && put_user(tid, q->parent_tid) != 0) {
        thread_discard(t);
        return -EFAULT;
    }
    /* Memory is shared: who writes it makes no difference, nor does a bad address, as in Linux. */
    if (q->flags & CLONE_CHILD_SETTID) (void)put_user(tid, q->child_tid);
    thread_start(t);
    return tid;
}

/* clone(2) */
int64_t sys_clone(uint64_t flags, gva_t stack, gva_t parent_tid, gva_t child_tid, uint64_t tls) {
    const struct request q = {
        .flags = (uint32_t)flags & ~(uint64_t)CSIGNAL,
        .exit_signal = flags & CSIGNAL,
        .stack = stack,
        .parent_tid = parent_tid,
        .child_tid = child_tid,
        .tls = tls,
    };
    return make_thread(&q);
}

/* The program's structure may be of another version: what is missing is zero, what is too much
 * has to be. */
static int copy_args(struct clone_args *args, gva_t at, uint64_t size) {
    if (size < CLONE_ARGS_MIN) return -EINVAL;
    if (size > PAGE_SIZE) return -E2BIG;
    memset(args, 0, sizeof(*args));
    if (copy_from_user(args, at, min(size, sizeof(*args))) != 0) return -EFAULT;
    for (uint64_t i = sizeof(*args); i < size; i++) {
        uint8_t byte;
        if (get_user(byte, at + i) != 0) return -EFAULT;
        if (byte != 0) return -E2BIG;
    }
    return 0;
}

/* clone3(2) */
int64_t sys_clone3(gva_t at, uint64_t size) {
    struct clone_args args;
    int r = copy_args(&args, at, size);
    if (r != 0) return r;
    const struct request q = {
        .flags = args.flags,
        .exit_signal = args.exit_signal,
        .stack = args.stack + args.stack_size,
        .parent_tid = args.parent_tid,
        .child_tid = args.child_tid,
        .tls = args.tls,
    };
    if (args.flags & (CSIGNAL & ~CLONE_NEWTIME)) return -EINVAL;
    if (args.flags & CLONE_DETACHED) return -EINVAL;
    if ((args.stack == 0) != (args.stack_size == 0)) return -EINVAL;
    if (q.stack > HERMIT_USER_TOP || q.stack < args.stack) return -EINVAL;
    if (args.exit_signal > NSIGNALS) return -EINVAL;
    if ((args.flags & CLONE_THREAD) && args.exit_signal != 0) return -EINVAL;
    if ((args.set_tid == 0) != (args.set_tid_size == 0)) return -EINVAL;
    if (args.set_tid_size != 0) return process_privileged() ? -ENOSYS : -EPERM;
    return make_thread(&q);
}
