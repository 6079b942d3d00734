/* SPDX-License-Identifier: MIT */
/* Filters of system calls.  Owns the filters. seccomp(2). */
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/sched.h>
#include <kernel/seccomp.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/syscall.h>
#include <kernel/uaccess.h>

#include "bpf.h"

#define PATH_MAX_INSNS 32768 /* of all filters of a thread together */
#define FILTER_PENALTY 4     /* what a filter counts beyond its instructions */
#define MAX_ERRNO 4095
#define KNOWN_FLAGS                                                                                \
    ((uint32_t)(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |                              \
                SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC_ESRCH))

struct seccomp_filter {
    struct seccomp_filter *older;
    uint32_t refs;
    uint32_t count;
    bool log;
    struct sock_filter code[];
};

bool seccomp_action_known(uint32_t action) {
    switch (action) {
    case SECCOMP_RET_KILL_PROCESS:
    case SECCOMP_RET_KILL_THREAD:
    case SECCOMP_RET_TRAP:
    case SECCOMP_RET_ERRNO:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_ALLOW:
        return true;
    default:
        return false;
    }
}

uint32_t seccomp_depth(const struct thread *t) {
    uint32_t n = 0;
    for (const struct seccomp_filter *f = t->seccomp; f != NULL; f = f->older)
        n++;
    return n;
}

static struct seccomp_filter *filter_ref(struct seccomp_filter *f) {
    if (f != NULL) f->refs++;
    return f;
}

static void filter_put(struct seccomp_filter *f) {
    while (f != NULL && --f->refs == 0) {
        struct seccomp_filter *older = f->older;
        kfree(f);
        f = older;
    }
}

void seccomp_inherit(struct thread *t, const struct thread *from) {
    t->seccomp_mode = from->seccomp_mode;
    t->seccomp = filter_ref(from->seccomp);
}

void seccomp_thread_exit(struct thread *t) {
    filter_put(t->seccomp);
    t->seccomp = NULL;
}

static int load(gva_t at, struct seccomp_filter **out) {
    struct sock_fprog program;
    if (get_user(program, at) != 0) return -EFAULT;
    if (program.len == 0 || program.len > BPF_MAXINSNS) return -EINVAL;
    if (!current_process()->no_new_privs && !process_capable(CAP_SYS_ADMIN)) return -EACCES;
    uint64_t bytes = program.len * sizeof(struct sock_filter);
    struct seccomp_filter *f = kzalloc(sizeof(*f) + bytes);
    if (f == NULL) return -ENOMEM;
    int r = copy_from_user(f->code, (gva_t)program.filter, bytes);
    if (r == 0 && !bpf_valid(f->code, program.len, sizeof(struct seccomp_data))) r = -EINVAL;
    if (r != 0) {
        kfree(f);
        return r;
    }
    f->count = program.len;
    f->refs = 1;
    *out = f;
    return 0;
}

static bool is_newer(const struct seccomp_filter *f, const struct seccomp_filter *than) {
    while (f != NULL && f != than)
        f = f->older;
    return f == than;
}

/* A thread whose filters are not among the current thread's, or NULL. */
static const struct thread *stranger(void) {
    const struct thread *self = current_thread(), *t;
    TAILQ_FOREACH(t, &self->process->threads, in_process) {
        if (t == self || t->state == THREAD_ZOMBIE) continue;
        if (t->seccomp_mode == SECCOMP_MODE_DISABLED) continue;
        if (t->seccomp_mode == SECCOMP_MODE_STRICT || !is_newer(self->seccomp, t->seccomp))
            return t;
    }
    return NULL;
}

static void give_to_all(void) {
    struct thread *self = current_thread(), *t;
    TAILQ_FOREACH(t, &self->process->threads, in_process) {
        if (t == self || t->state == THREAD_ZOMBIE) continue;
        filter_put(t->seccomp);
        seccomp_inherit(t, self);
    }
}

