/* SPDX-License-Identifier: MIT */
/* Time stamps of files: utimensat(2) and its older forms. */
#include <syscall/protos.h>
#include <syscall/user.h>

/* utimensat(2)'s special values of tv_nsec; libc's, not in the kernel's headers. */
#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe

/* New access and modification time; mask in terms of enum hc_setattr_mask. */
struct new_times {
    struct hc_attr attr;
    uint32_t mask;
};

#define TIMES_NOW (HC_SET_ATIME | HC_SET_MTIME | HC_SET_ATIME_NOW | HC_SET_MTIME_NOW)

/* Seconds that do not fit 64-bit nanoseconds saturate, as they do at a file system's own limit. */
static int64_t to_ns(int64_t sec, int64_t nsec) {
    int64_t ns;
    if (__builtin_mul_overflow(sec, NSEC_PER_SEC, &ns) || __builtin_add_overflow(ns, nsec, &ns))
        return sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

static int one_time(const struct timespec *ts, int64_t *ns, uint32_t *mask, uint32_t set,
                    uint32_t now) {
    if (ts->tv_nsec == UTIME_OMIT) return 0;
    if (ts->tv_nsec == UTIME_NOW) {
        *mask |= set | now;
        return 0;
    }
    if (ts->tv_nsec < 0 || ts->tv_nsec >= NSEC_PER_SEC) return -EINVAL;
    *ns = to_ns(ts->tv_sec, ts->tv_nsec);
    *mask |= set;
    return 0;
}

static int times_from(const struct timespec ts[2], struct new_times *t) {
    int err = one_time(&ts[0], &t->attr.atime_ns, &t->mask, HC_SET_ATIME, HC_SET_ATIME_NOW);
    if (err != 0) return err;
    return one_time(&ts[1], &t->attr.mtime_ns, &t->mask, HC_SET_MTIME, HC_SET_MTIME_NOW);
}

static int64_t set_times(int dirfd, gva_t path, uint32_t flags, const struct new_times *t) {
    if (t->mask == 0) return 0; /* both UTIME_OMIT: Linux does not look at the path either */
    if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -EINVAL;
    struct vpath p;
    struct file *f;
    int err;
    if (path == 0 && dirfd != AT_FDCWD) { /* futimens(3) */
        if (flags != 0) return -EINVAL;
        f = fd_get_io(dirfd);
        err = f == NULL ? -EBADF : 0;
    } else {
        err = path_or_file(&p, &f, dirfd, path, flags);
    }
    if (err != 0) return err;
    if (f == NULL) return vfs_setattr(&p, (flags & AT_SYMLINK_NOFOLLOW) == 0, &t->attr, t->mask);
    err = file_setattr(f, &t->attr, t->mask);
    file_put(f);
    return err;
}

/* utimensat(2) */
int64_t sys_utimensat(int dirfd, gva_t path, gva_t times, uint32_t flags) {
    struct new_times t = {.mask = TIMES_NOW};
    if (times != 0) {
        struct timespec ts[2];
        if (get_user(ts, times) != 0) return -EFAULT;
        t.mask = 0;
        int err = times_from(ts, &t);
        if (err != 0) return err;
    }
    return set_times(dirfd, path, flags, &t);
}

/* futimesat(2) */
int64_t sys_futimesat(int dirfd, gva_t path, gva_t times) {
    struct new_times t = {.mask = TIMES_NOW};
    if (times != 0) {
        struct timeval tv[2];
        if (get_user(tv, times) != 0) return -EFAULT;
        for (int i = 0; i < 2; i++)
            if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000) return -EINVAL;
        t.mask = HC_SET_ATIME | HC_SET_MTIME;
        t.attr.atime_ns = to_ns(tv[0].tv_sec, tv[0].tv_usec * 1000);
        t.attr.mtime_ns = to_ns(tv[1].tv_sec, tv[1].tv_usec * 1000);
    }
    return set_times(dirfd, path, 0, &t);
}

/* utimes(2) */
int64_t sys_utimes(gva_t path, gva_t times) { return sys_futimesat(AT_FDCWD, path, times); }

/* utime(2) */
int64_t sys_utime(gva_t path, gva_t times) {
    struct new_times t = {.mask = TIMES_NOW};
    if (times != 0) {
        struct utimbuf buf;
        if (get_user(buf, times) != 0) return -EFAULT;
        t.mask = HC_SET_ATIME | HC_SET_MTIME;
        t.attr.atime_ns = to_ns(buf.actime, 0);
        t.attr.mtime_ns = to_ns(buf.modtime, 0);
    }
    return set_times(AT_FDCWD, path, 0, &t);
}
