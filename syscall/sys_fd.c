/* SPDX-License-Identifier: MIT */
/* Descriptors: dup(2) and its relatives, fcntl(2), flock(2). */
#include <kernel/file_owner.h>
#include <kernel/filelock.h>
#include <kernel/shmem.h>
#include <kernel/splice.h>
#include <syscall/protos.h>
#include <syscall/user.h>

/* What F_SETFL can change. */
#define SETFL_MASK (O_APPEND | O_DIRECT | O_NOATIME | O_NONBLOCK)

static int64_t dup_from(int fd, uint64_t from, bool cloexec) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    if (from < current_process()->limits[RLIMIT_NOFILE].rlim_cur && from <= INT32_MAX)
        return fd_install_or_put(f, (int)from, cloexec);
    file_put(f);
    return -EINVAL;
}

/* dup(2) */
int64_t sys_dup(int fd) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    return fd_install_or_put(f, 0, false);
}

static int64_t dup_to(int fd, int new_fd, bool cloexec) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    int r = fd_replace(f, new_fd, cloexec);
    if (r < 0) file_put(f);
    return r;
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

static int64_t fcntl_setfl(struct file *f, int fd, uint64_t arg) {
    uint32_t flags = (uint32_t)arg;
    uint32_t on = flags & ~f->flags;
    bool async = (flags & FASYNC) != 0;
    /* O_DIRECT and O_NOATIME cannot be switched on for an open host file. */
    if (on & O_DIRECT && f->ops->pipe == NULL) return -EINVAL;
    if (on & O_NOATIME) {
        struct hc_attr attr;
        bool own = f->mnt != NULL && f->mnt->ops == &ramfs_ops && file_getattr(f, &attr) == 0;
        if (!own || (!process_capable(CAP_FOWNER) && attr.uid != current_process()->fsuid))
            return -EPERM;
    }
    if (async != ((f->flags & FASYNC) != 0)) {
        int err = file_owner_async(f, fd, async);
        if (err != 0) return err;
    }
    f->flags = (f->flags & ~(uint32_t)SETFL_MASK) | (flags & SETFL_MASK);
    return 0;
}

static int64_t fcntl_pipe_size(struct file *f, int cmd, uint64_t arg) {
    struct pipe *p = f->ops->pipe != NULL ? f->ops->pipe(f) : NULL;
    if (p == NULL) return -EBADF;
    return cmd == F_GETPIPE_SZ ? pipe_capacity(p) : pipe_resize(p, (uint32_t)arg);
}

/* Nobody could say when another process opens the file: it counts as open elsewhere. */
static int64_t fcntl_lease(struct file *f, uint64_t kind) {
    struct hc_attr attr;
    if (kind != F_RDLCK && kind != F_WRLCK && kind != F_UNLCK) return -EINVAL;
    int err = file_getattr(f, &attr);
    if (err != 0) return err;
    if (kind == F_UNLCK) return -EAGAIN; /* there is none */
    if (attr.uid != current_process()->fsuid && !process_capable(CAP_LEASE)) return -EACCES;
    return S_ISREG(attr.mode) ? -EAGAIN : -EINVAL;
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
        return fcntl_setfl(f, fd, arg);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return filelock_fcntl(f, fd, cmd, arg);
    case F_GETOWN:
    case F_SETOWN:
    case F_GETOWN_EX:
    case F_SETOWN_EX:
    case F_GETSIG:
    case F_SETSIG:
        return file_owner_fcntl(f, cmd, arg);
    case F_SETPIPE_SZ:
    case F_GETPIPE_SZ:
        return fcntl_pipe_size(f, cmd, arg);
    case F_GET_SEALS:
        return shmem_seals(f);
    case F_ADD_SEALS:
        return arg > UINT32_MAX ? -EINVAL : shmem_add_seals(f, (uint32_t)arg);
    case F_GETLEASE:
        return F_UNLCK;
    case F_SETLEASE:
        return fcntl_lease(f, arg);
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

/* flock(2) */
int64_t sys_flock(int fd, int operation) {
    if (operation & LOCK_MAND) return 0; /* as Linux since 5.16: gone, and accepted */
    int kind = operation & ~LOCK_NB;
    if (kind != LOCK_SH && kind != LOCK_EX && kind != LOCK_UN) return -EINVAL;
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    int64_t r = filelock_flock(f, operation);
    file_put(f);
    return r;
}
