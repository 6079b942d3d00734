/* SPDX-License-Identifier: MIT */
/* Extended attributes: no file system of the guest has any, which programs know how to handle
 * (xattr(7), ENOTSUP).  The object itself must exist. */
#include <syscall/protos.h>
#include <syscall/user.h>

static int64_t unsupported_at(gva_t path, bool follow) {
    struct vpath p;
    struct hc_attr attr;
    int err = vfs_path_user(&p, AT_FDCWD, path);
    if (err == 0) err = vfs_stat(&p, follow, &attr);
    return err != 0 ? err : -EOPNOTSUPP;
}

static int64_t unsupported_fd(int fd) {
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    file_put(f);
    return -EOPNOTSUPP;
}

/* setxattr(2) */
int64_t sys_setxattr(gva_t path, gva_t name, gva_t value, uint64_t size, int flags) {
    return unsupported_at(path, true);
}
int64_t sys_lsetxattr(gva_t path, gva_t name, gva_t value, uint64_t size, int flags) {
    return unsupported_at(path, false);
}
int64_t sys_fsetxattr(int fd, gva_t name, gva_t value, uint64_t size, int flags) {
    return unsupported_fd(fd);
}

/* getxattr(2) */
int64_t sys_getxattr(gva_t path, gva_t name, gva_t value, uint64_t size) {
    return unsupported_at(path, true);
}
int64_t sys_lgetxattr(gva_t path, gva_t name, gva_t value, uint64_t size) {
    return unsupported_at(path, false);
}
int64_t sys_fgetxattr(int fd, gva_t name, gva_t value, uint64_t size) { return unsupported_fd(fd); }

/* listxattr(2) */
int64_t sys_listxattr(gva_t path, gva_t list, uint64_t size) { return unsupported_at(path, true); }
int64_t sys_llistxattr(gva_t path, gva_t list, uint64_t size) {
    return unsupported_at(path, false);
}
int64_t sys_flistxattr(int fd, gva_t list, uint64_t size) { return unsupported_fd(fd); }

/* removexattr(2) */
int64_t sys_removexattr(gva_t path, gva_t name) { return unsupported_at(path, true); }
int64_t sys_lremovexattr(gva_t path, gva_t name) { return unsupported_at(path, false); }
int64_t sys_fremovexattr(int fd, gva_t name) { return unsupported_fd(fd); }
