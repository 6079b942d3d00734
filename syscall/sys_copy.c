/* SPDX-License-Identifier: MIT */
/* Copying between files inside the kernel: sendfile(2), copy_file_range(2). */
#include <kernel/heap.h>
#include <kernel/signal.h>
#include <kernel/socket.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define BOUNCE_BYTES 65536

/* One end of a copy: an offset of its own, or the file's position. */
struct copy_end {
    struct file *f;
    gva_t offset_at; /* 0: use f->pos */
    int64_t pos;     /* bytes */
    bool stream;     /* has no positions */
};

static int end_open(struct copy_end *e, int fd, gva_t offset_at) {
    e->offset_at = offset_at;
    e->f = fd_get_io(fd);
    if (e->f == NULL) return -EBADF;
    e->stream = !S_ISREG(e->f->mode);
    if (!e->stream) e->pos = file_seek(e->f, 0, SEEK_CUR); /* the host may share it */
    if (offset_at != 0 && get_user(e->pos, offset_at) != 0) return -EFAULT;
    return e->pos < 0 ? -EINVAL : 0;
}

/* Tells the program, or the file, how far the copy came. */
static int end_close(struct copy_end *e, bool moved) {
    int err = 0;
    if (e->f == NULL) return 0;
    if (moved && e->offset_at != 0)
        err = put_user(e->pos, e->offset_at);
    else if (moved && !e->stream)
        (void)file_seek(e->f, e->pos, SEEK_SET);
    file_put(e->f);
    return err;
}

static int64_t end_write(struct copy_end *out, void *buf, uint64_t len) {
    struct iovec vec;
    struct uio u = uio_kernel(&vec, buf, len);
    if (out->stream) return file_write(out->f, &u);
    return file_pwrite(out->f, &u, out->pos);
}

/* Copies up to len bytes; the number copied, or -errno if that is none. */
static int64_t copy_data(struct copy_end *in, struct copy_end *out, uint64_t len) {
    char *buf = kmalloc(BOUNCE_BYTES);
    if (buf == NULL) return -ENOMEM;
    uint64_t done = 0;
    int64_t n = 0;
    while (done < len) {
        struct iovec vec;
        struct uio u = uio_kernel(&vec, buf, min(len - done, (uint64_t)BOUNCE_BYTES));
        n = file_pread(in->f, &u, in->pos);
        if (n <= 0) break;
        int64_t got = n;
        n = end_write(out, buf, (uint64_t)got);
        if (n <= 0) break;
        done += (uint64_t)n;
        in->pos += n;
        out->pos += n;
        if (n < got || signal_pending()) break;
    }
    kfree(buf);
    return done > 0 ? (int64_t)done : n;
}

static int64_t copy_finish(struct copy_end *in, struct copy_end *out, int64_t n) {
    int err = end_close(in, n > 0);
    int out_err = end_close(out, n > 0);
    if (err != 0) n = err;
    return out_err != 0 ? out_err : n;
}

/* A host file to a connection of the host's: the loader sends it from there. */
static int64_t send_data(struct copy_end *in, struct copy_end *out, uint64_t len) {
    int64_t n = len > 0 ? socket_send_file(out->f, in->f, in->pos, len) : 0;
    if (n == -EOPNOTSUPP) return copy_data(in, out, len);
    if (n > 0) in->pos += n;
    return n;
}

/* sendfile(2) */
int64_t sys_sendfile(int out_fd, int in_fd, gva_t offset_at, uint64_t count) {
    struct copy_end in = {0}, out = {0};
    int64_t n = end_open(&in, in_fd, offset_at);
    if (n == 0) n = end_open(&out, out_fd, 0);
    if (n == 0) {
        if (!file_readable(in.f) || !file_writable(out.f))
            n = -EBADF;
        else if (in.stream || out.f->flags & O_APPEND)
            n = -EINVAL;
        else
            n = send_data(&in, &out, min(count, MAX_RW_COUNT));
    }
    return copy_finish(&in, &out, n);
}

static int copy_check(const struct copy_end *in, const struct copy_end *out, uint64_t len) {
    if (S_ISDIR(in->f->mode) || S_ISDIR(out->f->mode)) return -EISDIR;
    if (in->stream || out->stream) return -EINVAL;
    if (!file_readable(in->f) || !file_writable(out->f) || out->f->flags & O_APPEND) return -EBADF;
    int64_t size = (int64_t)min(len, (uint64_t)INT64_MAX);
    int64_t in_end, out_end;
    if (__builtin_add_overflow(in->pos, size, &in_end) ||
        __builtin_add_overflow(out->pos, size, &out_end))
        return -EOVERFLOW;
    struct hc_attr a, b;
    int err = file_getattr(in->f, &a);
    if (err == 0) err = file_getattr(out->f, &b);
    if (err != 0) return err;
    bool same = a.dev == b.dev && a.ino == b.ino;
    return same && in->pos < out_end && out->pos < in_end ? -EINVAL : 0;
}

/* copy_file_range(2) */
int64_t sys_copy_file_range(int in_fd, gva_t in_at, int out_fd, gva_t out_at, uint64_t len,
                            uint32_t flags) {
    struct copy_end in = {0}, out = {0};
    int64_t n = end_open(&in, in_fd, in_at);
    if (n == 0) n = end_open(&out, out_fd, out_at);
    if (n == 0 && flags != 0) n = -EINVAL;
    if (n == 0) n = copy_check(&in, &out, len);
    if (n == 0) n = copy_data(&in, &out, min(len, MAX_RW_COUNT));
    return copy_finish(&in, &out, n);
}
