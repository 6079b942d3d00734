/* SPDX-License-Identifier: MIT */
/* pidfd_open(2) and what is done with its descriptors. */
#include <kernel/anon_file.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/uaccess.h>
#include <syscall/protos.h>
#include <syscall/user.h>

/* pidfd_open(2): a thread other than the leader is no process. */
int64_t sys_pidfd_open(int pid, uint32_t flags) {
    if ((flags & ~(uint32_t)O_NONBLOCK) || pid <= 0) return -EINVAL;
    const struct thread *t = thread_seen(pid);
    if (t == NULL) return -ESRCH;
    if (pid != t->process->pid) return -EINVAL;
    return install_file(pidfd_create(pid, flags), true);
}

/* The process that a descriptor stands for, or -EBADF. */
static int process_of(int pidfd, int32_t (*of)(const struct file *f)) {
    struct file *f = fd_get_io(pidfd);
    if (f == NULL) return -EBADF;
    int pid = of(f);
    file_put(f);
    return pid != 0 ? pid : -EBADF;
}

/* pidfd_send_signal(2): a directory /proc/PID does, too. */
int64_t sys_pidfd_send_signal(int pidfd, int sig, gva_t uinfo, uint32_t flags) {
    siginfo_t info;
    if (flags != 0) return -EINVAL;
    int pid = process_of(pidfd, file_process);
    if (pid < 0) return pid;
    if (uinfo != 0) {
        if (get_user(info, uinfo) < 0) return -EFAULT;
        if (info.si_signo != sig) return -EINVAL;
        /* Only to oneself may one say what the kernel and kill(2) say. */
        bool self = current_thread()->tid == pid;
        if (!self && (info.si_code >= 0 || info.si_code == SI_TKILL)) return -EPERM;
    }
    if (pid == INIT_PID) return send_init(sig);
    if (sig < 0 || sig > NSIGNALS) return -EINVAL;
    return sig == 0 ? 0 : signal_send(sig, uinfo != 0 ? &info : NULL);
}

/* pidfd_getfd(2) */
int64_t sys_pidfd_getfd(int pidfd, int fd, uint32_t flags) {
    if (flags != 0) return -EINVAL;
    int pid = process_of(pidfd, pidfd_process);
    if (pid < 0) return pid;
    if (pid == INIT_PID) return -EPERM;
    struct file *f = fd_get(fd);
    return f == NULL ? -EBADF : fd_install_or_put(f, 0, true);
}
