/* SPDX-License-Identifier: MIT */
/* read(2), write(2) and their vectored and positioned forms. */
#include <syscall/protos.h>
#include <syscall/user.h>

#include "io.h"

#define CURRENT_POS (-1) /* preadv2(2): use and move the file's own position */

static int64_t io_read(int fd, const struct uio *u, bool positioned, int64_t pos) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    int64_t n = positioned ? file_pread(f, u, pos) : file_read(f, u);
    file_put(f);
    return n;
}

static int64_t io_write(int fd, const struct uio *u, bool positioned, int64_t pos) {
    struct file *f = fd_get(fd);
    if (f == NULL) return -EBADF;
    int64_t n = positioned ? file_pwrite(f, u, pos) : file_write(f, u);
    file_put(f);
    return n;
}

/* read(2) */
int64_t sys_read(int fd, gva_t buf, uint64_t len) {
    struct iovec vec;
    struct uio u = uio_one(&vec, buf, len);
    return io_read(fd, &u, false, 0);
}

/* write(2) */
int64_t sys_write(int fd, gva_t buf, uint64_t len) {
    struct iovec vec;
    struct uio u = uio_one(&vec, buf, len);
    return io_write(fd, &u, false, 0);
}

/* pread(2) */
int64_t sys_pread64(int fd, gva_t buf, uint64_t len, int64_t pos) {
    if (pos < 0) return -EINVAL;
    struct iovec vec;
    struct uio u = uio_one(&vec, buf, len);
    return io_read(fd, &u, true, pos);
}

/* pwrite(2) */
int64_t sys_pwrite64(int fd, gva_t buf, uint64_t len, int64_t pos) {
    if (pos < 0) return -EINVAL;
    struct iovec vec;
    struct uio u = uio_one(&vec, buf, len);
    return io_write(fd, &u, true, pos);
}

static int64_t io_vector(int fd, gva_t iov, uint64_t count, bool write, bool positioned,
                         int64_t pos) {
    struct user_iov v;
    int err = user_iov_get(&v, iov, count);
    if (err != 0) {
        /* A bad descriptor is reported before a bad vector. */
        struct file *f = fd_get_io(fd);
        if (f == NULL) return -EBADF;
        file_put(f);
        return err;
    }
    int64_t n =
        write ? io_write(fd, &v.uio, positioned, pos) : io_read(fd, &v.uio, positioned, pos);
    user_iov_put(&v);
    return n;
}

/* readv(2) */
int64_t sys_readv(int fd, gva_t iov, uint64_t count) {
    return io_vector(fd, iov, count, false, false, 0);
}

/* writev(2) */
int64_t sys_writev(int fd, gva_t iov, uint64_t count) {
    return io_vector(fd, iov, count, true, false, 0);
}

/* preadv(2); the high half of the position is for 32-bit programs. */
int64_t sys_preadv(int fd, gva_t iov, uint64_t count, int64_t pos, uint64_t pos_high) {
    return pos < 0 ? -EINVAL : io_vector(fd, iov, count, false, true, pos);
}

/* pwritev(2) */
int64_t sys_pwritev(int fd, gva_t iov, uint64_t count, int64_t pos, uint64_t pos_high) {
    return pos < 0 ? -EINVAL : io_vector(fd, iov, count, true, true, pos);
}

/* preadv2(2): RWF_NOWAIT is refused, as Linux does for files that cannot promise it; the flags for
 * writing mean nothing here. */
int64_t sys_preadv2(int fd, gva_t iov, uint64_t count, int64_t pos, uint64_t pos_high,
                    uint32_t flags) {
    if (pos < CURRENT_POS) return -EINVAL;
    if (flags & ~IO_RWF_KNOWN) return -EOPNOTSUPP;
    return io_vector(fd, iov, count, false, pos != CURRENT_POS, pos);
}

/* Appends whatever the descriptor's mode; the position ends behind the data. */
static int64_t io_append(struct file *f, const struct uio *u, bool positioned) {
    struct hc_attr attr;
    int err = file_getattr(f, &attr);
    if (err != 0) return err;
    int64_t n = file_pwrite(f, u, (int64_t)attr.size);
    if (n > 0 && !positioned) f->pos = (int64_t)attr.size + n;
    return n;
}

int64_t io_write_flags(struct file *f, const struct uio *u, bool positioned, int64_t pos,
                       uint32_t flags) {
    int64_t n;
    if (flags & RWF_APPEND && S_ISREG(f->mode))
        n = io_append(f, u, positioned);
    else
        n = positioned ? file_pwrite(f, u, pos) : file_write(f, u);
    if (n > 0 && flags & (RWF_DSYNC | RWF_SYNC)) {
        int err = file_sync(f, (flags & RWF_SYNC) == 0);
        if (err != 0 && err != -EINVAL) n = err; /* EINVAL: a file with nothing to write back */
    }
    return n;
}

/* pwritev2(2) */
int64_t sys_pwritev2(int fd, gva_t iov, uint64_t count, int64_t pos, uint64_t pos_high,
                     uint32_t flags) {
    if (pos < CURRENT_POS) return -EINVAL;
    if (flags & ~IO_RWF_KNOWN) return -EOPNOTSUPP;
    bool positioned = pos != CURRENT_POS;
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    struct user_iov v;
    int64_t n = file_writable(f) ? user_iov_get(&v, iov, count) : -EBADF;
    if (n == 0) {
        n = io_write_flags(f, &v.uio, positioned, pos, flags);
        user_iov_put(&v);
    }
    file_put(f);
    return n;
}
