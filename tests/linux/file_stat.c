/* SPDX-License-Identifier: MIT */
/* stat(2), lstat(2), fstat(2), newfstatat(2), statx(2), statfs(2). */
#include "check.h"

#include <sys/sysmacros.h>
#include <sys/vfs.h>

/* linux/stat.h; not every libc has it. */
struct statx_time {
    int64_t sec;
    uint32_t nsec;
    int32_t pad;
};
struct statx_buf {
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, pad;
    uint64_t ino, size, blocks, attributes_mask;
    struct statx_time atime, btime, ctime, mtime;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t spare[14];
};
_Static_assert(sizeof(struct statx_buf) == 256, "kernel's size");
#define X_BASIC 0x7ffU
#define X_RESERVED 0x80000000U
#define X_FORCE_SYNC 0x2000
#define X_DONT_SYNC 0x4000

static long statx_call(int dir, const char *path, int flags, unsigned mask, struct statx_buf *buf) {
    return syscall(SYS_statx, dir, path, flags, mask, buf);
}

static void regular(void) {
    struct stat a, b, c;
    put_file("f", "12345");
    CHECK_OK(chmod("f", 0640));
    CHECK_OK(stat("f", &a));
    CHECK_EQ(a.st_mode, S_IFREG | 0640);
    CHECK_EQ(a.st_size, 5);
    CHECK_EQ(a.st_nlink, 1);
    CHECK_EQ(a.st_uid, geteuid());
    CHECK(a.st_blksize > 0);
    CHECK(a.st_ino != 0);
    CHECK(a.st_mtim.tv_sec > 1600000000);
    CHECK(a.st_mtim.tv_nsec >= 0 && a.st_mtim.tv_nsec < 1000000000);
    CHECK_OK(lstat("f", &b));
    CHECK_EQ(a.st_ino, b.st_ino);
    CHECK_EQ(a.st_dev, b.st_dev);
    int fd = open("f", O_RDONLY);
    CHECK_OK(fstat(fd, &c));
    CHECK_EQ(a.st_ino, c.st_ino);
    CHECK_EQ(a.st_dev, c.st_dev);
    CHECK_EQ(c.st_size, 5);
    CHECK_OK(fstatat(fd, "", &c, AT_EMPTY_PATH));
    CHECK_EQ(a.st_ino, c.st_ino);
    CHECK_OK(close(fd));
    CHECK_OK(fstatat(AT_FDCWD, "", &c, AT_EMPTY_PATH));
    CHECK(S_ISDIR(c.st_mode));
    put_file("g", "");
    CHECK_OK(stat("g", &b));
    CHECK(a.st_ino != b.st_ino);
    ok("regular file");
}

static void other_kinds(void) {
    struct stat st;
    int fds[2];
    CHECK_OK(symlink("f", "l"));
    CHECK_OK(lstat("l", &st));
    CHECK(S_ISLNK(st.st_mode));
    CHECK_EQ(st.st_size, 1);
    CHECK_OK(stat("l", &st));
    CHECK(S_ISREG(st.st_mode));
    CHECK_OK(fstatat(AT_FDCWD, "l", &st, AT_SYMLINK_NOFOLLOW));
    CHECK(S_ISLNK(st.st_mode));
    CHECK_OK(fstatat(AT_FDCWD, "l", &st, 0));
    CHECK(S_ISREG(st.st_mode));
    CHECK_OK(mkdir("d", 0750));
    CHECK_OK(stat("d", &st));
    CHECK_EQ(st.st_mode, S_IFDIR | 0750);
    CHECK(st.st_nlink >= 1);
    CHECK_OK(stat("/", &st));
    CHECK(S_ISDIR(st.st_mode));
    CHECK_OK(stat("/dev/null", &st));
    CHECK(S_ISCHR(st.st_mode));
    CHECK_EQ(st.st_rdev, makedev(1, 3));
    CHECK_OK(pipe(fds));
    CHECK_OK(fstat(fds[0], &st));
    CHECK(S_ISFIFO(st.st_mode));
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    ok("links, directories, devices, pipes");
}

