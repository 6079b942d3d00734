/* SPDX-License-Identifier: MIT */
/* Path operations that make, move and remove names. */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/mm.h>
#include <kernel/notify.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "vfs_walk.h"

int vfs_check_parent(struct vpath *p) {
    char *slash = strrchr(p->text, '/');
    size_t keep = slash == p->text ? 1 : (size_t)(slash - p->text);
    char saved = p->text[keep];
    struct mount *mnt = p->mnt;
    const char *rel = p->rel;
    struct vfs_scratch *s = vfs_scratch_get();
    struct hc_attr attr;
    int r;

    if (!s) return -ENOMEM;
    p->text[keep] = '\0';
    p->mnt = mount_of(p->text, &p->rel);
    r = p->mnt->ops->stat(p->mnt, p->rel, true, &attr, &s->link);
    /* A link on the way was not followed yet; the caller's next step meets it again. */
    if (r == HC_SYMLINK) r = -ENOENT;
    if (!r && !S_ISDIR(attr.mode)) r = -ENOTDIR;
    p->text[keep] = saved;
    p->mnt = mnt;
    p->rel = rel;
    vfs_scratch_put(s);
    return r;
}

/* Whether a new name may be made at p: parents free of links afterwards.  0 or -errno. */
static int prepare_create(struct vpath *p, bool dir) {
    struct hc_attr attr;
    int r;

    if (p->last != VPATH_NAME) return -EEXIST;
    r = vfs_resolve(p, false, &attr);
    if (!r) return -EEXIST;
    if (r != -ENOENT) return r;
    if (p->must_be_dir && !dir) return -ENOENT;
    if (!p->mnt->readonly) return 0; /* the file system notices if there is no parent */
    r = vfs_check_parent(p);
    return r ? r : -EROFS;
}

static int try_mknod(struct vpath *p, uint32_t mode, uint64_t rdev, struct vfs_link *link) {
    bool dir = S_ISDIR(mode);
    int r;

    /* The common case asks the file system at once: it knows what exists. */
    if (!p->mnt->readonly && p->last == VPATH_NAME && *p->rel && (dir || !p->must_be_dir) &&
        p->mnt->ops->mknod)
        return p->mnt->ops->mknod(p->mnt, p->rel, mode, rdev, link);
    r = prepare_create(p, dir);
    if (r) return r;
    return p->mnt->ops->mknod ? p->mnt->ops->mknod(p->mnt, p->rel, mode, rdev, link) : -EPERM;
}

int vfs_mknod(struct vpath *p, uint32_t mode, uint64_t rdev) {
    struct vfs_walk w;
    int r = walk_begin(&w, p);

    if (r) return r;
    if (!(mode & S_IFMT)) mode |= S_IFREG;
    mode &= ~current_process()->fs.umask;
    do
        r = try_mknod(p, mode, rdev, w.link);
    while (walk_again(&w, &r));
    walk_end(&w);
    if (!r) notify_path(p->text, mode, IN_CREATE);
    return r;
}

static int try_symlink(const char *target, struct vpath *p, struct vfs_link *link) {
    int r = 0;

    if (p->mnt->readonly || p->last != VPATH_NAME || p->must_be_dir || !*p->rel ||
        !p->mnt->ops->symlink)
        r = prepare_create(p, false);
    if (r) return r;
    return p->mnt->ops->symlink ? p->mnt->ops->symlink(p->mnt, target, p->rel, link) : -EPERM;
}

int vfs_symlink(const char *target, struct vpath *p) {
    struct vfs_walk w;
    int r;

    if (!*target) return -ENOENT;
    r = walk_begin(&w, p);
    if (r) return r;
    do
        r = try_symlink(target, p, w.link);
    while (walk_again(&w, &r));
    walk_end(&w);
    if (!r) notify_path(p->text, S_IFLNK, IN_CREATE);
    return r;
}

