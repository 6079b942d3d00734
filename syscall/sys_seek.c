/* SPDX-License-Identifier: MIT */
/* Positions, sizes and write-back of files: lseek(2), truncate(2), fallocate(2), fsync(2), ... */
#include <syscall/protos.h>
#include <syscall/user.h>

/* lseek(2) */
int64_t sys_lseek(int fd, int64_t offset, int whence) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    int64_t pos = file_seek(f, offset, whence);
    file_put(f);
    return pos;
}

/* truncate(2) */
int64_t sys_truncate(gva_t path, int64_t size) {
    if (size < 0) return -EINVAL;
    struct vpath p;
    int err = vfs_path_user(&p, AT_FDCWD, path);
    if (err != 0) return err;
    struct hc_attr attr;
    err = vfs_stat(&p, true, &attr);
    if (err != 0) return err;
    if (S_ISDIR(attr.mode)) return -EISDIR;
    if (!S_ISREG(attr.mode)) return -EINVAL;
    err = vfs_permission(&attr, W_OK);
    if (err != 0) return err;
    attr.size = (uint64_t)size;
    return vfs_setattr(&p, true, &attr, HC_SET_SIZE);
}

/* ftruncate(2) */
int64_t sys_ftruncate(int fd, int64_t size) {
    if (size < 0) return -EINVAL;
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    struct hc_attr attr = {.size = (uint64_t)size};
    int err = file_setattr(f, &attr, HC_SET_SIZE);
    file_put(f);
    return err;
}

/* fallocate(2) */
int64_t sys_fallocate(int fd, uint32_t mode, int64_t offset, int64_t len) {
    const uint32_t known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE |
                           FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE;
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    int err;
    if (offset < 0 || len <= 0)
        err = -EINVAL;
    else if (mode & ~known)
        err = -EOPNOTSUPP;
    else if ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE))
        err = -EOPNOTSUPP;
    else if (f->flags & O_APPEND && mode & ~(uint32_t)FALLOC_FL_KEEP_SIZE)
        err = -EPERM;
    else
        err = file_allocate(f, (int)mode, offset, len);
    file_put(f);
    return err;
}

static int64_t sync_fd(int fd, bool datasync) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    int err = file_sync(f, datasync);
    file_put(f);
    return err;
}

/* fsync(2) */
int64_t sys_fsync(int fd) { return sync_fd(fd, false); }

/* fdatasync(2) */
int64_t sys_fdatasync(int fd) { return sync_fd(fd, true); }

/* sync_file_range(2): writes more than asked for. */
int64_t sys_sync_file_range(int fd, int64_t offset, int64_t len, uint32_t flags) {
    const uint32_t known =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    int64_t end;
    if (flags & ~known || offset < 0 || len < 0) return -EINVAL;
    if (__builtin_add_overflow(offset, len, &end)) return -EINVAL;
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    bool pipe = S_ISFIFO(f->mode) || S_ISSOCK(f->mode) || S_ISCHR(f->mode);
    file_put(f);
    if (pipe) return -ESPIPE;
    return flags == 0 ? 0 : sync_fd(fd, true);
}

/* sync(2): in-guest file systems are RAM; those of the host are written back before it returns. */
int64_t sys_sync(void) {
    vfs_sync();
    return 0;
}

/* syncfs(2) */
int64_t sys_syncfs(int fd) {
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    int err = file_syncfs(f);
    file_put(f);
    return err;
}

/* posix_fadvise(2) */
int64_t sys_fadvise64(int fd, int64_t offset, uint64_t len, int advice) {
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    int err = 0;
    if (S_ISFIFO(f->mode))
        err = -ESPIPE;
    else if ((int64_t)len < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE)
        err = -EINVAL;
    file_put(f);
    return err;
}

/* readahead(2) */
int64_t sys_readahead(int fd, int64_t offset, uint64_t count) {
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    int err = file_readable(f) ? 0 : -EBADF;
    if (err == 0 && !S_ISREG(f->mode)) err = -EINVAL;
    file_put(f);
    return err;
}
