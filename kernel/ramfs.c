/* SPDX-License-Identifier: MIT */
/* The in-memory file system of /, /tmp and /dev/shm: the table of its operations and those that
 * only look.  It allocates nothing, not even its root, until somebody looks. */
#include <hermit/linux_abi.h>
#include <kernel/frame.h>
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "ramfs.h"

#define TMPFS_TYPE 0x01021994 /* TMPFS_MAGIC of linux/magic.h */
#define ST_RELATIME_VALID 0x1020

struct ramfs *ramfs_create(void) {
    struct ramfs *fs = kzalloc(sizeof(*fs));

    if (fs) fs->root_mode = 0755;
    return fs;
}

static int ramfs_stat(struct mount *m, const char *rel, bool follow, struct hc_attr *a,
                      struct vfs_link *l) {
    struct rwalk w;
    int r = ramfs_walk(m, rel, follow, &w, l);

    if (r) return r;
    if (!w.node) return -ENOENT;
    rnode_attr(m, w.node, a);
    return 0;
}

static int64_t ramfs_readlink(struct mount *m, const char *rel, char *buf, uint64_t size,
                              struct vfs_link *l) {
    struct rwalk w;
    int r = ramfs_walk(m, rel, false, &w, l);

    if (r) return r;
    if (!w.node) return -ENOENT;
    if (!S_ISLNK(w.node->mode)) return -EINVAL;
    size = min(size, w.node->size);
    memcpy(buf, w.node->target, size);
    rnode_accessed(w.node);
    return (int64_t)size;
}

static int ramfs_setattr(struct mount *m, const char *rel, bool follow, const struct hc_attr *a,
                         uint32_t mask, struct vfs_link *l) {
    struct rwalk w;
    int r = ramfs_walk(m, rel, follow, &w, l);

    if (r) return r;
    if (!w.node) return -ENOENT;
    if (mask & HC_SET_SIZE) {
        if (S_ISDIR(w.node->mode)) return -EISDIR;
        if (!S_ISREG(w.node->mode)) return -EINVAL;
        r = rnode_permission(w.node, 2); /* W_OK */
    }
    return r ? r : rnode_setattr(w.node, a, mask);
}

void ramfs_statfs_fill(const struct ramfs *fs, struct statfs *out) {
    struct frame_usage use = frame_usage();
    uint64_t total = use.limit / PAGE_SIZE;

    *out = (struct statfs){
        .f_type = TMPFS_TYPE,
        .f_bsize = PAGE_SIZE,
        .f_blocks = (long)total,
        .f_bfree = (long)(total - min(use.used / PAGE_SIZE, total)),
        .f_files = (long)total,
        .f_ffree = (long)(total - min(fs->nodes, total)),
        .f_namelen = NAME_MAX,
        .f_frsize = PAGE_SIZE,
        .f_flags = ST_RELATIME_VALID,
    };
    out->f_bavail = out->f_bfree;
}

static int ramfs_statfs(struct mount *m, const char *rel, struct statfs *out, struct vfs_link *l) {
    struct rwalk w;
    int r = ramfs_walk(m, rel, true, &w, l);

    if (r) return r;
    if (!w.node) return -ENOENT;
    ramfs_statfs_fill(m->priv, out);
    if (m->readonly) out->f_flags |= 1; /* ST_RDONLY */
    return 0;
}

const struct fs_ops ramfs_ops = {
    .keeps_trusted = true,
    .stat = ramfs_stat,
    .open = ramfs_open,
    .readlink = ramfs_readlink,
    .setattr = ramfs_setattr,
    .mknod = ramfs_mknod,
    .unlink = ramfs_unlink,
    .symlink = ramfs_symlink,
    .link = ramfs_link,
    .rename = ramfs_rename,
    .statfs = ramfs_statfs,
};
