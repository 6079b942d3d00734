/* SPDX-License-Identifier: MIT */
/* signalfd(2): signals read from a file, by whichever thread they wait for.  Owns nothing: the
 * signals stay in their queues until they are read. */
#include <hermit/linux_abi.h>
#include <kernel/anon_file.h>
#include <kernel/heap.h>
#include <kernel/signal.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>
#include <kernel/waitq.h>

#define UNBLOCKABLE (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))
#define FAULT_SIGNALS                                                                              \
    (SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) | SIG_BIT(SIGFPE))

struct signalfd {
    uint64_t set;
};

/* A thread that reads: what it may take are its own signals and the process's. */
struct reading {
    const struct signalfd *s;
    const struct thread *thread;
};

static bool has_signal(void *arg) {
    const struct reading *r = arg;
    return ((r->thread->signals.pending | r->thread->process->signals.pending) & r->s->set) != 0;
}

/* Which members of siginfo_t are valid depends on the signal and on who sent it. */
static void fill(struct signalfd_siginfo *out, const siginfo_t *info) {
    int sig = info->si_signo, code = info->si_code;
    bool of_kernel = code > SI_USER && code < SI_KERNEL;
    *out = (struct signalfd_siginfo){
        .ssi_signo = (uint32_t)sig, .ssi_errno = info->si_errno, .ssi_code = code};
    if (of_kernel && (FAULT_SIGNALS & SIG_BIT(sig))) {
        out->ssi_addr = (uint64_t)info->si_addr;
        return;
    }
    if (code == SI_SIGIO || (of_kernel && sig == SIGPOLL)) {
        out->ssi_band = (uint32_t)info->si_band;
        out->ssi_fd = info->si_fd;
        return;
    }
    if (code == SI_TIMER) {
        out->ssi_tid = (uint32_t)info->si_tid;
        out->ssi_overrun = (uint32_t)info->si_overrun;
        out->ssi_ptr = (uint64_t)info->si_ptr;
        out->ssi_int = info->si_int;
        return;
    }
    out->ssi_pid = (uint32_t)info->si_pid;
    out->ssi_uid = info->si_uid;
    if (of_kernel && sig == SIGCHLD) {
        out->ssi_status = info->si_status;
        out->ssi_utime = (uint64_t)info->si_utime;
        out->ssi_stime = (uint64_t)info->si_stime;
    } else if (code < 0) {
        out->ssi_ptr = (uint64_t)info->si_ptr;
        out->ssi_int = info->si_int;
    }
}

static int wait_for_signal(struct file *f) {
    struct reading r = {.s = f->priv, .thread = current_thread()};
    if (has_signal(&r)) return 0;
    if (f->flags & O_NONBLOCK) return -EAGAIN;
    int error = waitq_wait(&signal_waitq, has_signal, &r, WAIT_FOREVER);
    return error == -EINTR ? -ERESTARTSYS : error;
}

static int64_t signalfd_read(struct file *f, const struct uio *u, int64_t *pos) {
    const struct signalfd *s = f->priv;
    struct signalfd_siginfo out;
    siginfo_t info;
    uint64_t done = 0;
    if (u->len < sizeof(out)) return -EINVAL;
    int r = wait_for_signal(f);
    if (r != 0) return r;
    while (u->len - done >= sizeof(out) && signal_take(s->set, &info) != 0) {
        fill(&out, &info);
        r = uio_fill(u, done, &out, sizeof(out));
        if (r != 0) break;
        done += sizeof(out);
    }
    return done > 0 ? (int64_t)done : r;
}

/* As in Linux, the answer is for the thread that asks. */
static uint32_t signalfd_poll(struct file *f) {
    struct reading r = {.s = f->priv, .thread = current_thread()};
    return has_signal(&r) ? POLLIN : 0;
}

static struct waitq *signalfd_waitq(struct file *f) { return &signal_waitq; }

static void signalfd_release(struct file *f) { kfree(f->priv); }

static const struct file_ops signalfd_ops = {
    .kind = "[signalfd]",
    .read = signalfd_read,
    .seek = anon_seek,
    .getattr = anon_getattr,
    .poll = signalfd_poll,
    .waitq = signalfd_waitq,
    .release = signalfd_release,
};

struct file *signalfd_create(uint64_t set, uint32_t flags) {
    struct signalfd *s = kzalloc(sizeof(*s));
    if (s == NULL) return NULL;
    s->set = set & ~UNBLOCKABLE;
    return anon_file(&signalfd_ops, flags, s);
}

int signalfd_set(struct file *f, uint64_t set) {
    if (f->ops != &signalfd_ops) return -EINVAL;
    ((struct signalfd *)f->priv)->set = set & ~UNBLOCKABLE;
    waitq_wake(&signal_waitq, POLLIN);
    return 0;
}