static int64_t attach(struct seccomp_filter *f, uint32_t flags) {
    struct thread *self = current_thread();
    uint64_t total = f->count;
    if (self->seccomp_mode == SECCOMP_MODE_STRICT) return -EINVAL;
    for (const struct seccomp_filter *older = self->seccomp; older != NULL; older = older->older)
        total += older->count + FILTER_PENALTY;
    if (total > PATH_MAX_INSNS) return -ENOMEM;
    const struct thread *other = flags & SECCOMP_FILTER_FLAG_TSYNC ? stranger() : NULL;
    if (other != NULL) return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : other->tid;
    f->log = (flags & SECCOMP_FILTER_FLAG_LOG) != 0;
    f->older = self->seccomp;
    self->seccomp = f;
    self->seccomp_mode = SECCOMP_MODE_FILTER;
    if (flags & SECCOMP_FILTER_FLAG_TSYNC) give_to_all();
    syscall_watch_filters();
    return 0;
}

int64_t seccomp_install(uint32_t flags, gva_t program) {
    struct seccomp_filter *f;
    if (flags & ~KNOWN_FLAGS) return -EINVAL;
    int64_t r = load(program, &f);
    if (r != 0) return r;
    r = attach(f, flags);
    if (r != 0) kfree(f);
    return r;
}

int seccomp_strict(void) {
    struct thread *t = current_thread();
    if (t->seccomp_mode == SECCOMP_MODE_FILTER) return -EINVAL;
    t->seccomp_mode = SECCOMP_MODE_STRICT;
    syscall_watch_filters();
    return 0;
}

/* The most restrictive answer of all filters; of equal ones the newest filter's. */
static uint32_t ask(const struct thread *t, const struct seccomp_data *data, bool *log) {
    uint32_t answer = SECCOMP_RET_ALLOW;
    for (const struct seccomp_filter *f = t->seccomp; f != NULL; f = f->older) {
        uint32_t next = bpf_run(f->code, data, sizeof(*data));
        if ((int32_t)(next & SECCOMP_RET_ACTION_FULL) <
            (int32_t)(answer & SECCOMP_RET_ACTION_FULL)) {
            answer = next;
            *log = f->log;
        }
    }
    return answer;
}

static void trap(struct regs *regs, uint32_t reason) {
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_errno = (int)reason;
    info.si_code = SYS_SECCOMP;
    info.si_call_addr = (void *)regs->rip;
    info.si_syscall = (int)regs->orig_rax;
    info.si_arch = AUDIT_ARCH_X86_64;
    regs->rax = regs->orig_rax; /* the handler may change it, or make the call */
    signal_force_info(SIGSYS, &info);
}

static _Noreturn void kill_thread(int sig) {
    if (current_process()->thread_count > 1) thread_exit(0);
    process_die(sig);
}

static bool strict_admits(const struct regs *regs) {
    switch ((uint32_t)regs->orig_rax) {
    case __NR_read:
    case __NR_write:
    case __NR_exit:
    case __NR_rt_sigreturn:
        return true;
    default:
        return false;
    }
}

static bool filters_admit(struct regs *regs) {
    const struct thread *t = current_thread();
    const struct seccomp_data data = {
        .nr = (int)regs->orig_rax,
        .arch = AUDIT_ARCH_X86_64,
        .instruction_pointer = regs->rip,
        .args = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9},
    };
    bool log = false;
    uint32_t answer = ask(t, &data, &log), detail = answer & SECCOMP_RET_DATA;
    uint32_t action = answer & SECCOMP_RET_ACTION_FULL;
    if (action == SECCOMP_RET_LOG || (log && action != SECCOMP_RET_ALLOW))
        kverbose("hermit: seccomp: thread %d, call %d: 0x%x\n", t->tid, data.nr, answer);
    switch (action) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return true;
    case SECCOMP_RET_ERRNO:
        regs->rax = -(uint64_t)min(detail, (uint32_t)MAX_ERRNO);
        return false;
    case SECCOMP_RET_TRAP:
        trap(regs, detail);
        return false;
    case SECCOMP_RET_TRACE:      /* there is no tracer */
    case SECCOMP_RET_USER_NOTIF: /* nor a listener */
        regs->rax = (uint64_t)-ENOSYS;
        return false;
    case SECCOMP_RET_KILL_THREAD:
        kill_thread(SIGSYS);
    default: /* what is unknown, too, as in Linux */
        process_die(SIGSYS);
    }
}

bool seccomp_admit(struct regs *regs) {
    switch (current_thread()->seccomp_mode) {
    case SECCOMP_MODE_DISABLED:
        return true;
    case SECCOMP_MODE_STRICT:
        if (!strict_admits(regs)) kill_thread(SIGKILL);
        return true;
    default:
        return filters_admit(regs);
    }
}
