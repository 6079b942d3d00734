/* SPDX-License-Identifier: MIT */
/* access(2), faccessat(2), chmod(2), chown(2), umask(2). */
#include "check.h"

static mode_t mode_of(const char *path) {
    struct stat st;
    CHECK_OK(lstat(path, &st));
    return st.st_mode & 07777;
}

static void access_calls(void) {
    put_file("f", "x");
    CHECK_OK(chmod("f", 0600));
    CHECK_OK(access("f", F_OK));
    CHECK_OK(access("f", R_OK | W_OK));
    CHECK_ERR(access("f", X_OK), EACCES); /* for root, too: nobody may execute it */
    CHECK_OK(chmod("f", 0700));
    CHECK_OK(access("f", X_OK));
    CHECK_OK(access(".", X_OK));
    CHECK_ERR(access("none", F_OK), ENOENT);
    CHECK_ERR(access("f/x", F_OK), ENOTDIR);
    CHECK_ERR(access("f", 8), EINVAL);
    CHECK_ERR(access(bad_pointer(), F_OK), EFAULT);
    CHECK_OK(symlink("none", "dangling"));
    CHECK_ERR(access("dangling", F_OK), ENOENT);
    CHECK_OK(syscall(SYS_faccessat, AT_FDCWD, "f", R_OK));
    CHECK_ERR(syscall(SYS_faccessat, 999, "f", R_OK), EBADF);
    ok("access");
}

static void chmod_calls(void) {
    CHECK_OK(chmod("f", 0));
    CHECK_EQ(mode_of("f"), 0);
    CHECK_OK(chmod("f", 04755));
    CHECK_EQ(mode_of("f"), 04755);
    int fd = open("f", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_OK(fchmod(fd, 0604));
    CHECK_EQ(mode_of("f"), 0604);
    CHECK_OK(close(fd));
    CHECK_OK(fchmodat(AT_FDCWD, "f", 0640, 0));
    CHECK_EQ(mode_of("f"), 0640);
    CHECK_OK(symlink("f", "l"));
    CHECK_OK(chmod("l", 0600)); /* follows */
    CHECK_EQ(mode_of("f"), 0600);
    CHECK_OK(mkdir("d", 0755));
    CHECK_OK(chmod("d", 01700));
    CHECK_EQ(mode_of("d"), 01700);
    CHECK_ERR(chmod("none", 0600), ENOENT);
    CHECK_ERR(fchmod(-1, 0600), EBADF);
    CHECK_ERR(chmod(bad_pointer(), 0600), EFAULT);
    ok("chmod");
}

static void chown_calls(void) {
    struct stat st;
    CHECK_OK(chown("f", (uid_t)-1, (gid_t)-1));
    CHECK_OK(chown("f", geteuid(), getegid()));
    CHECK_OK(stat("f", &st));
    CHECK_EQ(st.st_uid, geteuid());
    CHECK_EQ(st.st_gid, getegid());
    CHECK_OK(lchown("l", geteuid(), getegid()));
    CHECK_OK(fchownat(AT_FDCWD, "l", geteuid(), (gid_t)-1, AT_SYMLINK_NOFOLLOW));
    CHECK_ERR(chown("none", 0, 0), ENOENT);
    CHECK_ERR(fchown(-1, 0, 0), EBADF);
    ok("chown");
}

static void umask_calls(void) {
    umask(022);
    CHECK_EQ(umask(077), 022);
    CHECK_EQ(umask(0777), 077);
    CHECK_EQ(umask(07777), 0777); /* only permission bits count */
    CHECK_EQ(umask(0), 0777);
    int fd = open("all", O_WRONLY | O_CREAT, 0666);
    CHECK_OK(close(fd));
    CHECK_EQ(mode_of("all"), 0666);
    umask(022);
    ok("umask");
}

int main(void) {
    scratch();
    access_calls();
    chmod_calls();
    chown_calls();
    umask_calls();
    return 0;
}
