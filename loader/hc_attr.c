/* SPDX-License-Identifier: MIT */
/* Host file metadata to and from struct hc_attr.  Owns nothing. */
#include <loader/hc_attr.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <loader/guest_mem.h>

#define NS_PER_SEC 1000000000LL
#define SET_ALL 255

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* newer than Debian 12's headers */
#endif

static struct timespec to_timespec(int64_t ns) {
    int64_t sec = ns / NS_PER_SEC, rest = ns % NS_PER_SEC;
    if (rest < 0) {
        rest += NS_PER_SEC;
        sec--;
    }
    return (struct timespec){.tv_sec = sec, .tv_nsec = rest};
}

int attr_put(gpa_t to, const struct statx *st) {
    struct hc_attr a;
    attr_from_statx(&a, st);
    return guest_copy_out(to, &a, sizeof(a));
}

int attr_put_entry(gpa_t to, uint32_t index, int dir, const char *name) {
    struct statx st = {0};
    const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
    bool plain = name[0] != 0 && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
                 strcmp(name, "..") != 0;
    if (!plain || statx(dir, name, flags, STATX_BASIC_STATS | STATX_BTIME, &st) != 0)
        st = (struct statx){0};
    return attr_put(to + index * sizeof(struct hc_attr), &st);
}

int attr_of_fd(int fd, struct statx *st) {
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, st) != 0) return -errno;
    return 0;
}

int attr_check(const struct hc_attr *a, uint32_t mask) {
    if (mask == 0 || (mask & ~(uint32_t)SET_ALL) != 0) return -EINVAL;
    if ((mask & HC_SET_SIZE) != 0 && a->size > INT64_MAX) return -EINVAL;
    return 0;
}

/* chmod of an O_PATH descriptor, which fchmod(2) refuses. */
static int change_mode(int fd, uint32_t mode) {
    if (syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH) == 0) return 0;
    if (errno != ENOSYS && errno != EPERM) return -errno;
    /* Before Linux 6.6, or a filter that does not know the call. */
    struct stat st;
    if (fstat(fd, &st) != 0) return -errno;
    if (S_ISLNK(st.st_mode)) return -EOPNOTSUPP;
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return chmod(path, mode) == 0 ? 0 : -errno;
}

static int change_times(int fd, const struct hc_attr *a, uint32_t mask) {
    struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_OMIT}};
    if ((mask & HC_SET_ATIME) != 0) t[0] = to_timespec(a->atime_ns);
    if ((mask & HC_SET_MTIME) != 0) t[1] = to_timespec(a->mtime_ns);
    if ((mask & HC_SET_ATIME_NOW) != 0) t[0].tv_nsec = UTIME_NOW;
    if ((mask & HC_SET_MTIME_NOW) != 0) t[1].tv_nsec = UTIME_NOW;
    return utimensat(fd, "", t, AT_EMPTY_PATH) == 0 ? 0 : -errno;
}

int attr_apply(int fd, const struct hc_attr *a, uint32_t mask) {
    int result = 0;
    if ((mask & (HC_SET_UID | HC_SET_GID)) != 0) {
        uid_t uid = (mask & HC_SET_UID) != 0 ? a->uid : (uid_t)-1;
        gid_t gid = (mask & HC_SET_GID) != 0 ? a->gid : (gid_t)-1;
        if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) != 0) return -errno;
    }
    if ((mask & HC_SET_MODE) != 0) result = change_mode(fd, a->mode & 07777);
    uint32_t times = HC_SET_ATIME | HC_SET_MTIME | HC_SET_ATIME_NOW | HC_SET_MTIME_NOW;
    if (result == 0 && (mask & times) != 0) result = change_times(fd, a, mask);
    return result;
}
