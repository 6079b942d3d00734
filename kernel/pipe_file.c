/* SPDX-License-Identifier: MIT */
/* Open files of pipes without a name: pipe2(2). */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/process.h>

#include "pipe_internal.h"

#define PIPE_DEV 0x0d /* st_dev of pipes without a name */

static int64_t end_read(struct file *f, const struct uio *u, int64_t *pos) {
    return pipe_read(f->priv, f->flags, u);
}

static int64_t end_write(struct file *f, const struct uio *u, int64_t *pos) {
    return pipe_write(f->priv, f->flags, u);
}

static struct waitq *end_waitq(struct file *f) { return pipe_waitq(f->priv); }

static struct pipe *end_pipe(struct file *f) { return f->priv; }

static uint32_t end_poll(struct file *f) { return pipe_poll(f->priv, f->flags); }

static int64_t end_ioctl(struct file *f, uint32_t request, gva_t arg) {
    return pipe_ioctl(f->priv, request, arg);
}

static int end_getattr(struct file *f, struct hc_attr *attr) {
    const struct pipe *p = f->priv;

    *attr = (struct hc_attr){
        .ino = p->ino,
        .dev = PIPE_DEV,
        .nlink = 1,
        .mode = S_IFIFO | 0600,
        .uid = current_process()->fsuid,
        .gid = current_process()->fsgid,
        .blksize = PAGE_SIZE,
        .atime_ns = p->atime,
        .mtime_ns = p->mtime,
        .ctime_ns = p->ctime,
    };
    return 0;
}

static void end_release(struct file *f) { pipe_detach(f->priv, f->flags); }
static int end_reopen(struct file *f, struct file *out);

static const struct file_ops pipe_ops = {
    .async = true,
    .read = end_read,
    .write = end_write,
    .poll = end_poll,
    .waitq = end_waitq,
    .ioctl = end_ioctl,
    .pipe = end_pipe,
    .getattr = end_getattr,
    .reopen = end_reopen,
    .release = end_release,
};

static int end_reopen(struct file *f, struct file *out) {
    struct pipe *p = f->priv;
    int r = pipe_open(p, out->flags);

    if (r) {
        if (r != -ENXIO) pipe_detach(p, out->flags);
        return r;
    }
    out->ops = &pipe_ops;
    out->priv = p;
    out->mode = S_IFIFO;
    return 0;
}

int pipe_create(struct file *ends[2], uint32_t flags) {
    struct pipe *p = pipe_new();

    if (!p) return -ENFILE;
    for (int i = 0; i < 2; i++) {
        ends[i] = file_new(&pipe_ops, (flags & (O_NONBLOCK | O_DIRECT)) | (i ? O_WRONLY : O_RDONLY),
                           S_IFIFO);
        if (!ends[i]) {
            if (i)
                file_put(ends[0]);
            else {
                pipe_attach(p, O_RDWR);
                pipe_detach(p, O_RDWR);
            }
            return -ENFILE;
        }
        ends[i]->priv = p;
        pipe_attach(p, ends[i]->flags);
    }
    return 0;
}
