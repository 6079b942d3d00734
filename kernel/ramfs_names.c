/* SPDX-License-Identifier: MIT */
/* Making, moving and removing names in ramfs. */
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "ramfs.h"

#define WX 3 /* W_OK | X_OK: what changing a directory takes */

/* The sticky bit: only the owner of the name or of the directory removes it. */
static int may_remove(const struct rnode *dir, const struct rnode *node) {
    uint32_t uid = current_process()->fsuid;
    int r = rnode_permission(dir, WX);

    if (r) return r;
    if ((dir->mode & S_ISVTX) && uid != dir->uid && uid != node->uid &&
        !process_capable(CAP_FOWNER))
        return -EPERM;
    return 0;
}

static int may_add(const struct rnode *dir) {
    if (dir->nlink == 0) return -ENOENT; /* removed, but somebody's directory still */
    return rnode_permission(dir, WX);
}

/* A name went away; the node goes with its last one. */
static void drop_link(struct rnode *n) {
    n->nlink = S_ISDIR(n->mode) ? 0 : n->nlink - 1;
    n->ctime = clock_realtime_ns();
    rnode_put(n);
}

int ramfs_create_at(const struct rwalk *w, uint32_t mode, struct rnode **out) {
    struct rnode *n;
    int r = may_add(w->dir);

    if (r) return r;
    n = rnode_new(w->dir->fs, mode, w->dir);
    if (!n) return -ENOSPC;
    r = rdir_add(w->dir, w->name, w->len, n);
    if (r) {
        n->nlink = 0;
        rnode_put(n);
        return r;
    }
    *out = n;
    return 0;
}

int ramfs_mknod(struct mount *m, const char *rel, uint32_t mode, uint64_t rdev,
                struct vfs_link *l) {
    struct rwalk w;
    struct rnode *n;
    int r = ramfs_walk(m, rel, false, &w, l);

    if (r) return r;
    if (w.node) return -EEXIST;
    if (S_ISCHR(mode) || S_ISBLK(mode)) return -EPERM; /* there is no device to name */
    if (!S_ISDIR(mode) && !S_ISREG(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode)) return -EINVAL;
    return ramfs_create_at(&w, mode, &n);
}

static int new_symlink(const struct rwalk *w, const char *target) {
    struct rnode *n;
    char *text = kstrdup(target);
    int r = text ? ramfs_create_at(w, S_IFLNK | 0777, &n) : -ENOSPC;

    if (r) {
        kfree(text);
        return r;
    }
    n->target = text;
    n->size = strlen(text);
    return 0;
}

int ramfs_symlink(struct mount *m, const char *target, const char *rel, struct vfs_link *l) {
    struct rwalk w;
    int r = ramfs_walk(m, rel, false, &w, l);

    if (r) return r;
    return w.node ? -EEXIST : new_symlink(&w, target);
}

int ramfs_unlink(struct mount *m, const char *rel, bool rmdir, struct vfs_link *l) {
    struct rwalk w;
    int r = ramfs_walk(m, rel, false, &w, l);

    if (r) return r;
    if (!w.node) return -ENOENT;
    if (!w.dir) return -EBUSY;
    r = may_remove(w.dir, w.node);
    if (r) return r;
    if (rmdir && !S_ISDIR(w.node->mode)) return -ENOTDIR;
    if (!rmdir && S_ISDIR(w.node->mode)) return -EISDIR;
    if (rmdir && w.node->size > 0) return -ENOTEMPTY;
    rdir_remove(w.dir, w.entry);
    drop_link(w.node);
    return 0;
}

static int link_node(struct rnode *n, struct mount *m, const char *new_rel) {
    struct rwalk to;
    int r = ramfs_walk(m, new_rel, false, &to, NULL);

    if (r) return r;
    if (to.node) return -EEXIST;
    if (S_ISDIR(n->mode)) return -EPERM;
    r = may_add(to.dir);
    if (r) return r;
    r = rdir_add(to.dir, to.name, to.len, n);
    if (r) return r;
    n->nlink++;
    n->ctime = clock_realtime_ns();
    return 0;
}

int ramfs_link(struct mount *m, const char *rel, const char *new_rel) {
    struct rwalk from;
    int r = ramfs_walk(m, rel, false, &from, NULL);

    if (r) return r;
    return from.node ? link_node(from.node, m, new_rel) : -ENOENT;
}

int ramfs_link_file(struct file *f, struct mount *m, const char *new_rel) {
    struct rnode *n = f->priv;

    /* Without a name left, only what O_TMPFILE made (and not with O_EXCL) may get one. */
    if (n->nlink == 0 && !(f->flags & __O_TMPFILE)) return -ENOENT;
    return link_node(n, m, new_rel);
}

