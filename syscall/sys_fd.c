/* SPDX-License-Identifier: MIT */
/* Descriptors: dup(2) and its relatives, fcntl(2), flock(2). */
#include <kernel/shmem.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define PIPE_CAPACITY 65536 /* bytes, of every pipe */
/* What F_SETFL can change. */
#define SETFL_MASK (O_APPEND | O_DIRECT | O_NOATIME | O_NONBLOCK)

static int64_t dup_from(int fd, uint64_t from, bool cloexec) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    if (from < current_process()->limits[RLIMIT_NOFILE].rlim_cur && from <= INT32_MAX)
        return fd_install(f, (int)from, cloexec);
    file_put(f);
    return -EINVAL;
}

/* dup(2) */
int64_t sys_dup(int fd) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    return fd_install(f, 0, false);
}

static int64_t dup_to(int fd, int new_fd, bool cloexec) {
    struct file *f = fd_get(fd);
    return f == NULL ? -EBADF : fd_replace(f, new_fd, cloexec);
}

/* dup2(2): of a descriptor to itself does nothing, but checks it. */
int64_t sys_dup2(int fd, int new_fd) {
    if (fd != new_fd) return dup_to(fd, new_fd, false);
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    file_put(f);
    return fd;
}

/* dup3(2) */
int64_t sys_dup3(int fd, int new_fd, uint32_t flags) {
    if (flags & ~(uint32_t)O_CLOEXEC || fd == new_fd) return -EINVAL;
    return dup_to(fd, new_fd, (flags & O_CLOEXEC) != 0);
}

static int64_t fcntl_setfl(struct file *f, uint64_t arg) {
    uint32_t flags = (uint32_t)arg;
    /* O_DIRECT and O_NOATIME cannot be switched on for an open host file. */
    if (flags & ~f->flags & (O_DIRECT | O_NOATIME)) return -EINVAL;
    f->flags = (f->flags & ~(uint32_t)SETFL_MASK) | (flags & SETFL_MASK);
    return 0;
}

/* Record locks are between processes, and there is one: only the arguments can be wrong. */
static int64_t fcntl_lock(struct file *f, int cmd, gva_t at) {
    struct flock lock;
    if (get_user(lock, at) != 0) return -EFAULT;
    if (lock.l_type != F_RDLCK && lock.l_type != F_WRLCK && lock.l_type != F_UNLCK) return -EINVAL;
    if (lock.l_whence != SEEK_SET && lock.l_whence != SEEK_CUR && lock.l_whence != SEEK_END)
        return -EINVAL;
    int64_t start = lock.l_start;
    struct hc_attr attr;
    if (lock.l_whence == SEEK_CUR) {
        if (__builtin_add_overflow(start, f->pos, &start)) return -EOVERFLOW;
    } else if (lock.l_whence == SEEK_END) {
        int err = file_getattr(f, &attr);
        if (err != 0) return err;
        if (__builtin_add_overflow(start, (int64_t)attr.size, &start)) return -EOVERFLOW;
    }
    int64_t end;
    if (start < 0 || (lock.l_len < 0 && start + lock.l_len < 0)) return -EINVAL;
    if (lock.l_len > 0 && __builtin_add_overflow(start, lock.l_len - 1, &end)) return -EOVERFLOW;
    bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
    if (ofd && lock.l_pid != 0) return -EINVAL;
    if (cmd == F_GETLK || cmd == F_OFD_GETLK) {
        if (lock.l_type == F_UNLCK) return -EINVAL;
        lock.l_type = F_UNLCK;
        return put_user(lock, at);
    }
    if (lock.l_type == F_RDLCK && !file_readable(f)) return -EBADF;
    if (lock.l_type == F_WRLCK && !file_writable(f)) return -EBADF;
    return 0;
}

static int64_t fcntl_pipe_size(struct file *f, int cmd, uint64_t arg) {
    if (!S_ISFIFO(f->mode)) return -EBADF;
    if (cmd == F_SETPIPE_SZ && arg > PIPE_CAPACITY) return arg > INT32_MAX ? -EINVAL : -EPERM;
    return PIPE_CAPACITY;
}

static int64_t fcntl_file(struct file *f, int fd, int cmd, uint64_t arg) {
    switch (cmd) {
    case F_GETFD:
        return fd_get_cloexec(fd) > 0 ? FD_CLOEXEC : 0;
    case F_SETFD:
        return fd_set_cloexec(fd, (arg & FD_CLOEXEC) != 0);
    case F_GETFL:
        return f->flags;
    case F_SETFL:
        return fcntl_setfl(f, arg);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return fcntl_lock(f, cmd, arg);
    case F_GETSIG:
        return f->owner_sig;
    case F_SETSIG:
        if (arg > NSIGNALS) return -EINVAL;
        f->owner_sig = (uint32_t)arg;
        return 0;
    case F_SETPIPE_SZ:
    case F_GETPIPE_SZ:
        return fcntl_pipe_size(f, cmd, arg);
    case F_GET_SEALS:
        return shmem_seals(f);
    case F_ADD_SEALS:
        return arg > UINT32_MAX ? -EINVAL : shmem_add_seals(f, (uint32_t)arg);
    case F_GETLEASE:
        return F_UNLCK;
    default:
        return -EINVAL;
    }
}

/* fcntl(2) */
int64_t sys_fcntl(int fd, int cmd, uint64_t arg) {
    if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
        return dup_from(fd, (uint32_t)arg, cmd == F_DUPFD_CLOEXEC);
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    int64_t result = -EBADF;
    if (!(f->flags & O_PATH) || cmd == F_GETFD || cmd == F_SETFD || cmd == F_GETFL)
        result = fcntl_file(f, fd, cmd, arg);
    file_put(f);
    return result;
}

/* flock(2): between processes, of which there is one. */
int64_t sys_flock(int fd, int operation) {
    int kind = operation & ~LOCK_NB;
    if (kind != LOCK_SH && kind != LOCK_EX && kind != LOCK_UN) return -EINVAL;
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    file_put(f);
    return 0;
}
