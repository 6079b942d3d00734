/* SPDX-License-Identifier: MIT */
/* splice(2), tee(2), vmsplice(2).  The guest's own pipes pass page frames on; a pipe of the host's
 * (a redirected standard stream, a FIFO of a share) is read and written. */
#include <kernel/heap.h>
#include <kernel/splice.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define F_MOVE 1 /* SPLICE_F_*, which libc defines and the kernel's headers do not */
#define F_NONBLOCK 2
#define F_MORE 4
#define F_GIFT 8
#define F_ALL (F_MOVE | F_NONBLOCK | F_MORE | F_GIFT)
#define BOUNCE_BYTES 65536

struct splice_end {
    struct file *f;
    struct pipe *pipe; /* the guest's own */
    gva_t offset_at;   /* 0: the file's position */
    int64_t pos;
};

static bool is_fifo(const struct splice_end *e) { return S_ISFIFO(e->f->mode); }

static bool is_stream(const struct splice_end *e) {
    return !S_ISREG(e->f->mode) && !S_ISBLK(e->f->mode);
}

static int end_open(struct splice_end *e, int fd, gva_t offset_at) {
    e->offset_at = offset_at;
    e->f = fd_get_io(fd);
    if (e->f == NULL) return -EBADF;
    if (e->f->ops->pipe != NULL) e->pipe = e->f->ops->pipe(e->f);
    return 0;
}

/* Where the end starts: 0 or -errno. */
static int end_offset(struct splice_end *e) {
    if (is_fifo(e)) return e->offset_at != 0 ? -ESPIPE : 0;
    if (e->offset_at != 0) {
        if (get_user(e->pos, e->offset_at) != 0) return -EFAULT;
        if (is_stream(e) || e->pos < 0) return -EINVAL;
        return 0;
    }
    if (!is_stream(e)) e->pos = file_seek(e->f, 0, SEEK_CUR);
    return e->pos < 0 ? (int)e->pos : 0;
}

static int64_t *end_pos(struct splice_end *e) { return is_stream(e) ? NULL : &e->pos; }

static int end_finish(struct splice_end *e) {
    if (is_fifo(e) || is_stream(e)) return 0;
    if (e->offset_at != 0) return put_user(e->pos, e->offset_at);
    file_seek(e->f, e->pos, SEEK_SET);
    return 0;
}

/* Between two pipes of the guest. */
static int64_t between(struct pipe *in, struct pipe *out, uint64_t len, bool nonblock, bool tee) {
    for (;;) {
        int r = pipe_wait_data(in, nonblock);
        if (r <= 0) return r;
        r = pipe_wait_room(out, nonblock);
        if (r != 0) return r;
        int64_t n = pipe_copy(in, out, len, tee);
        if (n != 0) return n;
    }
}

static int64_t write_all(struct splice_end *out, char *buf, uint64_t len) {
    int64_t *pos = end_pos(out);
    for (uint64_t done = 0; done < len;) {
        struct iovec vec;
        struct uio u = uio_kernel(&vec, buf + done, len - done);
        int64_t n = pos != NULL ? file_pwrite(out->f, &u, *pos) : file_write(out->f, &u);
        if (n <= 0) return done > 0 ? (int64_t)done : n;
        if (pos != NULL) *pos += n;
        done += (uint64_t)n;
    }
    return (int64_t)len;
}

/* From or to a pipe of the host. */
static int64_t bounce(struct splice_end *in, struct splice_end *out, uint64_t len, bool nonblock) {
    if (nonblock && !(file_poll(in->f) & (POLLIN | POLLHUP))) return -EAGAIN;
    if (nonblock && !(file_poll(out->f) & (POLLOUT | POLLERR))) return -EAGAIN;
    char *buf = kmalloc(BOUNCE_BYTES);
    if (buf == NULL) return -ENOMEM;
    struct iovec vec;
    struct uio u = uio_kernel(&vec, buf, min(len, (uint64_t)BOUNCE_BYTES));
    int64_t *pos = end_pos(in);
    int64_t n = pos != NULL ? file_pread(in->f, &u, *pos) : file_read(in->f, &u);
    if (n > 0) n = write_all(out, buf, (uint64_t)n);
    if (n > 0 && pos != NULL) *pos += n;
    kfree(buf);
    return n;
}

