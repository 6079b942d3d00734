/* SPDX-License-Identifier: MIT */
/* Open files of ramfs: one operation table per kind of node. */
#include <hermit/linux_abi.h>
#include <kernel/frame.h>
#include <kernel/process.h>

#include "pipe.h"
#include "ramfs.h"

static int node_getattr(struct file *f, struct hc_attr *attr) {
    rnode_attr(f->mnt, f->priv, attr);
    return 0;
}

static int node_setattr(struct file *f, const struct hc_attr *attr, uint32_t mask) {
    return rnode_setattr(f->priv, attr, mask);
}

static int node_statfs(struct file *f, gpa_t buf) {
    const struct rnode *n = f->priv;

    ramfs_statfs_fill(n->fs, frame_ptr(buf));
    return 0;
}

static int node_sync(struct file *f, bool datasync) { return 0; }

static void node_release(struct file *f) {
    struct rnode *n = f->priv;

    n->opens--;
    rnode_put(n);
}

static int node_reopen(struct file *f, struct file *out);

const struct file_ops ramfs_regular_ops = {
    .read = rdata_read,
    .write = rdata_write,
    .seek = rdata_seek,
    .getattr = node_getattr,
    .xattr = ramfs_xattr,
    .setattr = node_setattr,
    .sync = node_sync,
    .allocate = rdata_allocate,
    .page = rdata_map,
    .mapped = rdata_mapped,
    .statfs = node_statfs,
    .reopen = node_reopen,
    .link = ramfs_link_file,
    .release = node_release,
};

static const struct file_ops dir_ops = {
    .seek = rdir_seek,
    .getdents = rdir_getdents,
    .getattr = node_getattr,
    .xattr = ramfs_xattr,
    .setattr = node_setattr,
    .sync = node_sync,
    .statfs = node_statfs,
    .reopen = node_reopen,
    .release = node_release,
};

/* O_PATH: a handle on the node and nothing else. */
static const struct file_ops path_ops = {
    .getattr = node_getattr,
    .xattr = ramfs_xattr,
    .statfs = node_statfs,
    .reopen = node_reopen,
    .link = ramfs_link_file,
    .release = node_release,
};

static int64_t fifo_read(struct file *f, const struct uio *u, int64_t *pos) {
    struct rnode *n = f->priv;

    return pipe_read(n->pipe, f->flags, u);
}

static int64_t fifo_write(struct file *f, const struct uio *u, int64_t *pos) {
    struct rnode *n = f->priv;

    return pipe_write(n->pipe, f->flags, u);
}

static uint32_t fifo_poll(struct file *f) {
    struct rnode *n = f->priv;

    return pipe_poll(n->pipe, f->flags);
}

static int64_t fifo_ioctl(struct file *f, uint32_t request, gva_t arg) {
    struct rnode *n = f->priv;

    return pipe_ioctl(n->pipe, request, arg);
}

static struct waitq *fifo_waitq(struct file *f) {
    const struct rnode *n = f->priv;

    return pipe_waitq(n->pipe);
}

static void fifo_release(struct file *f) {
    struct rnode *n = f->priv;

    if (pipe_detach(n->pipe, f->flags)) n->pipe = NULL;
    node_release(f);
}

static struct pipe *fifo_pipe(struct file *f) {
    struct rnode *n = f->priv;

    return n->pipe;
}

static const struct file_ops fifo_ops = {
    .async = true,
    .read = fifo_read,
    .write = fifo_write,
    .poll = fifo_poll,
    .waitq = fifo_waitq,
    .ioctl = fifo_ioctl,
    .pipe = fifo_pipe,
    .getattr = node_getattr,
    .xattr = ramfs_xattr,
    .setattr = node_setattr,
    .statfs = node_statfs,
    .reopen = node_reopen,
    .release = fifo_release,
};

static int open_fifo(struct rnode *n, struct file *out) {
    int r;

    if (!n->pipe) n->pipe = pipe_new();
    if (!n->pipe) return -ENOMEM;
    n->opens++; /* the wait below must not see the node go */
    r = pipe_open(n->pipe, out->flags);
    if (r) {
        if (r != -ENXIO && pipe_detach(n->pipe, out->flags)) n->pipe = NULL;
        n->opens--;
        rnode_put(n);
        return r;
    }
    out->ops = &fifo_ops;
    return 0;
}

/* Binds an open file to its node, whatever kind that is. */
static int attach(struct rnode *n, struct file *out) {
    out->priv = n;
    out->mode = n->mode & S_IFMT;
    if (!(out->flags & O_PATH) && S_ISFIFO(n->mode)) return open_fifo(n, out);
    out->ops = out->flags & O_PATH ? &path_ops : S_ISDIR(n->mode) ? &dir_ops : &ramfs_regular_ops;
    n->opens++;
    return 0;
}

/* What open(2) asks of a node that exists. */
static int may_open(const struct rnode *n, uint32_t flags) {
    /* Access mode 3 means both, as in Linux. */
    static const uint8_t amode[] = {4, 2, 6, 6};
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
    int r;

    if ((flags & O_DIRECTORY) && !S_ISDIR(n->mode)) return -ENOTDIR;
    if (flags & O_PATH) return 0;
    if (S_ISLNK(n->mode)) return -ELOOP;
    if (S_ISDIR(n->mode) && (writes || (flags & O_CREAT))) return -EISDIR;
    if (S_ISSOCK(n->mode)) return -ENXIO;
    r = rnode_permission(n, amode[flags & O_ACCMODE] | (flags & O_TRUNC ? 2 : 0));
    if (r) return r;
    if (!(flags & O_NOATIME) || current_process()->fsuid == n->uid) return 0;
    return process_capable(CAP_FOWNER) ? 0 : -EPERM;
}

static int node_reopen(struct file *f, struct file *out) {
    int r = may_open(f->priv, out->flags);

    return r ? r : attach(f->priv, out);
}

static int open_tmpfile(struct rwalk *w, uint32_t mode, struct file *out) {
    struct rnode *n;
    int r;

    if (!S_ISDIR(w->node->mode)) return -ENOTDIR;
    r = rnode_permission(w->node, 3); /* W_OK | X_OK */
    if (r) return r;
    n = rnode_new(w->node->fs, S_IFREG | mode, w->node);
    if (!n) return -ENOSPC;
    n->nlink = 0;
    return attach(n, out);
}

int ramfs_open(struct mount *m, const char *rel, uint32_t flags, uint32_t mode, struct file *out,
               struct vfs_link *l) {
    bool exclusive = (flags & O_CREAT) && (flags & O_EXCL);
    struct rwalk w;
    struct rnode *n;
    int r = ramfs_walk(m, rel, !(flags & O_NOFOLLOW) && !exclusive, &w, l);

    if (r) return r;
    if (!w.node) {
        if (!(flags & O_CREAT)) return -ENOENT;
        r = ramfs_create_at(&w, S_IFREG | mode, &n);
        return r ? r : attach(n, out);
    }
    n = w.node;
    if (flags & __O_TMPFILE) return open_tmpfile(&w, mode, out);
    if (exclusive) return -EEXIST;
    r = may_open(n, flags);
    if (r) return r;
    if ((flags & O_TRUNC) && S_ISREG(n->mode)) {
        rdata_truncate(n, 0);
        rnode_drop_privileges(n);
        rnode_touch(n);
    }
    return attach(n, out);
}
