/* SPDX-License-Identifier: MIT */
/* Nodes of ramfs: life, attributes, times, permissions, and the walk from a path to a node. */
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/creds.h>
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "ramfs.h"

#define DAY_NS (86400 * NSEC_PER_SEC)

struct rnode *rnode_new(struct ramfs *fs, uint32_t mode, const struct rnode *parent) {
    struct rnode *n = kzalloc(sizeof(*n));

    if (!n) return NULL;
    n->fs = fs;
    n->ino = ++fs->next_ino;
    n->mode = mode;
    n->nlink = S_ISDIR(mode) ? 2 : 1;
    n->seals = F_SEAL_SEAL;
    n->btime = n->ctime = n->mtime = n->atime = clock_realtime_ns();
    if (parent) {
        n->uid = current_process()->fsuid;
        n->gid = current_process()->fsgid;
        if (parent->mode & S_ISGID) {
            n->gid = parent->gid;
            if (S_ISDIR(mode)) n->mode |= S_ISGID;
        }
    }
    if (S_ISDIR(mode)) {
        RB_INIT(&n->dir.names);
        RB_INIT(&n->dir.cookies);
        n->dir.parent = n;
    }
    fs->nodes++;
    return n;
}

void rnode_put(struct rnode *n) {
    if (n->opens > 0 || n->nlink > 0) return;
    if (S_ISREG(n->mode)) rdata_free(n);
    if (S_ISLNK(n->mode)) kfree(n->target);
    rxattr_free(n);
    n->fs->nodes--;
    kfree(n);
}

void rnode_attr(const struct mount *m, const struct rnode *n, struct hc_attr *attr) {
    *attr = (struct hc_attr){
        .ino = n->ino,
        .dev = m->id,
        .nlink = n->nlink,
        .mode = n->mode,
        .uid = n->uid,
        .gid = n->gid,
        .blksize = PAGE_SIZE,
        .size = n->size,
        .blocks = n->pages * (PAGE_SIZE / 512),
        .atime_ns = n->atime,
        .mtime_ns = n->mtime,
        .ctime_ns = n->ctime,
        .btime_ns = n->btime,
    };
    if (S_ISDIR(n->mode)) attr->size = (n->size + 2) * 20; /* as tmpfs counts names */
}

int rnode_permission(const struct rnode *n, int amode) {
    struct hc_attr attr = {.mode = n->mode, .uid = n->uid, .gid = n->gid};

    return vfs_permission(&attr, amode);
}

void rnode_touch(struct rnode *n) { n->mtime = n->ctime = clock_realtime_ns(); }

void rnode_accessed(struct rnode *n) {
    int64_t now = clock_realtime_ns();

    if (n->atime <= n->mtime || n->atime <= n->ctime || now - n->atime >= DAY_NS) n->atime = now;
}

void rnode_drop_privileges(struct rnode *n) {
    if (process_capable(CAP_FSETID)) return;
    n->mode &= ~(uint32_t)S_ISUID;
    if (n->mode & S_IXGRP) n->mode &= ~(uint32_t)S_ISGID;
}

/* Whether the caller may set what mask names; chown(2), chmod(2), utimensat(2). */
static int may_change(const struct rnode *n, const struct hc_attr *attr, uint32_t mask) {
    const struct process *proc = current_process();
    bool own = proc->fsuid == n->uid, owner = own || process_capable(CAP_FOWNER);
    bool gives = process_capable(CAP_CHOWN);
    uint32_t explicit = HC_SET_MODE;

    if ((mask & HC_SET_ATIME) && !(mask & HC_SET_ATIME_NOW)) explicit |= HC_SET_ATIME;
    if ((mask & HC_SET_MTIME) && !(mask & HC_SET_MTIME_NOW)) explicit |= HC_SET_MTIME;
    if ((mask & HC_SET_UID) && !gives && !(own && attr->uid == n->uid)) return -EPERM;
    if ((mask & HC_SET_GID) && !gives &&
        !(own && (attr->gid == n->gid || creds_in_group(proc, attr->gid))))
        return -EPERM;
    if ((mask & explicit) && !owner) return -EPERM;
    if ((mask & (HC_SET_ATIME_NOW | HC_SET_MTIME_NOW)) && !owner) return rnode_permission(n, 2);
    return 0;
}

