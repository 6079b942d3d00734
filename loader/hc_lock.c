/* SPDX-License-Identifier: MIT */
/* FILE_LOCK and FILE_REOPEN: locks that other processes of the host see.  Record locks are OFD
 * locks, for this process may have one file open through several handles. */
#include <loader/hc_handle.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <loader/hc_attr.h>
#include <loader/hc_path.h>

#define STDIO 3

static int64_t lock_whole(const struct handle *h, uint32_t type) {
    int operation = type == F_UNLCK ? LOCK_UN : type == F_WRLCK ? LOCK_EX : LOCK_SH;
    int r;
    do
        r = flock(h->fd, operation | LOCK_NB);
    while (r != 0 && errno == EINTR);
    return r == 0 ? 0 : -errno;
}

static int64_t lock_range(const struct handle *h, struct hc_file_lock *a) {
    struct flock l = {.l_type = (short)a->type, .l_whence = SEEK_SET};
    l.l_start = a->start;
    l.l_len = a->len;
    if (a->start < 0 || a->len < 0) return -EINVAL;
    if (fcntl(h->fd, a->what == HC_LOCK_QUERY ? F_OFD_GETLK : F_OFD_SETLK, &l) != 0)
        return errno == EACCES ? -EAGAIN : -errno;
    if (a->what != HC_LOCK_QUERY) return 0;
    a->type = (uint32_t)l.l_type;
    a->start = l.l_start;
    a->len = l.l_len;
    a->pid = l.l_pid == -1 ? -1 : 0; /* the host's process numbers mean nothing to the guest */
    return 0;
}

int64_t hc_file_lock(union hc_args *args) {
    struct hc_file_lock *a = &args->file_lock;
    struct handle *h = handle_get(a->handle);
    if (h == NULL) return -EBADF;
    if (h->readonly) return -EROFS;
    if (a->type != F_RDLCK && a->type != F_WRLCK && a->type != F_UNLCK) return -EINVAL;
    if (a->what == HC_LOCK_WHOLE) return lock_whole(h, a->type);
    if (a->what != HC_LOCK_RANGE && a->what != HC_LOCK_QUERY) return -EINVAL;
    /* A standard stream's open file outlives this process, and a lock would with it. */
    if (a->handle < STDIO) return -EINVAL;
    struct statx st;
    int64_t r = lock_range(h, a);
    if (r != 0 || a->attr == 0 || a->type == F_UNLCK) return r;
    r = attr_of_fd(h->fd, &st);
    return r == 0 ? attr_put(a->attr, &st) : r;
}

int64_t hc_file_reopen(union hc_args *args) {
    uint32_t number = args->file_reopen.handle;
    struct handle *h = handle_get(number);
    char path[32];
    if (h == NULL) return -EBADF;
    /* Who redirected a file to the program chose how it may be used. */
    if (number < STDIO || handle_type(h) != S_IFREG) return -EINVAL;
    if (h->readonly) return -EROFS;
    int access = fcntl(h->fd, F_GETFL);
    if (access < 0) return -errno;
    if ((access & O_PATH) != 0) return -EBADF;
    access &= O_ACCMODE;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", h->fd);
    const int flags = O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    int fd = open(path, O_RDWR | flags);
    if (fd < 0 && errno == EMFILE && fd_limit_raise()) fd = open(path, O_RDWR | flags);
    if (fd < 0 && errno == EACCES) fd = open(path, access | flags);
    return fd >= 0 ? handle_new(fd, false) : -errno;
}
