/* SPDX-License-Identifier: MIT */
/* Permissions and ownership of files: access(2), chmod(2), chown(2), umask(2). */
#include <syscall/protos.h>
#include <syscall/user.h>

#define UNCHANGED 0xffffffffu /* chown(2): leave this id as it is */

static int access_object(struct vpath *p, struct file *f, int amode, bool follow) {
    if (f == NULL) return vfs_access(p, amode, follow);
    struct hc_attr attr;
    int err = file_getattr(f, &attr);
    return err != 0 || amode == F_OK ? err : vfs_permission(&attr, amode);
}

static int64_t access_at(int dirfd, gva_t path, int amode, uint32_t flags) {
    if (amode & ~(R_OK | W_OK | X_OK)) return -EINVAL;
    if (flags & ~(uint32_t)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -EINVAL;
    struct vpath p;
    struct file *f;
    int err = path_or_file(&p, &f, dirfd, path, flags);
    if (err != 0) return err;
    struct process *self = current_process();
    uint32_t fsuid = self->fsuid, fsgid = self->fsgid;
    uint64_t caps = self->caps.effective;
    if (!(flags & AT_EACCESS)) { /* the question is about the real user */
        self->fsuid = self->uid;
        self->fsgid = self->gid;
        self->caps.effective = self->uid == 0 ? self->caps.permitted : 0;
    }
    err = access_object(&p, f, amode, (flags & AT_SYMLINK_NOFOLLOW) == 0);
    self->fsuid = fsuid;
    self->fsgid = fsgid;
    self->caps.effective = caps;
    if (f != NULL) file_put(f);
    return err;
}

/* access(2) */
int64_t sys_access(gva_t path, int amode) { return access_at(AT_FDCWD, path, amode, 0); }

/* faccessat(2): the system call has no flags. */
int64_t sys_faccessat(int dirfd, gva_t path, int amode) { return access_at(dirfd, path, amode, 0); }

/* faccessat2(2) */
int64_t sys_faccessat2(int dirfd, gva_t path, int amode, uint32_t flags) {
    return access_at(dirfd, path, amode, flags);
}

/* Changes attributes of what an *at call names. */
static int64_t setattr_at(int dirfd, gva_t path, uint32_t flags, const struct hc_attr *attr,
                          uint32_t mask) {
    if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -EINVAL;
    struct vpath p;
    struct file *f;
    int err = path_or_file(&p, &f, dirfd, path, flags);
    if (err != 0) return err;
    bool follow = (flags & AT_SYMLINK_NOFOLLOW) == 0;
    struct hc_attr unused;
    if (f != NULL) {
        err = mask != 0 ? file_setattr(f, attr, mask) : 0;
        file_put(f);
    } else {
        /* chown(path, -1, -1) changes nothing, but the object must exist. */
        err = mask != 0 ? vfs_setattr(&p, follow, attr, mask) : vfs_stat(&p, follow, &unused);
    }
    return err;
}

static int64_t chmod_at(int dirfd, gva_t path, uint32_t mode, uint32_t flags) {
    struct hc_attr attr = {.mode = mode & 07777};
    return setattr_at(dirfd, path, flags, &attr, HC_SET_MODE);
}

/* chmod(2) */
int64_t sys_chmod(gva_t path, uint32_t mode) { return chmod_at(AT_FDCWD, path, mode, 0); }

/* fchmodat(2): the system call has no flags. */
int64_t sys_fchmodat(int dirfd, gva_t path, uint32_t mode) {
    return chmod_at(dirfd, path, mode, 0);
}

/* fchmodat2(2) */
int64_t sys_fchmodat2(int dirfd, gva_t path, uint32_t mode, uint32_t flags) {
    return chmod_at(dirfd, path, mode, flags);
}

/* fchmod(2) */
int64_t sys_fchmod(int fd, uint32_t mode) {
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    struct hc_attr attr = {.mode = mode & 07777};
    int err = file_setattr(f, &attr, HC_SET_MODE);
    file_put(f);
    return err;
}

static uint32_t owner_mask(uint32_t uid, uint32_t gid) {
    return (uid != UNCHANGED ? HC_SET_UID : 0) | (gid != UNCHANGED ? HC_SET_GID : 0);
}

static int64_t chown_at(int dirfd, gva_t path, uint32_t uid, uint32_t gid, uint32_t flags) {
    struct hc_attr attr = {.uid = uid, .gid = gid};
    return setattr_at(dirfd, path, flags, &attr, owner_mask(uid, gid));
}

/* chown(2) */
int64_t sys_chown(gva_t path, uint32_t uid, uint32_t gid) {
    return chown_at(AT_FDCWD, path, uid, gid, 0);
}

/* lchown(2) */
int64_t sys_lchown(gva_t path, uint32_t uid, uint32_t gid) {
    return chown_at(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

/* fchownat(2) */
int64_t sys_fchownat(int dirfd, gva_t path, uint32_t uid, uint32_t gid, uint32_t flags) {
    return chown_at(dirfd, path, uid, gid, flags);
}

/* fchown(2) */
int64_t sys_fchown(int fd, uint32_t uid, uint32_t gid) {
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    struct hc_attr attr = {.uid = uid, .gid = gid};
    uint32_t mask = owner_mask(uid, gid);
    int err = mask != 0 ? file_setattr(f, &attr, mask) : 0;
    file_put(f);
    return err;
}

/* umask(2) */
int64_t sys_umask(uint32_t mask) {
    struct process *self = current_process();
    uint32_t old = self->fs.umask;
    self->fs.umask = mask & 0777;
    return old;
}
