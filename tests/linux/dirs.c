/* SPDX-License-Identifier: MIT */
/* mkdir(2), rmdir(2), unlink(2), getdents64(2) and renames of directories. */
#include "check.h"

#include <dirent.h>

#define MANY 1000

struct dirent_raw {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};

static void make_and_remove(void) {
    struct stat st;
    CHECK_OK(mkdir("d", 0777));
    CHECK_OK(stat("d", &st));
    CHECK_EQ(st.st_mode, S_IFDIR | 0755);
    CHECK_ERR(mkdir("d", 0777), EEXIST);
    put_file("f", "x");
    CHECK_ERR(mkdir("f", 0777), EEXIST);
    CHECK_ERR(mkdir("none/x", 0777), ENOENT);
    CHECK_ERR(mkdir("f/x", 0777), ENOTDIR);
    CHECK_ERR(mkdir("", 0777), ENOENT);
    CHECK_ERR(mkdir(".", 0777), EEXIST);
    CHECK_ERR(mkdir("/", 0777), EEXIST);
    CHECK_ERR(mkdir(bad_pointer(), 0777), EFAULT);
    CHECK_OK(mkdir("d/e/", 0700));
    CHECK_ERR(rmdir("d"), ENOTEMPTY);
    CHECK_ERR(rmdir("f"), ENOTDIR);
    CHECK_ERR(rmdir("none"), ENOENT);
    CHECK_ERR(rmdir("d/e/."), EINVAL);
    CHECK_ERR(rmdir("d/e/.."), ENOTEMPTY);
    CHECK_ERR(unlink("d"), EISDIR);
    CHECK_ERR(unlink("none"), ENOENT);
    CHECK_ERR(unlink("f/"), ENOTDIR);
    CHECK_OK(rmdir("d/e/"));
    CHECK_OK(rmdir("d"));
    CHECK(!exists("d"));
    ok("mkdir, rmdir");
}

static void at_calls(void) {
    CHECK_OK(mkdir("top", 0755));
    int dir = open("top", O_RDONLY | O_DIRECTORY);
    CHECK(dir >= 0);
    CHECK_OK(mkdirat(dir, "sub", 0755));
    CHECK(exists("top/sub"));
    CHECK_ERR(unlinkat(dir, "sub", 0), EISDIR);
    CHECK_ERR(unlinkat(dir, "sub", 0x100000), EINVAL);
    CHECK_OK(unlinkat(dir, "sub", AT_REMOVEDIR));
    put_file("top/file", "x");
    CHECK_ERR(unlinkat(dir, "file", AT_REMOVEDIR), ENOTDIR);
    CHECK_OK(unlinkat(dir, "file", 0));
    CHECK_ERR(unlinkat(dir, "file", 0), ENOENT);
    CHECK_ERR(mkdirat(999, "x", 0755), EBADF);
    CHECK_OK(close(dir));
    CHECK_OK(rmdir("top"));
    ok("mkdirat, unlinkat");
}

/* Lists everything through a buffer of `size` bytes; checks records and counts the names. */
static void list_with(size_t size) {
    static char buf[65536] __attribute__((aligned(8)));
    static unsigned char seen[MANY];
    int dots = 0, names = 0, fd = open("many", O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0);
    memset(seen, 0, sizeof seen);
    long n;
    while ((n = syscall(SYS_getdents64, fd, buf, size)) > 0) {
        for (long at = 0; at < n;) {
            struct dirent_raw *d = (struct dirent_raw *)(buf + at);
            CHECK(d->reclen % 8 == 0 && d->reclen >= 24);
            CHECK(d->ino != 0);
            if (d->name[0] == '.') {
                dots++;
                CHECK(d->type == DT_DIR || d->type == DT_UNKNOWN);
            } else {
                int i = atoi(d->name + 4);
                CHECK(i >= 0 && i < MANY && !seen[i]);
                CHECK(d->type == DT_REG || d->type == DT_UNKNOWN);
                seen[i] = 1;
                names++;
            }
            at += d->reclen;
        }
    }
    CHECK_EQ(n, 0);
    CHECK_EQ(dots, 2);
    CHECK_EQ(names, MANY);
    CHECK_EQ(syscall(SYS_getdents64, fd, buf, size), 0);
    CHECK_OK(close(fd));
}

