/* SPDX-License-Identifier: MIT */
/* rename(2), renameat(2), renameat2(2) of files and links. */
#include "check.h"

#define NOREPLACE 1
#define EXCHANGE 2

static long renameat2_call(const char *from, const char *to, unsigned flags) {
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void files(void) {
    struct stat before, after;
    put_file("a", "A");
    CHECK_OK(stat("a", &before));
    CHECK_OK(rename("a", "b"));
    CHECK(!exists("a"));
    CHECK_OK(stat("b", &after));
    CHECK_EQ(before.st_ino, after.st_ino);
    put_file("c", "C");
    int fd = open("c", O_RDONLY);
    CHECK_OK(rename("b", "c"));
    CHECK_STR(get_file("c"), "A");
    /* The replaced file lives on while it is open. */
    char ch;
    CHECK_EQ(read(fd, &ch, 1), 1);
    CHECK_EQ(ch, 'C');
    CHECK_OK(close(fd));
    CHECK_OK(rename("c", "c"));
    CHECK_STR(get_file("c"), "A");
    /* Two names of one file: nothing happens. */
    CHECK_OK(link("c", "c2"));
    CHECK_OK(rename("c", "c2"));
    CHECK(exists("c") && exists("c2"));
    ok("files");
}

static void links_and_paths(void) {
    struct stat st;
    CHECK_OK(symlink("c", "l"));
    CHECK_OK(rename("l", "m"));
    CHECK_OK(lstat("m", &st));
    CHECK(S_ISLNK(st.st_mode));
    CHECK_OK(mkdir("d", 0755));
    CHECK_OK(rename("c", "d/c"));
    CHECK_STR(get_file("d/c"), "A");
    CHECK_OK(rename("d/c", "./d/../c"));
    CHECK_STR(get_file("c"), "A");
    int dir = open("d", O_RDONLY);
    CHECK_OK(renameat(AT_FDCWD, "c", dir, "moved"));
    CHECK_STR(get_file("d/moved"), "A");
    CHECK_OK(renameat(dir, "moved", AT_FDCWD, "c"));
    CHECK_OK(close(dir));
    ok("links and paths");
}

static void flags(void) {
    put_file("x", "X");
    put_file("y", "Y");
    CHECK_ERR(renameat2_call("x", "y", NOREPLACE), EEXIST);
    CHECK_OK(renameat2_call("x", "z", NOREPLACE));
    CHECK_STR(get_file("z"), "X");
    CHECK_OK(renameat2_call("y", "z", EXCHANGE));
    CHECK_STR(get_file("y"), "X");
    CHECK_STR(get_file("z"), "Y");
    CHECK_ERR(renameat2_call("y", "none", EXCHANGE), ENOENT);
    CHECK_ERR(renameat2_call("y", "z", EXCHANGE | NOREPLACE), EINVAL);
    CHECK_ERR(renameat2_call("y", "z", 0x100), EINVAL);
    ok("renameat2 flags");
}

static void errors(void) {
    CHECK_ERR(rename("none", "x"), ENOENT);
    CHECK_ERR(rename("", "x"), ENOENT);
    CHECK_ERR(rename("y", ""), ENOENT);
    CHECK_ERR(rename("y", "none/x"), ENOENT);
    CHECK_ERR(rename("y", "z/x"), ENOTDIR);
    CHECK_ERR(rename("y/x", "z"), ENOTDIR);
    CHECK_ERR(rename("y", "fresh/"), ENOTDIR);
    CHECK_ERR(rename("d/.", "e"), EBUSY);
    CHECK_ERR(rename("d", "d/.."), EBUSY);
    CHECK_ERR(rename(bad_pointer(), "e"), EFAULT);
    CHECK_ERR(renameat(999, "y", AT_FDCWD, "x"), EBADF);
    CHECK(exists("y"));
    ok("errors");
}

int main(void) {
    scratch();
    files();
    links_and_paths();
    flags();
    errors();
    return 0;
}
