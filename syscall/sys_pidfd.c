/* SPDX-License-Identifier: MIT */
/* pidfd_open(2) and what is done with its descriptors; the process is always the program itself. */
#include <kernel/anon_file.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/uaccess.h>
#include <syscall/protos.h>
#include <syscall/user.h>

/* pidfd_open(2): a thread other than the leader is no process. */
int64_t sys_pidfd_open(int pid, uint32_t flags) {
    if ((flags & ~(uint32_t)O_NONBLOCK) || pid <= 0) return -EINVAL;
    if (thread_find(pid) == NULL) return -ESRCH;
    if (pid != current_process()->pid) return -EINVAL;
    return install_file(pidfd_create(flags), true);
}

/* What the file of pidfd allows: 0 or -EBADF. */
static int check_pidfd(int pidfd, bool (*good)(const struct file *f)) {
    struct file *f = fd_get_io(pidfd);
    if (f == NULL) return -EBADF;
    int r = good(f) ? 0 : -EBADF;
    file_put(f);
    return r;
}

/* pidfd_send_signal(2): a directory /proc/PID does, too. */
int64_t sys_pidfd_send_signal(int pidfd, int sig, gva_t uinfo, uint32_t flags) {
    siginfo_t info;
    if (flags != 0) return -EINVAL;
    int r = check_pidfd(pidfd, file_names_process);
    if (r < 0) return r;
    if (uinfo != 0) {
        if (get_user(info, uinfo) < 0) return -EFAULT;
        if (info.si_signo != sig) return -EINVAL;
        /* Only to oneself may one say what the kernel and kill(2) say. */
        bool self = current_thread()->tid == current_process()->pid;
        if (!self && (info.si_code >= 0 || info.si_code == SI_TKILL)) return -EPERM;
    }
    if (sig < 0 || sig > NSIGNALS) return -EINVAL;
    return sig == 0 ? 0 : signal_send(sig, uinfo != 0 ? &info : NULL);
}

/* pidfd_getfd(2) */
int64_t sys_pidfd_getfd(int pidfd, int fd, uint32_t flags) {
    if (flags != 0) return -EINVAL;
    int r = check_pidfd(pidfd, file_is_pidfd);
    if (r < 0) return r;
    struct file *f = fd_get(fd);
    return f == NULL ? -EBADF : fd_install_or_put(f, 0, true);
}
