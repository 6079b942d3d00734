/* SPDX-License-Identifier: MIT */
/* chdir(2), fchdir(2), getcwd(2). */
#include "check.h"

static const char *here(void) {
    static char buf[4096];
    CHECK(getcwd(buf, sizeof buf) != NULL);
    return buf;
}

static void moves(const char *top) {
    char path[700];
    CHECK_OK(mkdir("a", 0755));
    CHECK_OK(mkdir("a/b", 0755));
    CHECK_OK(symlink("a/b", "l"));
    CHECK_OK(chdir("a/b"));
    snprintf(path, sizeof path, "%s/a/b", top);
    CHECK_STR(here(), path);
    CHECK_OK(chdir("../.."));
    CHECK_STR(here(), top);
    CHECK_OK(chdir("l"));
    CHECK_STR(here(), path);
    CHECK_OK(chdir(".."));
    snprintf(path, sizeof path, "%s/a", top);
    CHECK_STR(here(), path);
    CHECK_OK(chdir("./b/../../a//b/./"));
    CHECK_OK(chdir("/"));
    CHECK_STR(here(), "/");
    CHECK_OK(chdir(".."));
    CHECK_STR(here(), "/");
    CHECK_OK(chdir(top));
    int fd = open("a", O_RDONLY | O_DIRECTORY);
    CHECK_OK(fchdir(fd));
    CHECK_STR(here(), path);
    CHECK_OK(close(fd));
    fd = open(top, O_PATH | O_DIRECTORY);
    CHECK_OK(fchdir(fd));
    CHECK_STR(here(), top);
    CHECK_OK(close(fd));
    ok("moves");
}

static void raw_getcwd(const char *top) {
    char buf[700];
    long len = (long)strlen(top) + 1;
    CHECK_EQ(syscall(SYS_getcwd, buf, sizeof buf), len);
    CHECK_EQ(syscall(SYS_getcwd, buf, len), len);
    CHECK_ERR(syscall(SYS_getcwd, buf, len - 1), ERANGE);
    CHECK_ERR(syscall(SYS_getcwd, buf, 0), ERANGE);
    CHECK_ERR(syscall(SYS_getcwd, bad_pointer(), 700), EFAULT);
    ok("getcwd");
}

static void errors(const char *top) {
    put_file("f", "x");
    CHECK_ERR(chdir("none"), ENOENT);
    CHECK_ERR(chdir("f"), ENOTDIR);
    CHECK_ERR(chdir(""), ENOENT);
    CHECK_ERR(chdir(bad_pointer()), EFAULT);
    CHECK_ERR(fchdir(-1), EBADF);
    int fd = open("f", O_RDONLY);
    CHECK_ERR(fchdir(fd), ENOTDIR);
    CHECK_OK(close(fd));
    CHECK_STR(here(), top);
    ok("errors");
}

/* A renamed directory takes its inhabitants along; a removed one has no name. */
static void moved_under_us(const char *top) {
    char path[700];
    CHECK_OK(chdir("a/b"));
    snprintf(path, sizeof path, "%s/a", top);
    char other[700];
    snprintf(other, sizeof other, "%s/z", top);
    CHECK_OK(rename(path, other));
    snprintf(path, sizeof path, "%s/z/b", top);
    CHECK_STR(here(), path);
    CHECK_OK(rmdir(path));
    char buf[700];
    CHECK_ERR(syscall(SYS_getcwd, buf, sizeof buf), ENOENT);
    CHECK_ERR(open("x", O_WRONLY | O_CREAT, 0600), ENOENT);
    CHECK_OK(chdir(top));
    CHECK_STR(here(), top);
    ok("rename and removal of the current directory");
}

int main(void) {
    const char *top = scratch();
    moves(top);
    raw_getcwd(top);
    errors(top);
    moved_under_us(top);
    return 0;
}