static void set_owner(struct rnode *n, const struct hc_attr *attr, uint32_t mask) {
    if (mask & HC_SET_UID) n->uid = attr->uid;
    if (mask & HC_SET_GID) n->gid = attr->gid;
    if (S_ISDIR(n->mode)) return;
    n->mode &= ~(uint32_t)S_ISUID;
    if (n->mode & S_IXGRP) n->mode &= ~(uint32_t)S_ISGID;
}

static void set_mode(struct rnode *n, uint32_t mode) {
    const struct process *proc = current_process();

    n->mode = (n->mode & S_IFMT) | (mode & 07777);
    if (!process_capable(CAP_FSETID) && !creds_in_group(proc, n->gid))
        n->mode &= ~(uint32_t)S_ISGID;
}

int rnode_setattr(struct rnode *n, const struct hc_attr *attr, uint32_t mask) {
    int64_t now = clock_realtime_ns();
    int r = may_change(n, attr, mask);

    if (r) return r;
    if ((mask & HC_SET_MODE) && S_ISLNK(n->mode)) return -EOPNOTSUPP;
    bool exec = (mask & HC_SET_MODE) && ((attr->mode ^ n->mode) & 0111);
    if (exec && S_ISREG(n->mode) && (n->seals & F_SEAL_EXEC)) return -EPERM;
    if (mask & HC_SET_SIZE) {
        r = rdata_truncate(n, attr->size);
        if (r) return r;
        rnode_drop_privileges(n);
        n->mtime = now;
    }
    if (mask & (HC_SET_UID | HC_SET_GID)) set_owner(n, attr, mask);
    if (mask & HC_SET_MODE) set_mode(n, attr->mode);
    if (mask & HC_SET_ATIME_NOW)
        n->atime = now;
    else if (mask & HC_SET_ATIME)
        n->atime = attr->atime_ns;
    if (mask & HC_SET_MTIME_NOW)
        n->mtime = now;
    else if (mask & HC_SET_MTIME)
        n->mtime = attr->mtime_ns;
    n->ctime = now;
    return 0;
}

struct rnode *ramfs_root(struct mount *m) {
    struct ramfs *fs = m->priv;

    if (likely(fs->root)) return fs->root;
    fs->root = rnode_new(fs, S_IFDIR | fs->root_mode, NULL);
    if (fs->root && fs->populate) fs->populate(fs, m);
    return fs->root;
}

/* Reports the link w->node to the VFS: the next try goes where it points. */
static int report_link(const struct rwalk *w, const char *rel, struct vfs_link *link) {
    if (!link) return -ELOOP;
    link->consumed = (uint32_t)(w->name - rel) + w->len;
    link->len = (uint32_t)w->node->size;
    memcpy(link->text, w->node->target, link->len);
    rnode_accessed(w->node);
    return HC_SYMLINK;
}

int ramfs_walk(struct mount *m, const char *rel, bool follow, struct rwalk *w,
               struct vfs_link *link) {
    const char *at = rel;
    int r;

    *w = (struct rwalk){.node = ramfs_root(m)};
    if (!w->node) return -ENOMEM;
    while (*at) {
        if (!w->node) return -ENOENT;
        if (S_ISLNK(w->node->mode)) return report_link(w, rel, link);
        if (!S_ISDIR(w->node->mode)) return -ENOTDIR;
        r = rnode_permission(w->node, 1);
        if (r) return r;
        w->dir = w->node;
        w->name = at;
        w->len = (uint32_t)(strchrnul(at, '/') - at);
        if (w->len > NAME_MAX) return -ENAMETOOLONG;
        w->entry = rdir_find(w->dir, at, w->len);
        w->node = w->entry ? w->entry->node : NULL;
        at += w->len;
        if (*at == '/') at++;
    }
    if (follow && w->node && S_ISLNK(w->node->mode)) return report_link(w, rel, link);
    return 0;
}