/* What unlink and rmdir answer by the look of the path alone. */
static int check_last(const struct vpath *p, bool rmdir) {
    if (p->last == VPATH_NAME) return 0;
    if (!rmdir) return -EISDIR;
    return p->last == VPATH_DOT ? -EINVAL : p->last == VPATH_DOTDOT ? -ENOTEMPTY : -EBUSY;
}

/* Why a name stays although its file system might let it go. */
static int refuse_unlink(struct vpath *p, bool rmdir) {
    struct hc_attr attr = {.mode = S_IFDIR};
    int r = vfs_resolve(p, false, &attr);

    if (r && r != -ENOENT) return r;
    if (r && (r = vfs_check_parent(p)) != 0) return r;
    if (p->mnt->readonly && *p->rel) return -EROFS;
    if (mount_below(p->text)) return !rmdir && S_ISDIR(attr.mode) ? -EISDIR : -EBUSY;
    return 0;
}

static int try_unlink(struct vpath *p, bool rmdir, struct vfs_link *link) {
    struct hc_attr attr = {0};
    int r = 0;

    if (p->mnt->readonly || mount_below(p->text)) r = refuse_unlink(p, rmdir);
    if (r) return r;
    if (notify_active()) r = p->mnt->ops->stat(p->mnt, p->rel, false, &attr, link);
    if (r) return r;
    r = p->mnt->ops->unlink ? p->mnt->ops->unlink(p->mnt, p->rel, rmdir, link) : -EPERM;
    if (!r && notify_active()) notify_removed_slow(p->text, attr.mode, rmdir || attr.nlink <= 1);
    return r;
}

int vfs_unlink(struct vpath *p, bool rmdir) {
    struct vfs_walk w;
    struct hc_attr attr;
    int r = check_last(p, rmdir);

    if (r) return r;
    if (p->must_be_dir && !rmdir) {
        r = vfs_resolve(p, false, &attr);
        return r ? r : S_ISDIR(attr.mode) ? -EISDIR : -ENOTDIR;
    }
    r = walk_begin(&w, p);
    if (r) return r;
    do
        r = try_unlink(p, rmdir, w.link);
    while (walk_again(&w, &r));
    walk_end(&w);
    if (!r && rmdir && strcmp(p->text, current_process()->fs.cwd) == 0)
        current_process()->fs.cwd[0] = '\0'; /* a new directory of that name is another one */
    return r;
}

int vfs_link_file(struct file *f, struct vpath *to) {
    int r;

    if (S_ISDIR(f->mode)) return -EPERM;
    r = prepare_create(to, false);
    if (r) return r;
    if (f->mnt != to->mnt) return -EXDEV;
    if (!f->ops->link) return -EOPNOTSUPP;
    r = f->ops->link(f, to->mnt, to->rel);
    if (r) return r;
    notify_path(to->text, f->mode, IN_CREATE);
    return 0;
}

int vfs_link(struct vpath *from, struct vpath *to, bool follow) {
    struct hc_attr attr;
    struct file *f = NULL;
    int r = vfs_stat(from, follow, &attr);

    if (r) return r;
    if (follow && from->mnt->ops->magic_link) f = from->mnt->ops->magic_link(from->mnt, from->rel);
    if (f) return vfs_link_file(f, to);
    r = prepare_create(to, false);
    if (r == -EROFS && from->mnt != to->mnt) return -EXDEV;
    if (r) return r;
    if (from->mnt != to->mnt) return -EXDEV;
    if (S_ISDIR(attr.mode)) return -EPERM;
    if (!from->mnt->ops->link) return -EPERM;
    r = from->mnt->ops->link(from->mnt, from->rel, to->rel);
    if (r) return r;
    if (notify_active()) notify_linked_slow(from->text);
    notify_path(to->text, attr.mode, IN_CREATE);
    return 0;
}

