/* SPDX-License-Identifier: MIT */
/* Opening and closing files: open(2) and its relatives, close(2), pipe(2). */
#include <syscall/protos.h>
#include <syscall/user.h>

#define PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define CREATE_FLAGS (O_CREAT | __O_TMPFILE)
#define KNOWN_FLAGS                                                                                \
    (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC |          \
     O_DSYNC | FASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |            \
     O_CLOEXEC | O_PATH | O_TMPFILE)
#define RESOLVE_FLAGS                                                                              \
    (RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH |             \
     RESOLVE_IN_ROOT | RESOLVE_CACHED)

static int64_t open_within(int dirfd, gva_t path, uint32_t flags, uint32_t mode, uint32_t resolve) {
    struct vpath p;
    int err = vfs_path_resolve(&p, dirfd, path, resolve);
    if (err != 0) return err;
    struct file *f;
    err = vfs_open(&p, flags, mode, &f);
    if (err != 0) return err;
    return fd_install_or_put(f, 0, (flags & O_CLOEXEC) != 0);
}

static int64_t open_at(int dirfd, gva_t path, uint32_t flags, uint32_t mode) {
    return open_within(dirfd, path, flags, mode, 0);
}

/* open(2): unknown flags are ignored, as Linux does. */
int64_t sys_open(gva_t path, uint32_t flags, uint32_t mode) {
    return open_at(AT_FDCWD, path, flags & KNOWN_FLAGS, mode);
}

/* openat(2) */
int64_t sys_openat(int dirfd, gva_t path, uint32_t flags, uint32_t mode) {
    return open_at(dirfd, path, flags & KNOWN_FLAGS, mode);
}

/* creat(2) */
int64_t sys_creat(gva_t path, uint32_t mode) {
    return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* openat2(2): nothing is ever known without asking (RESOLVE_CACHED). */
int64_t sys_openat2(int dirfd, gva_t path, gva_t how_at, uint64_t size) {
    struct open_how how;
    if (size < sizeof(how)) return -EINVAL;
    if (size > PAGE_SIZE) return -E2BIG;
    if (get_user(how, how_at) != 0) return -EFAULT;
    /* A longer structure is from a newer Linux: fine as long as the rest is zero. */
    for (uint64_t at = sizeof(how); at < size; at++) {
        char byte;
        if (get_user(byte, how_at + at) != 0) return -EFAULT;
        if (byte != 0) return -E2BIG;
    }
    if (how.flags & ~(uint64_t)KNOWN_FLAGS) return -EINVAL;
    if (how.resolve & ~(uint64_t)RESOLVE_FLAGS) return -EINVAL;
    if (how.resolve & RESOLVE_BENEATH && how.resolve & RESOLVE_IN_ROOT) return -EINVAL;
    if (how.mode & ~07777ULL) return -EINVAL;
    if (how.mode != 0 && (how.flags & CREATE_FLAGS) == 0) return -EINVAL;
    if (how.flags & O_PATH && how.flags & ~(uint64_t)PATH_FLAGS) return -EINVAL;
    if (how.resolve & RESOLVE_CACHED) return -EAGAIN;
    return open_within(dirfd, path, (uint32_t)how.flags, (uint32_t)how.mode, (uint32_t)how.resolve);
}

/* close(2) */
int64_t sys_close(int fd) { return fd_close(fd); }

/* close_range(2) */
int64_t sys_close_range(uint32_t first, uint32_t last, uint32_t flags) {
    if (flags & ~(uint32_t)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) return -EINVAL;
    if (first > last) return -EINVAL;
    fd_close_range(first, last, (flags & CLOSE_RANGE_CLOEXEC) != 0);
    return 0;
}

/* pipe2(2) */
int64_t sys_pipe2(gva_t fds_at, uint32_t flags) {
    if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) return -EINVAL;
    struct file *ends[2];
    int err = pipe_create(ends, flags & (O_NONBLOCK | O_DIRECT));
    if (err != 0) return err;
    bool cloexec = (flags & O_CLOEXEC) != 0;
    int fds[2];
    fds[0] = fd_install_or_put(ends[0], 0, cloexec);
    if (fds[0] < 0) {
        file_put(ends[1]);
        return fds[0];
    }
    fds[1] = fd_install_or_put(ends[1], 0, cloexec);
    if (fds[1] < 0) {
        fd_close(fds[0]);
        return fds[1];
    }
    if (put_user(fds, fds_at) != 0) {
        fd_close(fds[0]);
        fd_close(fds[1]);
        return -EFAULT;
    }
    return 0;
}

/* pipe(2) */
int64_t sys_pipe(gva_t fds_at) { return sys_pipe2(fds_at, 0); }