static int64_t splice_ends(struct splice_end *in, struct splice_end *out, uint64_t len,
                           uint32_t flags) {
    bool nonblock = (flags & F_NONBLOCK) != 0;
    int r;
    if (in->pipe != NULL && out->pipe != NULL) {
        if (in->pipe == out->pipe) return -EINVAL;
        nonblock |= ((in->f->flags | out->f->flags) & O_NONBLOCK) != 0;
        return between(in->pipe, out->pipe, len, nonblock, false);
    }
    if (is_fifo(in)) {
        if (!is_fifo(out) && out->f->flags & O_APPEND) return -EINVAL;
        nonblock |= (in->f->flags & O_NONBLOCK) != 0;
        if (in->pipe == NULL) return bounce(in, out, len, nonblock);
        r = pipe_wait_data(in->pipe, nonblock);
        return r <= 0 ? r : pipe_drain(in->pipe, out->f, end_pos(out), len);
    }
    if (!is_fifo(out) || S_ISDIR(in->f->mode)) return -EINVAL;
    nonblock |= (out->f->flags & O_NONBLOCK) != 0;
    if (out->pipe == NULL) return bounce(in, out, len, nonblock);
    r = pipe_wait_room(out->pipe, nonblock);
    return r != 0 ? r : pipe_fill(out->pipe, in->f, end_pos(in), len);
}

/* splice(2) */
int64_t sys_splice(int in_fd, gva_t in_at, int out_fd, gva_t out_at, uint64_t len, uint32_t flags) {
    struct splice_end in = {0}, out = {0};
    if (len == 0) return 0;
    if (flags & ~(uint32_t)F_ALL) return -EINVAL;
    int64_t r = end_open(&in, in_fd, in_at);
    if (r == 0) r = end_open(&out, out_fd, out_at);
    if (r == 0) r = end_offset(&in);
    if (r == 0) r = end_offset(&out);
    if (r == 0 && (!file_readable(in.f) || !file_writable(out.f))) r = -EBADF;
    if (r == 0) r = splice_ends(&in, &out, min(len, MAX_RW_COUNT), flags);
    if (r > 0) {
        int err = end_finish(&in);
        if (err == 0) err = end_finish(&out);
        if (err != 0) r = err;
    }
    if (in.f != NULL) file_put(in.f);
    if (out.f != NULL) file_put(out.f);
    return r;
}

/* tee(2) */
int64_t sys_tee(int in_fd, int out_fd, uint64_t len, uint32_t flags) {
    struct splice_end in = {0}, out = {0};
    if (flags & ~(uint32_t)F_ALL) return -EINVAL;
    if (len == 0) return 0;
    int64_t r = end_open(&in, in_fd, 0);
    if (r == 0) r = end_open(&out, out_fd, 0);
    if (r == 0 && (!file_readable(in.f) || !file_writable(out.f))) r = -EBADF;
    if (r == 0 && (in.pipe == NULL || out.pipe == NULL || in.pipe == out.pipe)) r = -EINVAL;
    if (r == 0) {
        bool nonblock = flags & F_NONBLOCK || (in.f->flags | out.f->flags) & O_NONBLOCK;
        r = between(in.pipe, out.pipe, min(len, MAX_RW_COUNT), nonblock, true);
    }
    if (in.f != NULL) file_put(in.f);
    if (out.f != NULL) file_put(out.f);
    return r;
}

static int64_t vmsplice_pipe(const struct splice_end *e, const struct uio *u, uint32_t flags) {
    bool nonblock = (flags & F_NONBLOCK) != 0;
    if (e->pipe == NULL) return -EBADF;
    if (u->len == 0) return 0;
    if (!file_writable(e->f)) {
        int r = pipe_wait_data(e->pipe, nonblock);
        return r <= 0 ? r : file_read(e->f, u);
    }
    int64_t r = pipe_wait_room(e->pipe, nonblock);
    if (r == 0) r = pipe_put(e->pipe, e->f->flags, u, 0);
    if (r > 0) pipe_changed(e->pipe, false);
    return r;
}

/* vmsplice(2): pages are copied, given or not. */
int64_t sys_vmsplice(int fd, gva_t iov, uint64_t count, uint32_t flags) {
    struct splice_end e = {0};
    struct user_iov v;
    if (flags & ~(uint32_t)F_ALL) return -EINVAL;
    int64_t r = end_open(&e, fd, 0);
    if (r != 0) return r;
    r = user_iov_get(&v, iov, count);
    if (r == 0) {
        r = vmsplice_pipe(&e, &v.uio, flags);
        user_iov_put(&v);
    }
    file_put(e.f);
    return r;
}
