/* SPDX-License-Identifier: MIT */
/* openat2(2): RESOLVE_* and the rules for the structure. */
#include "check.h"

enum {
    NO_XDEV = 1,
    NO_MAGICLINKS = 2,
    NO_SYMLINKS = 4,
    BENEATH = 8,
    IN_ROOT = 16,
    CACHED = 32,
};

struct how {
    uint64_t flags, mode, resolve;
    uint64_t more[2];
};

#define HOW_SIZE 24
#define OPENAT2 437

static int dir;

static int open2(const char *path, uint64_t flags, uint64_t resolve) {
    struct how how = {.flags = flags, .resolve = resolve};
    return (int)syscall(OPENAT2, dir, path, &how, HOW_SIZE);
}

static void opens(const char *path, uint64_t resolve) {
    int fd = open2(path, O_RDONLY, resolve);
    if (fd < 0) printf("%s with %#x\n", path, (unsigned)resolve);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
}

static void fails(const char *path, uint64_t resolve, int want) {
    int fd = open2(path, O_RDONLY, resolve);
    if (fd >= 0 || errno != want) printf("%s with %#x\n", path, (unsigned)resolve);
    CHECK_EQ(fd, -1);
    CHECK_EQ(errno, want);
}

static void bounds(const char *scratch_path) {
    char path[600];
    opens("sub/file", BENEATH);
    opens("sub/../sub/file", BENEATH);
    opens(".", BENEATH);
    fails("..", BENEATH, EXDEV);
    fails("../outside", BENEATH, EXDEV);
    fails("sub/../../outside", BENEATH, EXDEV);
    fails("/etc", BENEATH, EXDEV);
    fails("to_outside", BENEATH, EXDEV);
    fails("absolute", BENEATH, EXDEV);
    opens("to_file", BENEATH);
    opens("sub/up", BENEATH); /* a link with .. that stays inside */
    fails("absent", BENEATH, ENOENT);
    opens("..", IN_ROOT);
    opens("../../../file", IN_ROOT);
    opens("/file", IN_ROOT);
    opens("/sub/../../file", IN_ROOT);
    opens("absolute", IN_ROOT); /* "/file" is the root's */
    fails("to_outside", IN_ROOT, ENOENT);
    snprintf(path, sizeof path, "%s/outside", scratch_path);
    fails(path, IN_ROOT, ENOENT);
    opens(path, 0);
    fails("file", BENEATH | IN_ROOT, EINVAL);
    ok("bounds");
}

static void links(void) {
    char path[64];
    opens("to_file", 0);
    fails("to_file", NO_SYMLINKS, ELOOP);
    fails("to_sub/file", NO_SYMLINKS, ELOOP);
    opens("sub/file", NO_SYMLINKS);
    int fd = open2("to_file", O_PATH | O_NOFOLLOW, NO_SYMLINKS);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    opens("to_file", NO_MAGICLINKS);
    fd = open("root/file", O_RDONLY);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    opens(path, 0);
    fails(path, NO_MAGICLINKS, ELOOP);
    fails(path, NO_SYMLINKS, ELOOP);
    CHECK_OK(close(fd));
    ok("links");
}

static void mounts(void) {
    opens("sub/file", NO_XDEV);
    opens("to_file", NO_XDEV);
    fails("/proc/self/status", NO_XDEV, EXDEV);
    opens("/proc/self/status", 0);
    int was = dir;
    dir = open("/proc", O_PATH | O_DIRECTORY);
    opens("uptime", NO_XDEV);
    fails("..", NO_XDEV, EXDEV);
    CHECK_OK(close(dir));
    dir = was;
    ok("mounts");
}

static void structure(void) {
    struct how how = {.flags = O_RDONLY};
    CHECK_ERR(syscall(OPENAT2, dir, "file", &how, 0), EINVAL);
    CHECK_ERR(syscall(OPENAT2, dir, "file", &how, HOW_SIZE - 1), EINVAL);
    CHECK_ERR(syscall(OPENAT2, dir, "file", &how, CHECK_PAGE + 1), E2BIG);
    int fd = (int)syscall(OPENAT2, dir, "file", &how, sizeof how);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    how.more[1] = 1;
    CHECK_ERR(syscall(OPENAT2, dir, "file", &how, sizeof how), E2BIG);
    CHECK_ERR(syscall(OPENAT2, dir, "file", bad_pointer(), HOW_SIZE), EFAULT);
    how = (struct how){.flags = 1ULL << 40};
    CHECK_ERR(syscall(OPENAT2, dir, "file", &how, HOW_SIZE), EINVAL);
    how = (struct how){.flags = O_RDONLY, .mode = 0600};
    CHECK_ERR(syscall(OPENAT2, dir, "file", &how, HOW_SIZE), EINVAL);
    how = (struct how){.flags = O_CREAT | O_RDWR, .mode = 010000};
    CHECK_ERR(syscall(OPENAT2, dir, "file", &how, HOW_SIZE), EINVAL);
    how = (struct how){.flags = O_PATH | O_RDWR};
    CHECK_ERR(syscall(OPENAT2, dir, "file", &how, HOW_SIZE), EINVAL);
    how = (struct how){.flags = O_RDONLY, .resolve = 1 << 10};
    CHECK_ERR(syscall(OPENAT2, dir, "file", &how, HOW_SIZE), EINVAL);
    how = (struct how){.flags = O_CREAT | O_RDWR, .mode = 0600, .resolve = CACHED};
    CHECK_ERR(syscall(OPENAT2, dir, "file", &how, HOW_SIZE), EAGAIN);
    how = (struct how){.flags = O_CREAT | O_RDWR, .mode = 0600, .resolve = BENEATH};
    fd = (int)syscall(OPENAT2, dir, "sub/new", &how, HOW_SIZE);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    CHECK(exists("root/sub/new"));
    ok("structure");
}

int main(void) {
    const char *path = scratch();
    put_file("outside", "");
    CHECK_OK(mkdir("root", 0755));
    CHECK_OK(mkdir("root/sub", 0755));
    put_file("root/file", "");
    put_file("root/sub/file", "");
    CHECK_OK(symlink("file", "root/to_file"));
    CHECK_OK(symlink("sub", "root/to_sub"));
    CHECK_OK(symlink("../outside", "root/to_outside"));
    CHECK_OK(symlink("/file", "root/absolute"));
    CHECK_OK(symlink("../file", "root/sub/up"));
    dir = open("root", O_PATH | O_DIRECTORY);
    bounds(path);
    links();
    mounts();
    structure();
    return 0;
}
