/* SPDX-License-Identifier: MIT */
/* sync(2) and its relatives; mounts and the like without privilege; F_SETFL's access-time flag. */
#include "check.h"

#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/uio.h>

static void syncing(void) {
    int fd = open("f", O_RDWR | O_CREAT, 0644), path = open("f", O_PATH), p[2];
    CHECK_EQ(write(fd, "text", 4), 4);
    sync();
    CHECK_OK(syncfs(fd));
    CHECK_OK(fsync(fd));
    CHECK_OK(fdatasync(fd));
    CHECK_OK(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
    CHECK_ERR(syncfs(-1), EBADF);
    CHECK_ERR(syncfs(path), EBADF);
    CHECK_ERR(fsync(path), EBADF);
    CHECK_OK(pipe(p));
    CHECK_ERR(fsync(p[0]), EINVAL);
    CHECK_ERR(sync_file_range(p[0], 0, 0, 0), ESPIPE);
    CHECK_ERR(sync_file_range(fd, 0, 0, 8), EINVAL);
    CHECK_ERR(sync_file_range(fd, -1, 0, 0), EINVAL);
    char more[] = "more";
    struct iovec v = {more, 4};
    CHECK_EQ(syscall(SYS_pwritev2, fd, &v, 1, 4L, 0L, 2), 4);  /* RWF_DSYNC */
    CHECK_EQ(syscall(SYS_pwritev2, fd, &v, 1, 0L, 0L, 16), 4); /* RWF_APPEND */
    CHECK_STR(get_file("f"), "textmoremore");
    CHECK_ERR(syscall(SYS_pwritev2, fd, &v, 1, 0L, 0L, 1 << 20), EOPNOTSUPP);
    CHECK_OK(close(fd));
    CHECK_OK(close(path));
    ok("sync");
}

static void handles(void) {
    struct {
        unsigned bytes;
        int type;
        unsigned char data[128];
    } h = {.bytes = 0};
    int mount_id;
    CHECK_ERR(syscall(SYS_name_to_handle_at, AT_FDCWD, "absent", &h, &mount_id, 0), ENOENT);
    CHECK_ERR(syscall(SYS_name_to_handle_at, AT_FDCWD, "f", &h, &mount_id, 0x4000), EINVAL);
    CHECK_ERR(chroot("absent"), ENOENT);
    CHECK_ERR(chroot("f"), ENOTDIR);
    CHECK_ERR(syscall(SYS_umount2, "f", 1 << 20), EINVAL);
    ok("handles");
}

int main(void) {
    scratch();
    syncing();
    handles();
    return 0;
}
