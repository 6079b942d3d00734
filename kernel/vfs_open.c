/* SPDX-License-Identifier: MIT */
/* open(2): what the flags ask for, read-only mounts, and the open file that comes of it. */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/notify.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "vfs_walk.h"

/* Flags that act once and are not kept with the open file. */
#define ONCE_FLAGS (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)
#define PATH_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static bool is_tmpfile(uint32_t flags) { return flags & __O_TMPFILE; }
static bool wants_write(uint32_t flags) { return (flags & O_ACCMODE) || (flags & O_TRUNC); }

/* Normalises flags as the kernel's build_open_flags() does; 0 or -errno. */
static int check_flags(struct vpath *p, uint32_t *flags) {
    uint32_t f = *flags;

    if (f & O_PATH) {
        f &= PATH_FLAGS;
    } else {
        f |= O_LARGEFILE;
        if (is_tmpfile(f)) {
            if ((f & O_TMPFILE) != O_TMPFILE || (f & O_CREAT)) return -EINVAL;
            if ((f & O_ACCMODE) == O_RDONLY) return -EINVAL;
        } else if ((f & O_CREAT) && (f & O_DIRECTORY)) {
            return -EINVAL;
        }
    }
    if (p->must_be_dir) {
        if (f & O_CREAT) return -EISDIR;
        f = (f | O_DIRECTORY) & ~(uint32_t)O_NOFOLLOW;
    }
    *flags = f;
    return 0;
}

/* Opening for change on a read-only mount: allowed only for what is not a file of that mount.
 * Returns 0 (go on, *flags is without O_CREAT), HC_SYMLINK or -errno. */
static int check_readonly(struct vpath *p, uint32_t *flags, struct vfs_link *link) {
    bool follow = !(*flags & O_NOFOLLOW) && (*flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
    struct hc_attr attr;
    int r = p->mnt->ops->stat(p->mnt, p->rel, follow, &attr, link);

    if (r == -ENOENT && (*flags & O_CREAT)) {
        r = vfs_check_parent(p);
        return r ? r : -EROFS;
    }
    if (r) return r;
    if ((*flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) return -EEXIST;
    if (is_tmpfile(*flags)) return S_ISDIR(attr.mode) ? -EROFS : -ENOTDIR;
    if (S_ISDIR(attr.mode) && (wants_write(*flags) || (*flags & O_CREAT))) return -EISDIR;
    if (S_ISLNK(attr.mode)) return -ELOOP;
    if (wants_write(*flags) && S_ISREG(attr.mode)) return -EROFS;
    *flags &= ~(uint32_t)O_CREAT;
    return 0;
}

static bool is_magic(struct vpath *p) {
    return p->mnt->ops->magic_link && p->mnt->ops->magic_link(p->mnt, p->rel);
}

/* One attempt at the path as it stands. */
static int try_open(struct vpath *p, uint32_t flags, uint32_t mode, struct file *f,
                    struct vfs_link *link) {
    int r = 0;

    if (p->must_be_dir && (flags & O_CREAT)) return -EISDIR;
    if (unlikely(p->resolve) && is_magic(p) &&
        (flags & (O_PATH | O_NOFOLLOW)) != (O_PATH | O_NOFOLLOW)) {
        if (p->resolve & (RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS)) return -ELOOP;
        if (p->resolve & ~RESOLVE_CACHED) return -EXDEV; /* it leads anywhere */
    }
    if (p->mnt->readonly && !(flags & O_PATH) &&
        (wants_write(flags) || (flags & O_CREAT) || is_tmpfile(flags)))
        r = check_readonly(p, &flags, link);
    if (r) return r;
    return p->mnt->ops->open(p->mnt, p->rel, flags, mode, f, link);
}

/* The name by which the file is known from now on; a tmpfile never had one. */
static char *name_of(const struct vpath *p, struct file *f) {
    struct hc_attr attr;
    char *path;
    size_t size;

    if (!is_tmpfile(f->flags)) return kstrdup(p->text);
    f->unlinked = true;
    if (file_getattr(f, &attr)) attr.ino = 0;
    size = strlen(p->text) + 32;
    path = kmalloc(size);
    if (path) ksnprintf(path, size, "%s/#%lu", p->text[1] ? p->text : "", (unsigned long)attr.ino);
    return path;
}

static int finish_open(struct vpath *p, uint32_t flags, struct file *f, bool named) {
    if ((flags & O_DIRECTORY) && !is_tmpfile(flags) && !S_ISDIR(f->mode)) return -ENOTDIR;
    f->mode &= S_IFMT;
    if (named) return 0;
    f->mnt = p->mnt;
    f->path = name_of(p, f);
    return f->path ? 0 : -ENOMEM;
}

/* For inotify(7): will the open make the file? */
static bool is_new(struct vpath *p, uint32_t flags, struct vfs_link *link) {
    struct hc_attr attr;

    if (!notify_active() || !(flags & O_CREAT)) return false;
    return p->mnt->ops->stat(p->mnt, p->rel, false, &attr, link) == -ENOENT;
}

int vfs_open(struct vpath *p, uint32_t flags, uint32_t mode, struct file **out) {
    struct vfs_walk w;
    struct file *f;
    bool created = false;
    int r = check_flags(p, &flags);

    if (r) return r;
    mode = (flags & O_CREAT) || is_tmpfile(flags) ? mode & 07777 & ~current_process()->fs.umask : 0;
    r = walk_begin(&w, p);
    if (r) return r;
    f = file_new(NULL, flags & ~(uint32_t)ONCE_FLAGS, 0);
    if (!f) r = -ENFILE;
    if (f) {
        do {
            created = is_new(p, flags, w.link);
            r = try_open(p, flags, mode, f, w.link);
        } while (walk_again(&w, &r));
    }
    walk_end(&w);
    if (r < 0 && f) f->ops = NULL; /* nothing to release */
    if (r >= 0) r = finish_open(p, flags, f, r > 0);
    if (r < 0) {
        if (f) file_put(f);
        return r;
    }
    if (created) notify_path(f->path, f->mode, IN_CREATE);
    if (flags & O_TRUNC && S_ISREG(f->mode) && !created) notify_file(f, IN_MODIFY);
    notify_file(f, IN_OPEN);
    *out = f;
    return 0;
}

void vfs_sync(void) {
    for (struct mount *m = vfs_first_mount(); m; m = m->next) {
        struct vpath p;
        struct file *f;

        if (m->readonly) continue;
        if (vfs_path(&p, VFS_AT_CWD, m->path) || vfs_open(&p, O_RDONLY, 0, &f)) continue;
        file_syncfs(f);
        file_put(f);
    }
}
