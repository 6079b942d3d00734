/* SPDX-License-Identifier: MIT */
/* ioctl(2): what holds for every file; the rest is the file's own. */
#include <kernel/file_owner.h>
#include <syscall/protos.h>
#include <syscall/user.h>

static int64_t set_nonblocking(struct file *f, gva_t arg) {
    int on;
    if (get_user(on, arg) != 0) return -EFAULT;
    f->flags = on ? f->flags | O_NONBLOCK : f->flags & ~(uint32_t)O_NONBLOCK;
    return 0;
}

static int64_t set_async(struct file *f, int fd, gva_t arg) {
    int on;
    if (get_user(on, arg) != 0) return -EFAULT;
    if (!f->ops->async) return on ? -ENOTTY : 0;
    return file_owner_async(f, fd, on != 0);
}

/* FIONREAD of a regular file: what lies between the position and the end. */
static int64_t bytes_left(struct file *f, gva_t arg) {
    struct hc_attr attr;
    int err = file_getattr(f, &attr);
    if (err != 0) return err;
    int left = (int)((int64_t)attr.size - f->pos);
    return put_user(left, arg);
}

/* FIOQSIZE */
static int64_t file_bytes(struct file *f, gva_t arg) {
    struct hc_attr attr;
    int err = file_getattr(f, &attr);
    if (err != 0) return err;
    return put_user(attr.size, arg);
}

static int64_t ioctl_file(struct file *f, int fd, uint32_t request, gva_t arg) {
    switch (request) {
    case FIOCLEX:
        return fd_set_cloexec(fd, true);
    case FIONCLEX:
        return fd_set_cloexec(fd, false);
    case FIONBIO:
        return set_nonblocking(f, arg);
    case FIOASYNC:
        return set_async(f, fd, arg);
    case FIOQSIZE:
        if (S_ISREG(f->mode) || S_ISDIR(f->mode)) return file_bytes(f, arg);
        return -ENOTTY;
    case FIONREAD:
        if (S_ISREG(f->mode)) return bytes_left(f, arg);
        break;
    default:
        break;
    }
    return file_ioctl(f, request, arg);
}

/* ioctl(2) */
int64_t sys_ioctl(int fd, uint32_t request, uint64_t arg) {
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    int64_t result = ioctl_file(f, fd, request, arg);
    file_put(f);
    return result;
}