static void errors(void) {
    struct stat st;
    CHECK_ERR(stat("none", &st), ENOENT);
    CHECK_ERR(stat("", &st), ENOENT);
    CHECK_ERR(stat("f/x", &st), ENOTDIR);
    CHECK_ERR(stat("f/", &st), ENOTDIR);
    CHECK_ERR(stat("f/.", &st), ENOTDIR);
    CHECK_ERR(stat("none/..", &st), ENOENT);
    CHECK_ERR(lstat("none", &st), ENOENT);
    CHECK_ERR(syscall(SYS_stat, bad_pointer(), &st), EFAULT);
    CHECK_ERR(syscall(SYS_stat, "f", bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_fstat, -1, &st), EBADF);
    CHECK_ERR(syscall(SYS_fstat, 0, bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_newfstatat, AT_FDCWD, "f", &st, 0x8000000), EINVAL);
    CHECK_ERR(syscall(SYS_newfstatat, AT_FDCWD, "", &st, 0), ENOENT);
    CHECK_ERR(syscall(SYS_newfstatat, 999, "f", &st, 0), EBADF);
    CHECK_ERR(syscall(SYS_newfstatat, 999, "", &st, AT_EMPTY_PATH), EBADF);
    CHECK_OK(lstat("d/", &st));
    CHECK_OK(symlink("d", "ld"));
    CHECK_OK(lstat("ld/", &st)); /* a trailing slash follows the link */
    CHECK(S_ISDIR(st.st_mode));
    ok("errors");
}

static void extended(void) {
    struct statx_buf x;
    struct stat st;
    memset(&x, 0xff, sizeof x);
    CHECK_OK(statx_call(AT_FDCWD, "f", 0, X_BASIC, &x));
    CHECK_OK(stat("f", &st));
    CHECK_EQ(x.mask & X_BASIC, X_BASIC);
    CHECK_EQ(x.mode, st.st_mode);
    CHECK_EQ(x.nlink, st.st_nlink);
    CHECK_EQ(x.uid, st.st_uid);
    CHECK_EQ(x.gid, st.st_gid);
    CHECK_EQ(x.ino, st.st_ino);
    CHECK_EQ(x.size, 5);
    CHECK_EQ(x.blocks, st.st_blocks);
    CHECK_EQ(x.blksize, st.st_blksize);
    CHECK_EQ(x.mtime.sec, st.st_mtim.tv_sec);
    CHECK_EQ(x.mtime.nsec, st.st_mtim.tv_nsec);
    CHECK_EQ(x.ctime.sec, st.st_ctim.tv_sec);
    CHECK_EQ(makedev(x.dev_major, x.dev_minor), st.st_dev);
    CHECK_OK(statx_call(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, X_BASIC, &x));
    CHECK(S_ISLNK(x.mode));
    int fd = open("f", O_RDONLY);
    CHECK_OK(statx_call(fd, "", AT_EMPTY_PATH, X_BASIC, &x));
    CHECK_EQ(x.ino, st.st_ino);
    CHECK_OK(close(fd));
    CHECK_OK(statx_call(AT_FDCWD, "/dev/zero", X_DONT_SYNC, X_BASIC, &x));
    CHECK_EQ(x.rdev_major, 1);
    CHECK_EQ(x.rdev_minor, 5);
    CHECK_ERR(statx_call(AT_FDCWD, "none", 0, X_BASIC, &x), ENOENT);
    CHECK_ERR(statx_call(AT_FDCWD, "", 0, X_BASIC, &x), ENOENT);
    CHECK_ERR(statx_call(-1, "f", 0, X_BASIC, &x), EBADF);
    CHECK_ERR(statx_call(AT_FDCWD, "f", 0x8000000, X_BASIC, &x), EINVAL);
    CHECK_ERR(statx_call(AT_FDCWD, "f", X_FORCE_SYNC | X_DONT_SYNC, X_BASIC, &x), EINVAL);
    CHECK_ERR(statx_call(AT_FDCWD, "f", 0, X_RESERVED, &x), EINVAL);
    CHECK_ERR(statx_call(AT_FDCWD, "f", 0, X_BASIC, bad_pointer()), EFAULT);
    ok("statx");
}

static void file_system(void) {
    struct statfs fs;
    CHECK_OK(statfs(".", &fs));
    CHECK(fs.f_bsize > 0);
    CHECK(fs.f_namelen >= 255);
    int fd = open("f", O_RDONLY);
    CHECK_OK(fstatfs(fd, &fs));
    CHECK(fs.f_bsize > 0);
    CHECK_OK(close(fd));
    CHECK_ERR(statfs("none", &fs), ENOENT);
    CHECK_ERR(fstatfs(-1, &fs), EBADF);
    CHECK_ERR(syscall(SYS_statfs, ".", bad_pointer()), EFAULT);
    ok("statfs");
}

int main(void) {
    umask(022);
    scratch();
    regular();
    other_kinds();
    errors();
    extended();
    file_system();
    return 0;
}
