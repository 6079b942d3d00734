/* SPDX-License-Identifier: MIT */
/* Directories and link texts: chdir(2), getcwd(2), getdents(2), readlink(2). */
#include <kernel/heap.h>
#include <kernel/string.h>
#include <syscall/protos.h>
#include <syscall/user.h>

/* getdents(2)'s records: the type is the last byte. */
struct linux_dirent {
    uint64_t d_ino;
    uint64_t d_off;
    uint16_t d_reclen;
    char d_name[];
};

/* getcwd(2): returns the length with the NUL; -ENOENT once the directory has been removed. */
int64_t sys_getcwd(gva_t buf, uint64_t size) {
    const char *cwd = current_process()->fs.cwd;
    struct vpath p;
    struct hc_attr attr;
    int err = vfs_path(&p, AT_FDCWD, cwd);
    if (err == 0) err = vfs_stat(&p, true, &attr);
    /* Unreadable parents do not matter: the kernel knows the name. */
    if (err == -ENOENT || err == -ENOTDIR) return -ENOENT;
    uint64_t len = strlen(cwd) + 1;
    if (len > size) return -ERANGE;
    err = copy_to_user(buf, cwd, len);
    return err != 0 ? err : (int64_t)len;
}

static int change_dir(struct vpath *p) {
    int err = vfs_canonical_dir(p);
    if (err != 0) return err;
    char *cwd = kstrdup(p->text);
    if (cwd == NULL) return -ENOMEM;
    kfree(current_process()->fs.cwd);
    current_process()->fs.cwd = cwd;
    return 0;
}

/* chdir(2) */
int64_t sys_chdir(gva_t path) {
    struct vpath p;
    int err = vfs_path_user(&p, AT_FDCWD, path);
    return err != 0 ? err : change_dir(&p);
}

/* fchdir(2) */
int64_t sys_fchdir(int fd) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    int err = -ENOTDIR;
    struct vpath p;
    if (S_ISDIR(f->mode) && f->path != NULL) {
        err = vfs_path(&p, AT_FDCWD, f->path);
        if (err == 0) err = change_dir(&p);
    }
    file_put(f);
    return err;
}

/* getdents64(2) */
int64_t sys_getdents64(int fd, gva_t buf, uint64_t size) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    int64_t n = file_getdents(f, buf, min((uint64_t)(uint32_t)size, (uint64_t)INT32_MAX));
    file_put(f);
    return n;
}

/* getdents(2): the old records have the length of the new ones, so they are turned in place. */
int64_t sys_getdents(int fd, gva_t buf, uint64_t size) {
    int64_t n = sys_getdents64(fd, buf, (uint32_t)size);
    for (int64_t at = 0; at < n;) {
        struct linux_dirent64 entry;
        char name[NAME_MAX + 1];
        gva_t from = buf + (uint64_t)at;
        if (get_user(entry, from) != 0) return -EFAULT;
        int64_t len =
            strncpy_from_user(name, from + offsetof(struct linux_dirent64, d_name), sizeof(name));
        if (len < 0 || entry.d_reclen < sizeof(entry)) return -EFAULT;
        if (copy_to_user(from + offsetof(struct linux_dirent, d_name), name, (uint64_t)len + 1) ||
            put_user(entry.d_type, from + entry.d_reclen - 1))
            return -EFAULT;
        at += entry.d_reclen;
    }
    return n;
}

/* The link that an O_PATH | O_NOFOLLOW descriptor stands for. */
static int path_of_link(struct vpath *p, int fd) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    int err = S_ISLNK(f->mode) && f->path != NULL ? vfs_path(p, AT_FDCWD, f->path) : -ENOENT;
    file_put(f);
    return err;
}

static int64_t readlink_at(int dirfd, gva_t path, gva_t buf, uint64_t size) {
    if ((int)size <= 0) return -EINVAL;
    char first;
    struct vpath p;
    if (get_user(first, path) != 0) return -EFAULT;
    int err =
        first == 0 && dirfd != AT_FDCWD ? path_of_link(&p, dirfd) : vfs_path_user(&p, dirfd, path);
    if (err != 0) return err;
    char *text = kmalloc(HC_MAX_PATH);
    if (text == NULL) return -ENOMEM;
    int64_t n = vfs_readlink(&p, text, min((uint64_t)(uint32_t)size, (uint64_t)HC_MAX_PATH));
    if (n > 0 && copy_to_user(buf, text, (uint64_t)n) != 0) n = -EFAULT;
    kfree(text);
    return n;
}

/* readlink(2) */
int64_t sys_readlink(gva_t path, gva_t buf, uint64_t size) {
    return readlink_at(AT_FDCWD, path, buf, size);
}

/* readlinkat(2) */
int64_t sys_readlinkat(int dirfd, gva_t path, gva_t buf, uint64_t size) {
    return readlink_at(dirfd, path, buf, size);
}
