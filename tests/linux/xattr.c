/* SPDX-License-Identifier: MIT */
/* Extended attributes of files, directories and links; skipped parts where the file system that
 * the scratch directory lies on has none. */
#include "check.h"

#include <sys/vfs.h>
#include <sys/xattr.h>

#define TMPFS 0x01021994L

static char big[65537];

static void absent(void) {
    char buf[16];
    CHECK_ERR(getxattr("absent", "user.none", buf, sizeof buf), ENOENT);
    CHECK_ERR(listxattr("absent", buf, sizeof buf), ENOENT);
    CHECK_ERR(setxattr("absent", "user.none", buf, 1, 0), ENOENT);
    CHECK_ERR(removexattr("absent", "user.none"), ENOENT);
    CHECK_ERR(fgetxattr(-1, "user.none", buf, sizeof buf), EBADF);
    CHECK_ERR(fsetxattr(-1, "user.none", buf, 1, 0), EBADF);
    CHECK_ERR(getxattr("f", "user.none", buf, sizeof buf), ENODATA);
    CHECK_ERR(removexattr("f", "user.none"), ENODATA);
    ok("absent");
}

static void values(void) {
    char buf[64];
    CHECK_OK(setxattr("f", "user.one", "value", 5, 0));
    CHECK_EQ(getxattr("f", "user.one", NULL, 0), 5);
    CHECK_EQ(getxattr("f", "user.one", buf, 5), 5);
    CHECK_EQ(memcmp(buf, "value", 5), 0);
    CHECK_ERR(getxattr("f", "user.one", buf, 4), ERANGE);
    CHECK_ERR(setxattr("f", "user.one", "x", 1, XATTR_CREATE), EEXIST);
    CHECK_ERR(setxattr("f", "user.two", "x", 1, XATTR_REPLACE), ENODATA);
    CHECK_OK(setxattr("f", "user.one", "longer value", 12, XATTR_REPLACE));
    CHECK_OK(setxattr("f", "user.empty", NULL, 0, XATTR_CREATE));
    CHECK_EQ(getxattr("f", "user.empty", buf, sizeof buf), 0);
    CHECK_EQ(getxattr("f", "user.one", buf, sizeof buf), 12);
    int fd = open("f", O_RDWR), path = open("f", O_PATH);
    CHECK_EQ(fgetxattr(fd, "user.one", buf, sizeof buf), 12);
    CHECK_ERR(fgetxattr(path, "user.one", buf, sizeof buf), EBADF);
    CHECK_OK(fsetxattr(fd, "user.three", "3", 1, 0));
    CHECK_OK(fremovexattr(fd, "user.three"));
    CHECK_ERR(fremovexattr(fd, "user.three"), ENODATA);
    /* The file's, not the name's. */
    CHECK_OK(link("f", "g"));
    CHECK_EQ(getxattr("g", "user.one", buf, sizeof buf), 12);
    CHECK_OK(unlink("g"));
    CHECK_OK(close(fd));
    CHECK_OK(close(path));
    ok("values");
}

static int lists(const char *list, ssize_t len, const char *name) {
    for (const char *at = list; at < list + len; at += strlen(at) + 1)
        if (strcmp(at, name) == 0) return 1;
    return 0;
}

static void names(void) {
    char list[512];
    ssize_t n = listxattr("f", list, sizeof list);
    CHECK(n > 0 && list[n - 1] == 0);
    CHECK(lists(list, n, "user.one") && lists(list, n, "user.empty"));
    CHECK(!lists(list, n, "user.two"));
    CHECK_EQ(listxattr("f", NULL, 0), n);
    CHECK_ERR(listxattr("f", list, (size_t)n - 1), ERANGE);
    CHECK_OK(removexattr("f", "user.empty"));
    n = listxattr("f", list, sizeof list);
    CHECK(lists(list, n, "user.one") && !lists(list, n, "user.empty"));
    CHECK_OK(mkdir("d", 0755));
    CHECK_OK(setxattr("d", "user.dir", "d", 1, 0));
    CHECK_EQ(getxattr("d", "user.dir", list, sizeof list), 1);
    ok("names");
}