static bool is_ancestor(const struct rnode *above, const struct rnode *n) {
    while (n != above && n->dir.parent != n)
        n = n->dir.parent;
    return n == above;
}

static int exchange(struct rwalk *a, struct rwalk *b) {
    struct rnode *to_a = b->node, *to_b = a->node;
    int r = may_remove(b->dir, b->node);

    if (r) return r;
    if (S_ISDIR(to_a->mode) && is_ancestor(to_a, a->dir)) return -EINVAL;
    a->entry->node = to_a;
    b->entry->node = to_b;
    if (S_ISDIR(to_a->mode)) to_a->dir.parent = a->dir, a->dir->nlink++, b->dir->nlink--;
    if (S_ISDIR(to_b->mode)) to_b->dir.parent = b->dir, b->dir->nlink++, a->dir->nlink--;
    rnode_touch(a->dir);
    rnode_touch(b->dir);
    to_a->ctime = to_b->ctime = clock_realtime_ns();
    return 0;
}

/* What stands at the new name gives way. */
static int may_replace(const struct rwalk *from, const struct rwalk *to) {
    int r;

    if (!to->node) return may_add(to->dir);
    r = may_remove(to->dir, to->node);
    if (r) return r;
    if (S_ISDIR(from->node->mode) && !S_ISDIR(to->node->mode)) return -ENOTDIR;
    if (!S_ISDIR(from->node->mode) && S_ISDIR(to->node->mode)) return -EISDIR;
    return S_ISDIR(to->node->mode) && to->node->size > 0 ? -ENOTEMPTY : 0;
}

int ramfs_rename(struct mount *m, const char *rel, const char *new_rel, uint32_t flags) {
    struct rwalk from, to;
    struct rnode *moved, *replaced;
    int r = ramfs_walk(m, rel, false, &from, NULL);

    if (!r) r = ramfs_walk(m, new_rel, false, &to, NULL);
    if (r) return r;
    if (!from.node) return -ENOENT;
    if (!from.dir || !to.dir) return -EBUSY;
    r = may_remove(from.dir, from.node);
    if (r) return r;
    if (S_ISDIR(from.node->mode) && is_ancestor(from.node, to.dir)) return -EINVAL;
    if (to.node && (flags & RENAME_NOREPLACE)) return -EEXIST;
    if (to.node == from.node) return 0; /* two names of one file: rename(2) does nothing */
    if (flags & RENAME_EXCHANGE) return to.node ? exchange(&from, &to) : -ENOENT;
    r = may_replace(&from, &to);
    if (r) return r;
    moved = from.node;
    replaced = to.node;
    if (replaced) {
        /* The name keeps its entry, so that the step cannot fail for want of memory. */
        if (S_ISDIR(moved->mode)) moved->dir.parent = to.dir;
        to.entry->node = moved;
        rnode_touch(to.dir);
    } else {
        r = rdir_add(to.dir, to.name, to.len, moved);
        if (r) return r;
    }
    rdir_remove(from.dir, from.entry);
    moved->ctime = clock_realtime_ns();
    if (replaced) drop_link(replaced);
    return 0;
}

/* A node of root's, without asking for permission. */
static int plant_node(const struct rwalk *w, uint32_t mode, const char *target) {
    struct rnode *n = rnode_new(w->dir->fs, mode, NULL);
    int r = -ENOMEM;

    if (!n) return r;
    if (target) {
        n->target = kstrdup(target);
        n->size = strlen(target);
    }
    if (!target || n->target) r = rdir_add(w->dir, w->name, w->len, n);
    if (!r) return 0;
    n->nlink = 0;
    rnode_put(n);
    return r;
}

int ramfs_plant(struct mount *m, const char *rel, bool is_file, const char *target) {
    size_t len = strlen(rel);
    char *part = kstrdup(rel);
    struct rwalk w;
    int r = part ? 0 : -ENOMEM;

    for (size_t end = 1; end <= len && !r; end++) {
        bool last = end == len;

        if (rel[end] != '/' && !last) continue;
        part[end] = '\0';
        r = ramfs_walk(m, part, false, &w, NULL);
        if (!r && !w.node)
            r = plant_node(&w,
                           last && target    ? S_IFLNK | 0777
                           : last && is_file ? S_IFREG | 0444
                                             : S_IFDIR | 0755,
                           last ? target : NULL);
        part[end] = rel[end];
    }
    kfree(part);
    return r;
}
