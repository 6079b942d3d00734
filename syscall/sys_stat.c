/* SPDX-License-Identifier: MIT */
/* File metadata: stat(2) and its relatives, statx(2), statfs(2). */
#include <kernel/string.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define STAT_FLAGS (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)

/* Floor division: times before 1970 still have 0 <= nsec < 1e9. */
static int64_t time_sec(int64_t ns) {
    int64_t sec = ns / NSEC_PER_SEC;
    return ns % NSEC_PER_SEC < 0 ? sec - 1 : sec;
}
static uint32_t time_nsec(int64_t ns) { return (uint32_t)(ns - time_sec(ns) * NSEC_PER_SEC); }

static int put_stat(gva_t at, const struct hc_attr *a) {
    struct stat st = {
        .st_dev = a->dev,
        .st_ino = a->ino,
        .st_nlink = a->nlink,
        .st_mode = a->mode,
        .st_uid = a->uid,
        .st_gid = a->gid,
        .st_rdev = a->rdev,
        .st_size = (int64_t)a->size,
        .st_blksize = a->blksize,
        .st_blocks = (int64_t)a->blocks,
        .st_atime = (uint64_t)time_sec(a->atime_ns),
        .st_atime_nsec = time_nsec(a->atime_ns),
        .st_mtime = (uint64_t)time_sec(a->mtime_ns),
        .st_mtime_nsec = time_nsec(a->mtime_ns),
        .st_ctime = (uint64_t)time_sec(a->ctime_ns),
        .st_ctime_nsec = time_nsec(a->ctime_ns),
    };
    return put_user(st, at);
}

/* Attributes of what an *at call names. */
static int attr_at(int dirfd, gva_t path, uint32_t flags, struct hc_attr *attr) {
    struct vpath p;
    struct file *f;
    int err = path_or_file(&p, &f, dirfd, path, flags);
    if (err != 0) return err;
    if (f == NULL) return vfs_stat(&p, (flags & AT_SYMLINK_NOFOLLOW) == 0, attr);
    err = file_getattr(f, attr);
    file_put(f);
    return err;
}

static int64_t stat_at(int dirfd, gva_t path, gva_t buf, uint32_t flags) {
    struct hc_attr attr;
    int err = attr_at(dirfd, path, flags, &attr);
    return err != 0 ? err : put_stat(buf, &attr);
}

/* stat(2) */
int64_t sys_stat(gva_t path, gva_t buf) { return stat_at(AT_FDCWD, path, buf, 0); }

/* lstat(2) */
int64_t sys_lstat(gva_t path, gva_t buf) {
    return stat_at(AT_FDCWD, path, buf, AT_SYMLINK_NOFOLLOW);
}

/* fstatat(2) */
int64_t sys_newfstatat(int dirfd, gva_t path, gva_t buf, uint32_t flags) {
    if (flags & ~(uint32_t)STAT_FLAGS) return -EINVAL;
    return stat_at(dirfd, path, buf, flags);
}

/* fstat(2) */
int64_t sys_fstat(int fd, gva_t buf) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    struct hc_attr attr;
    int err = file_getattr(f, &attr);
    file_put(f);
    return err != 0 ? err : put_stat(buf, &attr);
}

static struct statx_timestamp statx_time(int64_t ns) {
    return (struct statx_timestamp){.tv_sec = time_sec(ns), .tv_nsec = time_nsec(ns)};
}

/* Device numbers as stat(2) packs them: linux/kdev_t.h, new_encode_dev. */
static uint32_t dev_major(uint64_t dev) { return (dev >> 8) & 0xfff; }
static uint32_t dev_minor(uint64_t dev) {
    return (uint32_t)((dev & 0xff) | ((dev >> 12) & 0xfff00));
}

/* statx(2) */
int64_t sys_statx(int dirfd, gva_t path, uint32_t flags, uint32_t mask, gva_t buf) {
    const uint32_t sync = AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC;
    if (mask & STATX__RESERVED || (flags & sync) == sync) return -EINVAL;
    if (flags & ~(uint32_t)(STAT_FLAGS | sync)) return -EINVAL;
    struct hc_attr a;
    int err = attr_at(dirfd, path, flags, &a);
    if (err != 0) return err;
    struct statx stx = {
        .stx_mask = STATX_BASIC_STATS | (a.btime_ns != 0 ? STATX_BTIME : 0),
        .stx_blksize = a.blksize,
        .stx_nlink = (uint32_t)a.nlink,
        .stx_uid = a.uid,
        .stx_gid = a.gid,
        .stx_mode = (uint16_t)a.mode,
        .stx_ino = a.ino,
        .stx_size = a.size,
        .stx_blocks = a.blocks,
        .stx_atime = statx_time(a.atime_ns),
        .stx_btime = statx_time(a.btime_ns),
        .stx_ctime = statx_time(a.ctime_ns),
        .stx_mtime = statx_time(a.mtime_ns),
        .stx_rdev_major = dev_major(a.rdev),
        .stx_rdev_minor = dev_minor(a.rdev),
        .stx_dev_major = dev_major(a.dev),
        .stx_dev_minor = dev_minor(a.dev),
    };
    return put_user(stx, buf);
}

/* statfs(2) */
int64_t sys_statfs(gva_t path, gva_t buf) {
    struct vpath p;
    int err = vfs_path_user(&p, AT_FDCWD, path);
    if (err != 0) return err;
    struct statfs st;
    memset(&st, 0, sizeof(st));
    err = vfs_statfs(&p, &st);
    return err != 0 ? err : put_user(st, buf);
}

/* fstatfs(2) */
int64_t sys_fstatfs(int fd, gva_t buf) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    struct statfs st;
    memset(&st, 0, sizeof(st));
    int err = 0;
    /* On Linux these live in a file system too. */
    if (f->mnt == NULL && (S_ISFIFO(f->mode) || S_ISSOCK(f->mode))) {
        st.f_type = S_ISFIFO(f->mode) ? PIPEFS_MAGIC : SOCKFS_MAGIC;
        st.f_bsize = st.f_frsize = PAGE_SIZE;
        st.f_namelen = NAME_MAX;
    } else {
        err = file_statfs(f, &st);
    }
    file_put(f);
    return err != 0 ? err : put_user(st, buf);
}
