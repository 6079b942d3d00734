/* SPDX-License-Identifier: MIT */
/* An open file that forwards to another one: what /proc/self/fd/N opens when the object behind N
 * has neither a name nor a way to be opened again (the loader's standard streams). */
#include <hermit/linux_abi.h>
#include <kernel/wait.h>

#include "procfs.h"

static int64_t share_read(struct file *f, const struct uio *u, int64_t *pos) {
    struct file *t = f->priv;

    return t->ops->read ? t->ops->read(t, u, pos) : -EINVAL;
}

static int64_t share_write(struct file *f, const struct uio *u, int64_t *pos) {
    struct file *t = f->priv;

    return t->ops->write ? t->ops->write(t, u, pos) : -EINVAL;
}

static int64_t share_seek(struct file *f, int64_t offset, int whence) {
    int64_t pos = file_seek(f->priv, offset, whence);

    if (pos >= 0) f->pos = pos;
    return pos;
}

static int share_getattr(struct file *f, struct hc_attr *attr) {
    return file_getattr(f->priv, attr);
}

static int share_setattr(struct file *f, const struct hc_attr *attr, uint32_t mask) {
    return file_setattr(f->priv, attr, mask);
}

static int64_t share_ioctl(struct file *f, uint32_t request, gva_t arg) {
    return file_ioctl(f->priv, request, arg);
}

static uint32_t share_poll(struct file *f) { return file_poll(f->priv); }

static struct waitq *share_waitq(struct file *f) { return file_waitq(f->priv); }

static uint32_t share_wait_handle(struct file *f) {
    struct file *t = f->priv;

    return t->ops->wait_handle ? t->ops->wait_handle(t) : NO_HANDLE;
}

static int share_sync(struct file *f, bool datasync) { return file_sync(f->priv, datasync); }

static int share_page(struct file *f, uint64_t offset, bool shared_write, gpa_t *out) {
    struct file *t = f->priv;

    return t->ops->page ? t->ops->page(t, offset, shared_write, out) : -ENODEV;
}

static void share_release(struct file *f) { file_put(f->priv); }

static const struct file_ops share_ops = {
    .read = share_read,
    .write = share_write,
    .seek = share_seek,
    .getattr = share_getattr,
    .setattr = share_setattr,
    .ioctl = share_ioctl,
    .poll = share_poll,
    .waitq = share_waitq,
    .wait_handle = share_wait_handle,
    .sync = share_sync,
    .page = share_page,
    .release = share_release,
};

void file_share(struct file *target, struct file *out) {
    out->ops = &share_ops;
    out->priv = file_ref(target);
    out->mode = target->mode;
    out->pos = target->pos;
}