static void listing(void) {
    char name[64], buf[256];
    CHECK_OK(mkdir("many", 0755));
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many/file%d", i);
        int fd = open(name, O_WRONLY | O_CREAT, 0600);
        CHECK(fd >= 0);
        CHECK_OK(close(fd));
    }
    list_with(65536);
    list_with(100);
    int fd = open("many", O_RDONLY);
    CHECK_ERR(syscall(SYS_getdents64, fd, buf, 8), EINVAL);
    CHECK_ERR(syscall(SYS_getdents64, fd, bad_pointer(), 256), EFAULT);
    CHECK_OK(close(fd));
    fd = open("f", O_RDONLY);
    CHECK_ERR(syscall(SYS_getdents64, fd, buf, sizeof buf), ENOTDIR);
    CHECK_OK(close(fd));
    CHECK_ERR(syscall(SYS_getdents64, -1, buf, sizeof buf), EBADF);
    ok("getdents64");
}

static void positions(void) {
    char third[256];
    DIR *dir = opendir("many");
    CHECK(dir != NULL);
    CHECK(readdir(dir) != NULL);
    CHECK(readdir(dir) != NULL);
    long at = telldir(dir);
    struct dirent *d = readdir(dir);
    CHECK(d != NULL);
    snprintf(third, sizeof third, "%s", d->d_name);
    for (int i = 0; i < 20; i++)
        CHECK(readdir(dir) != NULL);
    seekdir(dir, at);
    d = readdir(dir);
    CHECK(d != NULL);
    CHECK_STR(d->d_name, third);
    rewinddir(dir);
    int count = 0;
    while (readdir(dir) != NULL)
        count++;
    CHECK_EQ(count, MANY + 2);
    CHECK_OK(closedir(dir));
    ok("seekdir, rewinddir");
}

/* Removing what was already listed neither hides nor repeats other names. */
static void remove_while_listing(void) {
    char name[300];
    int removed = 0;
    DIR *dir = opendir("many");
    CHECK(dir != NULL);
    for (struct dirent *d; (d = readdir(dir)) != NULL;) {
        if (d->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "many/%s", d->d_name);
        CHECK_OK(unlink(name));
        removed++;
    }
    CHECK_EQ(removed, MANY);
    CHECK_OK(closedir(dir));
    CHECK_OK(rmdir("many"));
    ok("remove while listing");
}

static void unlink_while_open(void) {
    char buf[8];
    struct stat st;
    int fd = open("gone", O_RDWR | O_CREAT, 0600);
    CHECK_EQ(write(fd, "kept", 4), 4);
    CHECK_OK(unlink("gone"));
    CHECK(!exists("gone"));
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_nlink, 0);
    CHECK_EQ(st.st_size, 4);
    CHECK_EQ(pread(fd, buf, 8, 0), 4);
    CHECK(memcmp(buf, "kept", 4) == 0);
    CHECK_EQ(pwrite(fd, "more", 4, 4), 4);
    put_file("gone", "other");
    CHECK_EQ(pread(fd, buf, 8, 0), 8);
    CHECK(memcmp(buf, "keptmore", 8) == 0);
    CHECK_OK(close(fd));
    CHECK_STR(get_file("gone"), "other");
    ok("unlink while open");
}

static void rename_directories(void) {
    CHECK_OK(mkdir("p", 0755));
    CHECK_OK(mkdir("p/q", 0755));
    put_file("p/q/f", "deep");
    CHECK_ERR(rename("p", "p/q/r"), EINVAL);
    CHECK_ERR(rename("p", "p/p"), EINVAL);
    CHECK_OK(rename("p", "r"));
    CHECK(!exists("p"));
    CHECK_STR(get_file("r/q/f"), "deep");
    CHECK_OK(mkdir("empty", 0755));
    CHECK_OK(mkdir("full", 0755));
    put_file("full/x", "x");
    CHECK_ERR(rename("empty", "full"), ENOTEMPTY);
    CHECK_OK(rename("full", "empty"));
    CHECK_STR(get_file("empty/x"), "x");
    CHECK_ERR(rename("empty", "f"), ENOTDIR);
    CHECK_ERR(rename("f", "empty"), EISDIR);
    ok("rename directories");
}

static void removed_directory(void) {
    char buf[256];
    CHECK_OK(mkdir("away", 0755));
    int fd = open("away", O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0);
    CHECK_OK(rmdir("away"));
    CHECK_ERR(openat(fd, "x", O_WRONLY | O_CREAT, 0600), ENOENT);
    CHECK_ERR(mkdirat(fd, "x", 0700), ENOENT);
    CHECK_ERR(openat(fd, "x", O_RDONLY), ENOENT);
    /* ENOENT from the virtual file system, or an empty listing: never a name. */
    CHECK(syscall(SYS_getdents64, fd, buf, sizeof buf) <= 0);
    CHECK_OK(close(fd));
    ok("removed directory");
}

int main(void) {
    umask(022);
    scratch();
    make_and_remove();
    at_calls();
    listing();
    positions();
    remove_while_listing();
    unlink_while_open();
    rename_directories();
    removed_directory();
    return 0;
}
