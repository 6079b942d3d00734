/* SPDX-License-Identifier: MIT */
/* statx(2)'s answer as the contract's attributes. */
#include <loader/hc_attr.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#define NS_PER_SEC 1000000000LL

/* Saturates: a file system may hold any 64-bit second. */
static int64_t to_ns(const struct statx_timestamp *t) {
    int64_t ns;
    if (__builtin_mul_overflow(t->tv_sec, NS_PER_SEC, &ns) ||
        __builtin_add_overflow(ns, t->tv_nsec, &ns))
        return t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

void attr_from_statx(struct hc_attr *a, const struct statx *st) {
    *a = (struct hc_attr){
        .ino = st->stx_ino,
        .dev = makedev(st->stx_dev_major, st->stx_dev_minor),
        .rdev = makedev(st->stx_rdev_major, st->stx_rdev_minor),
        .nlink = st->stx_nlink,
        .mode = st->stx_mode,
        .uid = st->stx_uid,
        .gid = st->stx_gid,
        .blksize = st->stx_blksize,
        .size = st->stx_size,
        .blocks = st->stx_blocks,
        .atime_ns = to_ns(&st->stx_atime),
        .mtime_ns = to_ns(&st->stx_mtime),
        .ctime_ns = to_ns(&st->stx_ctime),
        .btime_ns = (st->stx_mask & STATX_BTIME) != 0 ? to_ns(&st->stx_btime) : 0,
    };
}