/* Both ends of a rename once links are resolved; *skip: there is nothing to do. */
static int check_rename(struct vpath *from, struct vpath *to, uint32_t flags,
                        struct notify_rename *ends, bool *skip) {
    struct hc_attr old, new = {0};
    bool exists;
    int r = vfs_resolve(from, false, &old);

    if (r) return r;
    r = vfs_resolve(to, false, &new);
    if (r && r != -ENOENT) return r;
    exists = r == 0;
    *ends = (struct notify_rename){old.mode, exists ? new.mode : 0, new.nlink <= 1};
    if (from->mnt != to->mnt || from->mnt->readonly) {
        if (!exists && (r = vfs_check_parent(to)) != 0) return r;
        if (from->mnt == to->mnt) return -EROFS;
        return *from->rel && *to->rel ? -EXDEV : -EBUSY;
    }
    if ((flags & RENAME_NOREPLACE) && exists) return -EEXIST;
    if ((flags & RENAME_EXCHANGE) && !exists) return -ENOENT;
    if (!S_ISDIR(old.mode) && from->must_be_dir) return -ENOTDIR;
    if (!S_ISDIR(flags & RENAME_EXCHANGE ? new.mode : old.mode) && to->must_be_dir) return -ENOTDIR;
    if (mount_below(from->text) || mount_below(to->text)) return -EBUSY;
    *skip = strcmp(from->text, to->text) == 0;
    if (*skip) return 0;
    if (path_under(to->text, from->text, strlen(from->text))) return -EINVAL;
    if (path_under(from->text, to->text, strlen(to->text)))
        return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
    return from->mnt->ops->rename ? 0 : -EPERM;
}

int vfs_rename(struct vpath *from, struct vpath *to, uint32_t flags) {
    struct notify_rename ends;
    bool skip = false;
    int r;

    if (flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE)) return -EINVAL;
    if (flags == (RENAME_NOREPLACE | RENAME_EXCHANGE)) return -EINVAL;
    if (from->last != VPATH_NAME) return -EBUSY;
    if (to->last != VPATH_NAME) return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    r = check_rename(from, to, flags, &ends, &skip);
    if (r || skip) return r;
    r = from->mnt->ops->rename(from->mnt, from->rel, to->rel, flags);
    if (r) return r;
    if (notify_active()) notify_renamed_slow(from->text, to->text, &ends, flags & RENAME_EXCHANGE);
    vfs_paths_renamed(from->text, to->text, flags & RENAME_EXCHANGE);
    return 0;
}

/* Replaces the leading `from` of *path by `to`.  Without memory the old text stays: it then
 * names nothing, which is what a removed directory looks like. */
static bool move_path(char **path, const char *from, const char *to) {
    size_t from_len = strlen(from), to_len = strlen(to), rest;
    char *text;

    if (!*path || !path_under(*path, from, from_len)) return false;
    rest = strlen(*path + from_len) + 1;
    text = kmalloc(to_len + rest);
    if (!text) return true;
    memcpy(text, to, to_len);
    memcpy(text + to_len, *path + from_len, rest);
    kfree(*path);
    *path = text;
    return true;
}

static void move_one(char **path, const char *from, const char *to, bool exchange) {
    if (!move_path(path, from, to) && exchange) move_path(path, to, from);
}

/* An open file appears once per descriptor and mapping; a path that was moved no longer lies
 * under `from`, so meeting it again does nothing, unless the two names were exchanged. */
void vfs_paths_renamed(const char *from, const char *to, bool exchange) {
    struct process *proc = current_process();
    struct vma *v;

    move_one(&proc->fs.cwd, from, to, exchange);
    move_one(&proc->exe, from, to, exchange);
    for (uint32_t fd = 0; fd < proc->fds.size; fd++) {
        struct file *f = proc->fds.files[fd];
        bool seen = !f;

        for (uint32_t i = 0; exchange && i < fd && !seen; i++)
            seen = proc->fds.files[i] == f;
        if (!seen) move_one(&f->path, from, to, exchange);
    }
    if (exchange || !proc->mm) return;
    for (v = mm_next(proc->mm, 0); v; v = mm_next(proc->mm, v->end))
        if (v->file) move_one(&v->file->path, from, to, false);
}