static void links(void) {
    char buf[64];
    CHECK_OK(symlink("f", "link"));
    CHECK_EQ(getxattr("link", "user.one", buf, sizeof buf), 12);
    CHECK_ERR(lgetxattr("link", "user.one", buf, sizeof buf), ENODATA);
    CHECK_ERR(lsetxattr("link", "user.one", "x", 1, 0), EPERM);
    CHECK_ERR(lremovexattr("link", "user.one"), EPERM);
    CHECK_OK(setxattr("link", "user.through", "x", 1, 0));
    CHECK_EQ(lgetxattr("f", "user.through", buf, sizeof buf), 1);
    CHECK(llistxattr("link", buf, sizeof buf) >= 0);
    CHECK_OK(mkfifo("fifo", 0600));
    CHECK_ERR(setxattr("fifo", "user.one", "x", 1, 0), EPERM);
    CHECK_ERR(getxattr("fifo", "user.one", buf, sizeof buf), ENODATA);
    ok("links");
}

static void errors(void) {
    char name[300], buf[16];
    memset(name, 'n', sizeof name);
    memcpy(name, "user.", 5);
    name[256] = 0;
    CHECK_ERR(setxattr("f", name, "x", 1, 0), ERANGE);
    CHECK_ERR(getxattr("f", name, buf, sizeof buf), ERANGE);
    name[255] = 0;
    CHECK_ERR(getxattr("f", name, buf, sizeof buf), ENODATA);
    CHECK_ERR(setxattr("f", "", "x", 1, 0), ERANGE);
    CHECK_ERR(setxattr("f", "user.one", big, sizeof big, 0), E2BIG);
    CHECK_ERR(setxattr("f", "user.one", "x", 1, 4), EINVAL);
    CHECK_ERR(setxattr("f", "user.one", "x", 1, 8), EINVAL);
    CHECK_ERR(setxattr("f", "nonsense", "x", 1, 0), EOPNOTSUPP);
    CHECK_ERR(setxattr("f", "nonsense.one", "x", 1, 0), EOPNOTSUPP);
    CHECK_ERR(getxattr("f", "nonsense.one", buf, sizeof buf), EOPNOTSUPP);
    CHECK_ERR(setxattr("f", "user.one", bad_pointer(), 1, 0), EFAULT);
    CHECK_ERR(setxattr("f", bad_pointer(), "x", 1, 0), EFAULT);
    CHECK_ERR(setxattr(bad_pointer(), "user.one", "x", 1, 0), EFAULT);
    CHECK_ERR(getxattr("f", "user.one", bad_pointer(), 64), EFAULT);
    CHECK_ERR(getxattr("f", "trusted.none", buf, sizeof buf), ENODATA);
    ok("errors");
}

/* trusted.* is for root; a guest has no part in its host's. */
static void trusted(void) {
    char buf[200];
    struct statfs fs;
    CHECK_OK(statfs("f", &fs));
    if (setxattr("f", "trusted.one", "first", 5, 0) != 0) {
        CHECK_EQ(errno, EPERM);
        CHECK(geteuid() != 0 || fs.f_type != TMPFS);
        ok("trusted.* is not for this program, or this file system");
        return;
    }
    CHECK_EQ(getxattr("f", "trusted.one", buf, sizeof buf), 5);
    CHECK(memcmp(buf, "first", 5) == 0);
    ssize_t n = listxattr("f", buf, sizeof buf);
    CHECK(n >= 12 && memmem(buf, (size_t)n, "trusted.one", 12) != NULL);
    CHECK_ERR(setxattr("f", "trusted.one", "x", 1, XATTR_CREATE), EEXIST);
    CHECK_OK(removexattr("f", "trusted.one"));
    CHECK_ERR(getxattr("f", "trusted.one", buf, sizeof buf), ENODATA);
    ok("trusted.*");
}

int main(void) {
    scratch();
    put_file("f", "text");
    if (setxattr("f", "user.probe", "", 0, 0) != 0 && errno == EOPNOTSUPP) {
        ok("no attributes here");
        return 0;
    }
    CHECK_OK(removexattr("f", "user.probe"));
    absent();
    trusted();
    values();
    names();
    links();
    errors();
    return 0;
}
