/* SPDX-License-Identifier: MIT */
/* utimensat(2), futimens(3), utimes(2) and which calls change which time. */
#include "check.h"

#include <sys/time.h>
#include <time.h>

static void set_and_read(void) {
    struct stat st;
    struct timespec times[2] = {{1000000000, 123456789}, {1500000000, 987654321}};
    put_file("f", "x");
    CHECK_OK(utimensat(AT_FDCWD, "f", times, 0));
    CHECK_OK(stat("f", &st));
    CHECK_EQ(st.st_atim.tv_sec, 1000000000);
    CHECK_EQ(st.st_atim.tv_nsec, 123456789);
    CHECK_EQ(st.st_mtim.tv_sec, 1500000000);
    CHECK_EQ(st.st_mtim.tv_nsec, 987654321);
    CHECK(st.st_ctim.tv_sec > 1600000000);
    times[0].tv_nsec = UTIME_OMIT;
    times[1] = (struct timespec){42, 0};
    CHECK_OK(utimensat(AT_FDCWD, "f", times, 0));
    CHECK_OK(stat("f", &st));
    CHECK_EQ(st.st_atim.tv_sec, 1000000000);
    CHECK_EQ(st.st_mtim.tv_sec, 42);
    times[0].tv_nsec = UTIME_NOW;
    times[1].tv_nsec = UTIME_OMIT;
    CHECK_OK(utimensat(AT_FDCWD, "f", times, 0));
    CHECK_OK(stat("f", &st));
    CHECK(st.st_atim.tv_sec > 1600000000);
    CHECK_EQ(st.st_mtim.tv_sec, 42);
    CHECK_OK(utimensat(AT_FDCWD, "f", NULL, 0));
    CHECK_OK(stat("f", &st));
    CHECK(st.st_mtim.tv_sec > 1600000000);
    struct timeval micro[2] = {{77, 5}, {88, 6}};
    CHECK_OK(utimes("f", micro));
    CHECK_OK(stat("f", &st));
    CHECK_EQ(st.st_atim.tv_sec, 77);
    CHECK_EQ(st.st_mtim.tv_nsec, 6000);
    int fd = open("f", O_RDONLY);
    struct timespec pair[2] = {{5, 5}, {6, 6}};
    CHECK_OK(futimens(fd, pair));
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_mtim.tv_sec, 6);
    CHECK_OK(close(fd));
    ok("set and read");
}

static void links(void) {
    struct stat st;
    struct timespec times[2] = {{11, 0}, {12, 0}};
    CHECK_OK(symlink("f", "l"));
    CHECK_OK(utimensat(AT_FDCWD, "l", times, AT_SYMLINK_NOFOLLOW));
    CHECK_OK(lstat("l", &st));
    CHECK_EQ(st.st_mtim.tv_sec, 12);
    CHECK_OK(stat("f", &st));
    CHECK_EQ(st.st_mtim.tv_sec, 6);
    CHECK_OK(utimensat(AT_FDCWD, "l", times, 0));
    CHECK_OK(stat("f", &st));
    CHECK_EQ(st.st_mtim.tv_sec, 12);
    ok("symbolic links");
}

static void errors(void) {
    struct timespec bad[2] = {{0, 1000000000}, {0, 0}};
    CHECK_ERR(syscall(SYS_utimensat, AT_FDCWD, "f", bad, 0), EINVAL);
    CHECK_ERR(syscall(SYS_utimensat, AT_FDCWD, "none", NULL, 0), ENOENT);
    CHECK_ERR(syscall(SYS_utimensat, 999, "f", NULL, 0), EBADF);
    CHECK_ERR(syscall(SYS_utimensat, 999, NULL, NULL, 0), EBADF);
    CHECK_ERR(syscall(SYS_utimensat, AT_FDCWD, "f", NULL, 0x8000000), EINVAL);
    CHECK_ERR(syscall(SYS_utimensat, AT_FDCWD, "f", bad_pointer(), 0), EFAULT);
    ok("errors");
}

static void implied_changes(void) {
    struct stat st;
    struct timespec old[2] = {{100, 0}, {100, 0}};
    struct timespec before;
    CHECK_OK(clock_gettime(CLOCK_REALTIME, &before));
    CHECK_OK(utimensat(AT_FDCWD, "f", old, 0));
    int fd = open("f", O_WRONLY);
    CHECK_EQ(write(fd, "y", 1), 1);
    CHECK_OK(close(fd));
    CHECK_OK(stat("f", &st));
    CHECK(st.st_mtim.tv_sec >= before.tv_sec - 1);
    CHECK_OK(mkdir("d", 0755));
    CHECK_OK(utimensat(AT_FDCWD, "d", old, 0));
    put_file("d/x", "x");
    CHECK_OK(stat("d", &st));
    CHECK(st.st_mtim.tv_sec >= before.tv_sec - 1);
    CHECK_OK(utimensat(AT_FDCWD, "f", old, 0));
    CHECK_OK(truncate("f", 0));
    CHECK_OK(stat("f", &st));
    CHECK(st.st_mtim.tv_sec >= before.tv_sec - 1);
    ok("implied changes");
}

int main(void) {
    scratch();
    set_and_read();
    links();
    errors();
    implied_changes();
    return 0;
}
