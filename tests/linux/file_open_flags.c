/* SPDX-License-Identifier: MIT */
/* open(2), openat(2), creat(2): every flag's effect, the lowest descriptor rule and errors. */
#include "check.h"

#include <sys/resource.h>

static void create(void) {
    struct stat st;
    umask(027);
    int fd = open("f", O_WRONLY | O_CREAT | O_EXCL, 0666);
    CHECK(fd >= 0);
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_mode, S_IFREG | 0640);
    CHECK_OK(close(fd));
    CHECK_ERR(open("f", O_WRONLY | O_CREAT | O_EXCL, 0666), EEXIST);
    fd = open("f", O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0);
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_mode, S_IFREG | 0640);
    CHECK_OK(close(fd));
    umask(022);
    fd = creat("c", 0444);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "abc", 3), 3);
    CHECK_OK(close(fd));
    fd = open("c", O_WRONLY | O_TRUNC);
    if (geteuid() == 0) {
        CHECK(fd >= 0);
        CHECK_OK(close(fd));
        CHECK_STR(get_file("c"), "");
    } else {
        CHECK_EQ(errno, EACCES);
    }
    ok("O_CREAT, O_EXCL, O_TRUNC, umask");
}

static void lowest_descriptor(void) {
    int a = open("f", O_RDONLY), b = open("f", O_RDONLY), c = open("f", O_RDONLY);
    CHECK_EQ(b, a + 1);
    CHECK_EQ(c, b + 1);
    CHECK_OK(close(b));
    CHECK_EQ(open("f", O_RDONLY), b);
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    CHECK_OK(close(c));

    struct rlimit lim;
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &lim));
    struct rlimit low = {.rlim_cur = (rlim_t)a + 1, .rlim_max = lim.rlim_max};
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &low));
    CHECK_EQ(open("f", O_RDONLY), a);
    CHECK_ERR(open("f", O_RDONLY), EMFILE);
    CHECK_ERR(dup(a), EMFILE);
    CHECK_OK(close(a));
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &lim));
    ok("lowest descriptor, EMFILE");
}

static void status_flags(void) {
    int fd = open("f", O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC);
    CHECK(fd >= 0);
    int flags = fcntl(fd, F_GETFL);
    CHECK_EQ(flags & O_ACCMODE, O_RDWR);
    CHECK_EQ(flags & (O_APPEND | O_NONBLOCK), O_APPEND | O_NONBLOCK);
    CHECK_EQ(flags & (O_CREAT | O_CLOEXEC), 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_OK(close(fd));
    fd = open("f", O_RDONLY);
    CHECK_EQ(fcntl(fd, F_GETFD), 0);
    CHECK_OK(close(fd));
    ok("status flags");
}

static void links_and_directories(void) {
    CHECK_OK(mkdir("d", 0755));
    CHECK_OK(symlink("f", "l"));
    CHECK_OK(symlink("nowhere", "dangling"));
    CHECK_ERR(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERR(open("l", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERR(open("d", O_WRONLY), EISDIR);
    CHECK_ERR(open("d", O_RDWR), EISDIR);
    CHECK_ERR(open("d", O_RDONLY | O_CREAT, 0644), EISDIR);
    CHECK_ERR(open("dangling", O_RDONLY), ENOENT);
    CHECK_ERR(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
    int fd = open("dangling", O_WRONLY | O_CREAT, 0644);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    CHECK(exists("nowhere"));
    fd = open("d/", O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    ok("symbolic links and directories");
}

static void path_descriptor(void) {
    char c;
    struct stat st;
    int fd = open("f", O_PATH);
    CHECK(fd >= 0);
    CHECK_ERR(read(fd, &c, 1), EBADF);
    CHECK_ERR(write(fd, "x", 1), EBADF);
    CHECK_ERR(lseek(fd, 0, SEEK_SET), EBADF);
    CHECK_OK(fstat(fd, &st));
    CHECK(S_ISREG(st.st_mode));
    CHECK_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
    CHECK_OK(close(fd));
    fd = open("l", O_PATH | O_NOFOLLOW);
    CHECK(fd >= 0);
    CHECK_OK(fstat(fd, &st));
    CHECK(S_ISLNK(st.st_mode));
    CHECK_OK(close(fd));
    ok("O_PATH");
}

static void relative_to_directory(const char *top) {
    char path[600];
    put_file("d/x", "x");
    int dir = open("d", O_RDONLY | O_DIRECTORY), file = open("f", O_RDONLY);
    CHECK(dir >= 0 && file >= 0);
    int fd = openat(dir, "x", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    fd = openat(dir, "../f", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    fd = openat(dir, "new", O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    CHECK(exists("d/new"));
    snprintf(path, sizeof path, "%s/f", top);
    fd = openat(-1, path, O_RDONLY);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    CHECK_ERR(openat(-1, "f", O_RDONLY), EBADF);
    CHECK_ERR(openat(999, "f", O_RDONLY), EBADF);
    CHECK_ERR(openat(file, "f", O_RDONLY), ENOTDIR);
    CHECK_OK(close(dir));
    CHECK_OK(close(file));
    ok("openat");
}

static void bad_paths(void) {
    static char name[300], path[5000];
    memset(name, 'n', 256);
    for (size_t i = 0; i < 4200; i += 2)
        memcpy(path + i, "./", 2);
    CHECK_ERR(open("", O_RDONLY), ENOENT);
    CHECK_ERR(open("none", O_RDONLY), ENOENT);
    CHECK_ERR(open("none/x", O_RDONLY), ENOENT);
    CHECK_ERR(open("none/x", O_WRONLY | O_CREAT, 0600), ENOENT);
    CHECK_ERR(open("f/x", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("f/", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("fresh/", O_WRONLY | O_CREAT, 0600), EISDIR);
    CHECK_ERR(open(name, O_RDONLY), ENAMETOOLONG);
    CHECK_ERR(open(name, O_WRONLY | O_CREAT, 0600), ENAMETOOLONG);
    CHECK_ERR(open(path, O_RDONLY), ENAMETOOLONG);
    CHECK_ERR(open(bad_pointer(), O_RDONLY), EFAULT);
    name[255] = 0;
    int fd = open(name, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    path[4094] = 0; /* 4094 bytes and the NUL fit into PATH_MAX */
    fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    fd = open(".//./d///../f", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    ok("bad paths");
}

int main(void) {
    const char *top = scratch();
    create();
    lowest_descriptor();
    status_flags();
    links_and_directories();
    path_descriptor();
    relative_to_directory(top);
    bad_paths();
    return 0;
}
