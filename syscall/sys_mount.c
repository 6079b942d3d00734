/* SPDX-License-Identifier: MIT */
/* Mounts and what goes with them.  The program's view is made by hermit-run's command line and
 * stays as it is: Linux's answers to somebody without privilege, which programs expect. */
#include <syscall/protos.h>
#include <syscall/user.h>

/* mount(2) */
int64_t sys_mount(gva_t source, gva_t target, gva_t type, uint64_t flags, gva_t data) {
    return -EPERM;
}

/* umount2(2) */
int64_t sys_umount2(gva_t path, uint32_t flags) {
    const uint32_t known = 15; /* MNT_FORCE, MNT_DETACH, MNT_EXPIRE, UMOUNT_NOFOLLOW */
    return flags & ~known ? -EINVAL : -EPERM;
}

/* pivot_root(2) */
int64_t sys_pivot_root(gva_t root, gva_t old) { return -EPERM; }

/* chroot(2): the directory is looked at first, as Linux does. */
int64_t sys_chroot(gva_t path) {
    struct vpath p;
    int err = vfs_path_user(&p, AT_FDCWD, path);
    if (err == 0) err = vfs_canonical_dir(&p);
    return err != 0 ? err : -EPERM;
}

/* quotactl(2): no quotas. */
int64_t sys_quotactl(uint32_t cmd, gva_t special, uint32_t id, gva_t addr) { return -EPERM; }

/* fanotify_init(2) */
int64_t sys_fanotify_init(uint32_t flags, uint32_t event_flags) { return -EPERM; }

/* name_to_handle_at(2): no file system has handles. */
int64_t sys_name_to_handle_at(int dirfd, gva_t path, gva_t handle, gva_t mount_id, uint32_t flags) {
    struct vpath p;
    struct file *f;
    struct hc_attr attr;
    if (flags & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) return -EINVAL;
    int err = path_or_file(&p, &f, dirfd, path, flags);
    if (err == 0 && f == NULL) err = vfs_stat(&p, (flags & AT_SYMLINK_FOLLOW) != 0, &attr);
    if (f != NULL) file_put(f);
    return err != 0 ? err : -EOPNOTSUPP;
}

/* open_by_handle_at(2) */
int64_t sys_open_by_handle_at(int mount_fd, gva_t handle, uint32_t flags) { return -EPERM; }
