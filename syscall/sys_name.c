/* SPDX-License-Identifier: MIT */
/* Names in directories: rename(2), link(2), symlink(2), unlink(2), mkdir(2), mknod(2). */
#include <kernel/heap.h>
#include <syscall/protos.h>
#include <syscall/user.h>

/* Two paths are too much for the kernel stack. */
struct path_pair {
    struct vpath from, to;
};

static int64_t rename_at(int dirfd, gva_t path, int new_dirfd, gva_t new_path, uint32_t flags) {
    if (flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE)) return -EINVAL;
    if (flags == (RENAME_NOREPLACE | RENAME_EXCHANGE)) return -EINVAL;
    struct path_pair *pair = kmalloc(sizeof(*pair));
    if (pair == NULL) return -ENOMEM;
    int err = vfs_path_user(&pair->from, dirfd, path);
    if (err == 0) err = vfs_path_user(&pair->to, new_dirfd, new_path);
    if (err == 0) err = vfs_rename(&pair->from, &pair->to, flags);
    kfree(pair);
    return err;
}

/* rename(2) */
int64_t sys_rename(gva_t path, gva_t new_path) {
    return rename_at(AT_FDCWD, path, AT_FDCWD, new_path, 0);
}

/* renameat(2) */
int64_t sys_renameat(int dirfd, gva_t path, int new_dirfd, gva_t new_path) {
    return rename_at(dirfd, path, new_dirfd, new_path, 0);
}

/* renameat2(2): RENAME_WHITEOUT is for overlay file systems only. */
int64_t sys_renameat2(int dirfd, gva_t path, int new_dirfd, gva_t new_path, uint32_t flags) {
    return rename_at(dirfd, path, new_dirfd, new_path, flags);
}

/* linkat(2): an open file is linked by the name it was opened with, if it still has it. */
int64_t sys_linkat(int dirfd, gva_t path, int new_dirfd, gva_t new_path, uint32_t flags) {
    if (flags & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) return -EINVAL;
    if (flags & AT_EMPTY_PATH && !process_capable(CAP_DAC_READ_SEARCH)) return -ENOENT;
    struct path_pair *pair = kmalloc(sizeof(*pair));
    if (pair == NULL) return -ENOMEM;
    struct file *f;
    int err = path_or_file(&pair->from, &f, dirfd, path, flags);
    if (err == 0 && f != NULL) {
        err = f->path != NULL ? vfs_path(&pair->from, AT_FDCWD, f->path) : -ENOENT;
        file_put(f);
    }
    if (err == 0) err = vfs_path_user(&pair->to, new_dirfd, new_path);
    if (err == 0) err = vfs_link(&pair->from, &pair->to, (flags & AT_SYMLINK_FOLLOW) != 0);
    kfree(pair);
    return err;
}

/* link(2) */
int64_t sys_link(gva_t path, gva_t new_path) {
    return sys_linkat(AT_FDCWD, path, AT_FDCWD, new_path, 0);
}

/* symlinkat(2) */
int64_t sys_symlinkat(gva_t target, int dirfd, gva_t path) {
    char *text;
    int err = string_from_user(&text, target);
    if (err != 0) return err;
    struct vpath p;
    if (text[0] == 0) err = -ENOENT;
    if (err == 0) err = vfs_path_user(&p, dirfd, path);
    if (err == 0) err = vfs_symlink(text, &p);
    kfree(text);
    return err;
}

/* symlink(2) */
int64_t sys_symlink(gva_t target, gva_t path) { return sys_symlinkat(target, AT_FDCWD, path); }

static int64_t unlink_at(int dirfd, gva_t path, bool rmdir) {
    struct vpath p;
    int err = vfs_path_user(&p, dirfd, path);
    return err != 0 ? err : vfs_unlink(&p, rmdir);
}

/* unlink(2) */
int64_t sys_unlink(gva_t path) { return unlink_at(AT_FDCWD, path, false); }

/* rmdir(2) */
int64_t sys_rmdir(gva_t path) { return unlink_at(AT_FDCWD, path, true); }

/* unlinkat(2) */
int64_t sys_unlinkat(int dirfd, gva_t path, uint32_t flags) {
    if (flags & ~(uint32_t)AT_REMOVEDIR) return -EINVAL;
    return unlink_at(dirfd, path, flags != 0);
}

static int64_t make_at(int dirfd, gva_t path, uint32_t mode) {
    struct vpath p;
    int err = vfs_path_user(&p, dirfd, path);
    return err != 0 ? err : vfs_mknod(&p, mode, 0);
}

/* mkdirat(2) */
int64_t sys_mkdirat(int dirfd, gva_t path, uint32_t mode) {
    return make_at(dirfd, path, S_IFDIR | (mode & (0777 | S_ISVTX)));
}

/* mkdir(2) */
int64_t sys_mkdir(gva_t path, uint32_t mode) { return sys_mkdirat(AT_FDCWD, path, mode); }

/* mknodat(2): no device nodes, as in an unprivileged container. */
int64_t sys_mknodat(int dirfd, gva_t path, uint32_t mode, uint32_t dev) {
    switch (mode & S_IFMT) {
    case 0:
        return make_at(dirfd, path, S_IFREG | (mode & 07777));
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK:
        return make_at(dirfd, path, mode & (S_IFMT | 07777));
    case S_IFCHR:
    case S_IFBLK:
    case S_IFDIR:
        return -EPERM;
    default:
        return -EINVAL;
    }
}

/* mknod(2) */
int64_t sys_mknod(gva_t path, uint32_t mode, uint32_t dev) {
    return sys_mknodat(AT_FDCWD, path, mode, dev);
}
