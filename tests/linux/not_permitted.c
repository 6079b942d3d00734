/* SPDX-License-Identifier: MIT */
/* Calls that manage a machine, made without privileges: what is looked at before EPERM, and what
 * stays as it was.  Ids are dropped at the start, so nothing happens to the machine either. */
#include "check.h"

#include <limits.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>

#define FANOTIFY_INIT 300
#define OPEN_BY_HANDLE_AT 304
#define QUOTA(cmd, type) ((int)((unsigned)(cmd) << 8 | (type)))

static void clocks(void) {
    const struct timespec at = {1000000000, 0}, wrong = {0, -1};
    const struct timeval tv = {1000000000, 0}, wrong_tv = {0, 1000000};
    CHECK_ERR(syscall(SYS_clock_settime, CLOCK_REALTIME, &at), EPERM);
    CHECK_ERR(syscall(SYS_clock_settime, CLOCK_REALTIME, &wrong), EINVAL);
    CHECK_ERR(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &at), EINVAL);
    CHECK_ERR(syscall(SYS_clock_settime, 99, &at), EINVAL);
    CHECK_ERR(syscall(SYS_clock_settime, CLOCK_REALTIME, bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_settimeofday, &tv, NULL), EPERM);
    CHECK_ERR(syscall(SYS_settimeofday, &wrong_tv, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_settimeofday, bad_pointer(), NULL), EFAULT);
    CHECK(time(NULL) > at.tv_sec);
    ok("clocks");
}

static void file_systems(void) {
    CHECK_ERR(syscall(SYS_mount, "none", "/", "tmpfs", 0, NULL), EPERM);
    CHECK_ERR(syscall(SYS_mount, "none", "/absent-directory", "tmpfs", 0, NULL), ENOENT);
    CHECK_ERR(syscall(SYS_mount, "none", bad_pointer(), "tmpfs", 0, NULL), EFAULT);
    CHECK_ERR(syscall(SYS_umount2, "/", 0), EPERM);
    CHECK_ERR(syscall(SYS_umount2, "/", 1 << 20), EINVAL);
    CHECK_ERR(syscall(SYS_umount2, "/absent-directory", 0), ENOENT);
    CHECK_ERR(syscall(SYS_pivot_root, "/", "/"), EPERM);
    CHECK_ERR(chroot("/"), EPERM);
    CHECK_ERR(chroot("/absent-directory"), ENOENT);
    ok("mounts");
}

static void others(void) {
    struct {
        unsigned bytes;
        int type;
        unsigned char data[8];
    } handle = {.bytes = 8};
    int fd = open("/", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_ERR(syscall(OPEN_BY_HANDLE_AT, fd, &handle, O_RDONLY), EPERM);
    CHECK_OK(close(fd));
    /* FAN_CLASS_CONTENT */
    CHECK(syscall(FANOTIFY_INIT, 4, O_RDONLY) == -1 && (errno == EPERM || errno == ENOSYS));
    CHECK_ERR(sethostname("other", 5), EPERM);
    CHECK_ERR(setdomainname("other", 5), EPERM);
    CHECK_ERR(syscall(SYS_quotactl, QUOTA(0x800002, 99), "/dev/null", 0, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_quotactl, QUOTA(0x800007, 0), "/absent-file", 0, NULL), ENOENT);
    CHECK_ERR(syscall(SYS_quotactl, QUOTA(0x800007, 0), "/dev/null", 0, NULL), ENOTBLK);
    CHECK_ERR(syscall(SYS_quotactl, QUOTA(0x800007, 0), NULL, 0, NULL), ENODEV);
    ok("others");
}

int main(void) {
    if (geteuid() == 0) {
        CHECK_OK(setresgid(1000, 1000, 1000));
        CHECK_OK(setresuid(1000, 1000, 1000));
    }
    clocks();
    file_systems();
    others();
    return 0;
}
