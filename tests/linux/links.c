/* SPDX-License-Identifier: MIT */
/* link(2), symlink(2), readlink(2) and how paths go through symbolic links. */
#include "check.h"

static void hard_links(void) {
    struct stat a, b;
    put_file("f", "data");
    CHECK_OK(link("f", "g"));
    CHECK_OK(stat("f", &a));
    CHECK_OK(stat("g", &b));
    CHECK_EQ(a.st_ino, b.st_ino);
    CHECK_EQ(a.st_nlink, 2);
    put_file("g", "changed");
    CHECK_STR(get_file("f"), "changed");
    CHECK_OK(unlink("f"));
    CHECK_OK(stat("g", &b));
    CHECK_EQ(b.st_nlink, 1);
    CHECK_STR(get_file("g"), "changed");
    CHECK_OK(mkdir("d", 0755));
    CHECK_ERR(link("g", "g"), EEXIST);
    CHECK_ERR(link("none", "x"), ENOENT);
    CHECK_ERR(link("d", "x"), EPERM);
    CHECK_ERR(link("g", "none/x"), ENOENT);
    CHECK_ERR(link("g", "g/x"), ENOTDIR);
    CHECK_ERR(linkat(AT_FDCWD, "g", AT_FDCWD, "x", 0x8000000), EINVAL);
    /* link() takes a symbolic link itself, AT_SYMLINK_FOLLOW its target. */
    CHECK_OK(symlink("g", "s"));
    CHECK_OK(link("s", "hard-s"));
    CHECK_OK(lstat("hard-s", &a));
    CHECK(S_ISLNK(a.st_mode));
    CHECK_OK(linkat(AT_FDCWD, "s", AT_FDCWD, "hard-g", AT_SYMLINK_FOLLOW));
    CHECK_OK(lstat("hard-g", &a));
    CHECK_EQ(a.st_ino, b.st_ino);
    ok("hard links");
}

static void read_links(void) {
    char buf[300];
    CHECK_OK(symlink("/some/where", "abs"));
    CHECK_EQ(readlink("abs", buf, sizeof buf), 11);
    CHECK(memcmp(buf, "/some/where", 11) == 0);
    CHECK_EQ(readlink("abs", buf, 4), 4);
    CHECK(memcmp(buf, "/som", 4) == 0);
    CHECK_ERR(syscall(SYS_readlink, "abs", buf, 0), EINVAL);
    CHECK_ERR(readlink("g", buf, sizeof buf), EINVAL);
    CHECK_ERR(readlink("d", buf, sizeof buf), EINVAL);
    CHECK_ERR(readlink("none", buf, sizeof buf), ENOENT);
    CHECK_ERR(readlink("g/x", buf, sizeof buf), ENOTDIR);
    CHECK_ERR(readlink("abs", bad_pointer(), 11), EFAULT);
    CHECK_ERR(symlink("x", "abs"), EEXIST);
    CHECK_ERR(symlink("", "empty"), ENOENT);
    CHECK_ERR(symlink("x", "none/x"), ENOENT);
    CHECK_ERR(symlink("x", ""), ENOENT);
    CHECK_ERR(symlink(bad_pointer(), "x"), EFAULT);
    int dir = open("d", O_RDONLY);
    CHECK_OK(symlinkat("../g", dir, "up"));
    CHECK_EQ(readlinkat(dir, "up", buf, sizeof buf), 4);
    CHECK_STR(get_file("d/up"), "changed");
    CHECK_OK(close(dir));
    CHECK_ERR(readlinkat(999, "up", buf, sizeof buf), EBADF);
    int fd = open("abs", O_PATH | O_NOFOLLOW);
    CHECK(fd >= 0);
    CHECK_EQ(readlinkat(fd, "", buf, sizeof buf), 11);
    CHECK_OK(close(fd));
    ok("symlink, readlink");
}

static void loops(void) {
    struct stat st;
    char name[32], target[32];
    CHECK_OK(symlink("self", "self"));
    CHECK_ERR(stat("self", &st), ELOOP);
    CHECK_ERR(open("self", O_RDONLY), ELOOP);
    CHECK_ERR(open("self/x", O_RDONLY), ELOOP);
    CHECK_OK(lstat("self", &st));
    CHECK_OK(symlink("loop2", "loop1"));
    CHECK_OK(symlink("loop1", "loop2"));
    CHECK_ERR(stat("loop1", &st), ELOOP);
    /* A chain of 40 links is the limit. */
    CHECK_OK(symlink("g", "chain1"));
    for (int i = 2; i <= 41; i++) {
        snprintf(name, sizeof name, "chain%d", i);
        snprintf(target, sizeof target, "chain%d", i - 1);
        CHECK_OK(symlink(target, name));
    }
    CHECK_OK(stat("chain40", &st));
    CHECK_ERR(stat("chain41", &st), ELOOP);
    ok("ELOOP");
}

/* ".." after a link to a directory leaves the target's parent, not the link's. */
static void through_links(const char *top) {
    char path[600];
    CHECK_OK(mkdir("a", 0755));
    CHECK_OK(mkdir("a/b", 0755));
    put_file("a/here", "in a");
    put_file("here", "in top");
    CHECK_OK(symlink("a/b", "lb"));
    CHECK_STR(get_file("lb/../here"), "in a");
    CHECK_STR(get_file("a/../here"), "in top");
    put_file("lb/new", "new");
    CHECK_STR(get_file("a/b/new"), "new");
    snprintf(path, sizeof path, "%s/a", top);
    CHECK_OK(symlink(path, "absa"));
    CHECK_STR(get_file("absa/here"), "in a");
    CHECK_STR(get_file("absa/b/../../here"), "in top");
    CHECK_OK(symlink("../../here", "a/b/twoup"));
    CHECK_STR(get_file("lb/twoup"), "in top");
    CHECK_ERR(mkdir("self", 0755), EEXIST);
    CHECK_ERR(mkdir("abs", 0755), EEXIST); /* a dangling link is a name that exists */
    CHECK_ERR(rmdir("lb"), ENOTDIR);
    CHECK_OK(unlink("lb"));
    CHECK(exists("a/b/new"));
    CHECK_OK(chdir("/"));
    struct stat root, up;
    CHECK_OK(stat("/", &root));
    CHECK_OK(stat("/../..", &up));
    CHECK_EQ(root.st_ino, up.st_ino);
    CHECK_OK(chdir(top));
    ok("paths through links");
}

int main(void) {
    const char *top = scratch();
    hard_links();
    read_links();
    loops();
    through_links(top);
    return 0;
}
