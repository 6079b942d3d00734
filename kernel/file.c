/* SPDX-License-Identifier: MIT */
/* Open files: references, access checks, positions.  Whatever is the same for every kind of file
 * and would otherwise be repeated in each file_ops. */
#include <hermit/linux_abi.h>
#include <kernel/epoll.h>
#include <kernel/file_owner.h>
#include <kernel/filelock.h>
#include <kernel/frame.h>
#include <kernel/heap.h>
#include <kernel/notify.h>
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>

struct file *file_new(const struct file_ops *ops, uint32_t flags, uint32_t mode) {
    struct file *f = kzalloc(sizeof(*f));

    if (!f) return NULL;
    f->ops = ops;
    f->refs = 1;
    f->flags = flags;
    f->mode = mode & S_IFMT;
    return f;
}

struct file *file_ref(struct file *f) {
    f->refs++;
    return f;
}

void file_put(struct file *f) {
    if (--f->refs > 0) return;
    if (f->ops) notify_closed(f);
    filelock_file_gone(f);
    if (f->watches) epoll_file_closed(f);
    file_owner_release(f);
    if (f->ops && f->ops->release) f->ops->release(f);
    kfree(f->path);
    kfree(f);
}

static bool can_read(const struct file *f) {
    return !(f->flags & O_PATH) && (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool can_write(const struct file *f) {
    return !(f->flags & O_PATH) && (f->flags & O_ACCMODE) != O_RDONLY;
}

/* Pipes, sockets, terminals and files without a type have no position. */
bool file_is_stream(struct file *f) {
    if (S_ISREG(f->mode) || S_ISDIR(f->mode)) return false;
    if (S_ISFIFO(f->mode) || S_ISSOCK(f->mode) || f->mode == 0) return true;
    return f->ops->seek && f->ops->seek(f, 0, SEEK_CUR) == -ESPIPE;
}

static int64_t account_read(int64_t n) {
    struct io_account *io = &current_process()->io;

    io->syscr++;
    if (n > 0) io->rchar += (uint64_t)n;
    return n;
}

static int64_t account_write(int64_t n) {
    struct io_account *io = &current_process()->io;

    io->syscw++;
    if (n > 0) io->wchar += (uint64_t)n;
    return n;
}

static int64_t read_at(struct file *f, const struct uio *u, int64_t *pos) {
    int64_t end, n;

    if (!can_read(f)) return -EBADF;
    if (S_ISDIR(f->mode)) return -EISDIR;
    if (!f->ops->read) return -EINVAL;
    if (__builtin_add_overflow(*pos, (int64_t)u->len, &end)) return -EOVERFLOW;
    n = account_read(f->ops->read(f, u, pos));
    if (f->watches) epoll_file_used(f);
    if (n > 0) notify_file(f, IN_ACCESS);
    return n;
}

/* How many of len bytes RLIMIT_FSIZE lets a write at pos have; -EFBIG when none. */
static int64_t size_limit(struct file *f, int64_t pos, uint64_t len) {
    uint64_t limit = current_process()->limits[RLIMIT_FSIZE].rlim_cur;
    struct hc_attr attr;

    limit = min(limit, (uint64_t)INT64_MAX);
    if ((f->flags & O_APPEND) && limit != INT64_MAX && file_getattr(f, &attr) == 0)
        pos = (int64_t)attr.size;
    if (len == 0) return 0;
    if ((uint64_t)pos >= limit) {
        if (limit != INT64_MAX) signal_send(SIGXFSZ, NULL);
        return -EFBIG;
    }
    return (int64_t)min(len, limit - (uint64_t)pos);
}

static int64_t write_at(struct file *f, const struct uio *u, int64_t *pos) {
    struct uio cut = *u;
    int64_t n;

    if (!can_write(f)) return -EBADF;
    if (!f->ops->write) return -EINVAL;
    if (S_ISREG(f->mode)) {
        n = size_limit(f, *pos, u->len);
        if (n < 0) return n;
        cut.len = (uint64_t)n;
    }
    n = account_write(f->ops->write(f, &cut, pos));
    if (f->watches) epoll_file_used(f);
    if (n > 0) notify_file(f, IN_MODIFY);
    return n;
}

int64_t file_read(struct file *f, const struct uio *u) { return read_at(f, u, &f->pos); }
int64_t file_write(struct file *f, const struct uio *u) { return write_at(f, u, &f->pos); }

int64_t file_pread(struct file *f, const struct uio *u, int64_t pos) {
    if (pos < 0) return -EINVAL;
    if (!can_read(f)) return -EBADF;
    return file_is_stream(f) ? -ESPIPE : read_at(f, u, &pos);
}

int64_t file_pwrite(struct file *f, const struct uio *u, int64_t pos) {
    if (pos < 0) return -EINVAL;
    if (!can_write(f)) return -EBADF;
    return file_is_stream(f) ? -ESPIPE : write_at(f, u, &pos);
}

int64_t file_read_kernel(struct file *f, void *buf, uint64_t len, int64_t pos) {
    uint64_t done = 0;

    if (!f->ops->read) return -EINVAL;
    while (done < len) {
        struct iovec iov = {.iov_base = (char *)buf + done, .iov_len = len - done};
        struct uio u = {.iov = &iov, .count = 1, .kernel = true, .len = len - done};
        int64_t n = f->ops->read(f, &u, &pos);

        if (n < 0) return n;
        if (n == 0) break;
        done += (uint64_t)n;
    }
    return (int64_t)done;
}

/* Positions by size, for files that know nothing of holes. */
static int64_t generic_seek(struct file *f, int64_t offset, int whence) {
    struct hc_attr attr;
    int64_t base = 0;
    int r;

    if (whence == SEEK_CUR) base = f->pos;
    if (whence == SEEK_END || whence == SEEK_DATA || whence == SEEK_HOLE) {
        r = file_getattr(f, &attr);
        if (r) return r;
        if (whence == SEEK_END) base = (int64_t)attr.size;
    }
    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        if (offset < 0 || (uint64_t)offset >= attr.size) return -ENXIO;
        if (whence == SEEK_HOLE) offset = (int64_t)attr.size;
    }
    if (__builtin_add_overflow(base, offset, &offset) || offset < 0) return -EINVAL;
    f->pos = offset;
    return offset;
}

int64_t file_seek(struct file *f, int64_t offset, int whence) {
    if (f->flags & O_PATH) return -EBADF;
    if (whence < SEEK_SET || whence > SEEK_HOLE) return -EINVAL;
    if (S_ISFIFO(f->mode) || S_ISSOCK(f->mode)) return -ESPIPE;
    return f->ops->seek ? f->ops->seek(f, offset, whence) : generic_seek(f, offset, whence);
}

int file_getattr(struct file *f, struct hc_attr *attr) {
    return f->ops->getattr ? f->ops->getattr(f, attr) : -EBADF;
}

int file_setattr(struct file *f, const struct hc_attr *attr, uint32_t mask) {
    struct hc_attr old;
    int r;

    if (f->flags & O_PATH) return -EBADF;
    if (mask & HC_SET_SIZE) {
        if (!S_ISREG(f->mode) || !can_write(f)) return -EINVAL;
        if (attr->size > current_process()->limits[RLIMIT_FSIZE].rlim_cur &&
            file_getattr(f, &old) == 0 && attr->size > old.size) {
            signal_send(SIGXFSZ, NULL);
            return -EFBIG;
        }
    }
    if (f->mnt && f->mnt->readonly) return -EROFS;
    if (!mask) return 0;
    r = f->ops->setattr ? f->ops->setattr(f, attr, mask) : -EPERM;
    if (!r) notify_setattr(f, NULL, mask);
    return r;
}

uint32_t file_poll(struct file *f) {
    if (f->flags & O_PATH) return POLLNVAL;
    return f->ops->poll ? f->ops->poll(f) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

struct waitq *file_waitq(struct file *f) {
    return f->ops->waitq ? f->ops->waitq(f) : NULL;
}

int64_t file_getdents(struct file *f, gva_t buf, uint64_t len) {
    int64_t n;

    if (f->flags & O_PATH) return -EBADF;
    if (!S_ISDIR(f->mode) || !f->ops->getdents) return -ENOTDIR;
    n = f->ops->getdents(f, buf, len);
    if (n >= 0) notify_file(f, IN_ACCESS);
    return n;
}

int64_t file_ioctl(struct file *f, uint32_t request, gva_t arg) {
    if (f->flags & O_PATH) return -EBADF;
    return f->ops->ioctl ? f->ops->ioctl(f, request, arg) : -ENOTTY;
}

int file_sync(struct file *f, bool datasync) {
    if (f->flags & O_PATH) return -EBADF;
    return f->ops->sync ? f->ops->sync(f, datasync) : -EINVAL;
}

int file_syncfs(struct file *f) {
    if (f->flags & O_PATH) return -EBADF;
    return f->ops->syncfs ? f->ops->syncfs(f) : 0;
}

int file_allocate(struct file *f, int mode, int64_t offset, int64_t len) {
    int r;

    if (offset < 0 || len <= 0) return -EINVAL;
    if (!can_write(f)) return -EBADF;
    if (S_ISFIFO(f->mode)) return -ESPIPE;
    if (S_ISDIR(f->mode)) return -EISDIR;
    if (!S_ISREG(f->mode)) return -ENODEV;
    if (offset > INT64_MAX - len) return -EFBIG;
    if (!f->ops->allocate) return -EOPNOTSUPP;
    r = f->ops->allocate(f, mode, offset, len);
    if (!r) notify_file(f, IN_MODIFY);
    return r;
}

int file_statfs(struct file *f, struct statfs *out) {
    struct statfs *buf;
    int r;

    if (!f->ops->statfs) return -ENOSYS;
    buf = kzalloc(sizeof(*buf)); /* heap memory has a guest-physical address for the loader */
    if (!buf) return -ENOMEM;
    r = f->ops->statfs(f, frame_gpa(buf));
    memcpy(out, buf, sizeof(*out));
    kfree(buf);
    return r;
}
