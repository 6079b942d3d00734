/* SPDX-License-Identifier: MIT */
/* Mounts and what goes with them.  The program's view is made by hermit-run's command line and
 * stays as it is: Linux's answers to somebody without privilege, which programs expect. */
#include <kernel/heap.h>
#include <syscall/protos.h>
#include <syscall/user.h>

static int check_string(gva_t at) {
    char *text;
    if (at == 0) return 0;
    int err = string_from_user(&text, at);
    if (err == 0) kfree(text);
    return err == -ENAMETOOLONG ? -EINVAL : err;
}

/* 0, or why nothing is found there. */
static int check_path(gva_t path, bool follow, struct hc_attr *attr) {
    struct vpath p;
    int err = vfs_path_user(&p, AT_FDCWD, path);
    return err != 0 ? err : vfs_stat(&p, follow, attr);
}

/* mount(2): strings and the mount point are looked at first, as Linux does. */
int64_t sys_mount(gva_t source, gva_t target, gva_t type, uint64_t flags, gva_t data) {
    struct hc_attr attr;
    int err = check_string(type);
    if (err == 0) err = check_string(source);
    if (err == 0) err = check_path(target, true, &attr);
    return err != 0 ? err : -EPERM;
}

#define UMOUNT_NOFOLLOW 8u

/* umount2(2) */
int64_t sys_umount2(gva_t path, uint32_t flags) {
    const uint32_t known = 7 | UMOUNT_NOFOLLOW; /* MNT_FORCE, MNT_DETACH, MNT_EXPIRE */
    struct hc_attr attr;
    if (flags & ~known) return -EINVAL;
    int err = check_path(path, !(flags & UMOUNT_NOFOLLOW), &attr);
    return err != 0 ? err : -EPERM;
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

#define QUOTA_SHIFT 8 /* linux/quota.h */
#define QUOTA_TYPES 3
#define QUOTA_SYNC 0x800001u

/* quotactl(2): there are no block devices and no quotas; so all of them are in step. */
int64_t sys_quotactl(uint32_t cmd, gva_t special, uint32_t id, gva_t addr) {
    struct hc_attr attr;
    if ((cmd & ((1u << QUOTA_SHIFT) - 1)) >= QUOTA_TYPES) return -EINVAL;
    if (special == 0) return cmd >> QUOTA_SHIFT == QUOTA_SYNC ? 0 : -ENODEV;
    int err = check_path(special, true, &attr);
    return err != 0 ? err : -ENOTBLK;
}

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
