/* SPDX-License-Identifier: MIT */
/* Path resolution: from the program's string to canonical text, through symbolic links.
 *
 * The text of a vpath grows component by component.  A component is taken on trust until a file
 * system reports it as a symbolic link or ".." has to leave it; only then is a link's target
 * spliced in.  Most paths thus reach their file system in one call. */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "vfs_walk.h"

/* The first scratch costs no heap; more exist only where path operations nest. */
static struct vfs_scratch first_scratch;
static struct vfs_scratch *free_scratch = &first_scratch;

struct vfs_scratch *vfs_scratch_get(void) {
    struct vfs_scratch *s = free_scratch;

    if (!s) return kmalloc(sizeof(*s));
    free_scratch = s->next;
    return s;
}

void vfs_scratch_put(struct vfs_scratch *s) {
    s->next = free_scratch;
    free_scratch = s;
}

/* Finds the mount of p->text. */
static int bind_mount(struct vpath *p) {
    p->mnt = mount_of(p->text, &p->rel);
    if (!p->mnt) return -ENOENT;
    if (unlikely(p->resolve & RESOLVE_NO_XDEV)) {
        if (p->only && p->only != p->mnt) return -EXDEV;
        p->only = p->mnt;
    }
    return p->mnt->is_file && *p->rel ? -ENOTDIR : 0;
}

/* p->text[0..len) was found to have a symbolic link at its rel's first link->consumed bytes.
 * Puts the target, what follows the link and `todo` into s->todo.  Returns the length of the
 * link-free text that is left, or -errno. */
static int64_t splice_link(struct vpath *p, size_t len, struct vfs_scratch *s, const char *todo) {
    const struct vfs_link *link = &s->link;
    size_t end = (size_t)(p->rel - p->text) + link->consumed;
    size_t rest = len > end ? len - end : 0; /* starts with '/' */
    size_t more = strlen(todo);
    size_t need = link->len + rest + 1 + more + 1;

    if (++p->links > VFS_MAX_LINKS || p->resolve & RESOLVE_NO_SYMLINKS) return -ELOOP;
    if (link->len == 0 || end > len) return -ENOENT;
    if (need > sizeof(s->todo)) return -ENAMETOOLONG;
    memmove(s->todo + need - more - 1, todo, more + 1); /* todo may lie in s->todo */
    memcpy(s->todo, link->text, link->len);
    memcpy(s->todo + link->len, p->text + end, rest);
    if (more)
        s->todo[link->len + rest] = '/';
    else
        s->todo[link->len + rest] = '\0';
    if (link->text[0] == '/') return p->resolve & RESOLVE_BENEATH ? -EXDEV : p->floor;
    while (end > 0 && p->text[end - 1] != '/')
        end--;
    return end > 0 ? (int64_t)end - 1 : 0;
}

/* ".." is about to leave p->text[0..*len): it must be a directory once links are followed.
 * Returns 0, 1 if *todo and *len changed because of a link, or -errno. */
static int settle(struct vpath *p, size_t *len, const char **todo, struct vfs_scratch *s) {
    struct hc_attr attr;
    int64_t left;
    int r;

    p->text[*len] = '\0';
    r = bind_mount(p);
    if (!r) r = p->mnt->ops->stat(p->mnt, p->rel, true, &attr, &s->link);
    if (r == HC_SYMLINK) {
        left = splice_link(p, *len, s, *todo);
        if (left < 0) return (int)left;
        *len = (size_t)left;
        *todo = s->todo;
        return 1;
    }
    if (r < 0) return r;
    return S_ISDIR(attr.mode) ? 0 : -ENOTDIR;
}

/* Appends the components of todo to p->text[0..len), which is canonical and link-free. */
static int append(struct vpath *p, size_t len, const char *todo, struct vfs_scratch *s) {
    size_t clean = len; /* p->text[0..clean) is known to be a directory without links */
    size_t n;
    int r;

    p->last = VPATH_ROOT;
    p->must_be_dir = false;
    for (;; todo += n) {
        while (*todo == '/')
            todo++;
        if (*todo == '\0') break;
        n = (size_t)(strchrnul(todo, '/') - todo);
        p->must_be_dir = todo[n] == '/';
        if (n == 1 && todo[0] == '.') {
            p->last = VPATH_DOT;
            p->must_be_dir = true;
        } else if (n == 2 && todo[0] == '.' && todo[1] == '.') {
            if (len > clean) {
                r = settle(p, &len, &todo, s);
                if (r < 0) return r;
                clean = len;
                if (r > 0) n = 0;
                if (r > 0) continue;
            }
            if (len <= p->floor && p->resolve & RESOLVE_BENEATH) return -EXDEV;
            while (len > p->floor && p->text[--len] != '/')
                continue;
            clean = len;
            p->last = VPATH_DOTDOT;
            p->must_be_dir = true;
        } else {
            if (len + 1 + n >= sizeof(p->text)) return -ENAMETOOLONG;
            p->text[len++] = '/';
            memcpy(p->text + len, todo, n);
            len += n;
            p->last = VPATH_NAME;
        }
    }
    if (len == 0) p->text[len++] = '/';
    p->text[len] = '\0';
    return bind_mount(p);
}

/* Puts the directory that a relative path starts from into p->text; its length or -errno. */
static int64_t start_dir(struct vpath *p, int dirfd) {
    const char *base;
    struct file *f = NULL;
    size_t len;

    if (dirfd == VFS_AT_CWD) {
        base = current_process()->fs.cwd;
        if (*base == '\0') return -ENOENT;
    } else {
        f = fd_get(dirfd);
        if (!f) return -EBADF;
        if (!S_ISDIR(f->mode) || !f->path) {
            file_put(f);
            return -ENOTDIR;
        }
        base = f->path;
    }
    len = strcmp(base, "/") == 0 ? 0 : strlen(base);
    memcpy(p->text, base, len);
    if (f) file_put(f);
    return (int64_t)len;
}

static int start(struct vpath *p, int dirfd, const char *path, uint32_t resolve,
                 struct vfs_scratch *s) {
    bool bound = resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT);
    int64_t len = 0;
    int r;

    p->links = 0;
    p->floor = 0;
    p->resolve = (uint8_t)resolve;
    p->only = NULL;
    if (path[0] == '\0') return -ENOENT;
    if (path[0] == '/' && resolve & RESOLVE_BENEATH) return -EXDEV;
    if (path[0] != '/' || bound) len = start_dir(p, dirfd);
    if (len < 0) return (int)len;
    if (bound) p->floor = (uint16_t)len;
    if (resolve & RESOLVE_NO_XDEV) {
        p->text[0] = '/';
        p->text[max(len, 1)] = '\0';
        r = bind_mount(p);
        if (r) return r;
    }
    return append(p, (size_t)len, path, s);
}

int vfs_path(struct vpath *p, int dirfd, const char *path) {
    struct vfs_scratch *s = vfs_scratch_get();
    int r;

    if (!s) return -ENOMEM;
    r = start(p, dirfd, path, 0, s);
    vfs_scratch_put(s);
    return r;
}

int vfs_path_user(struct vpath *p, int dirfd, gva_t user_path) {
    return vfs_path_resolve(p, dirfd, user_path, 0);
}

int vfs_path_resolve(struct vpath *p, int dirfd, gva_t user_path, uint32_t resolve) {
    struct vfs_scratch *s = vfs_scratch_get();
    int64_t r;

    if (!s) return -ENOMEM;
    r = strncpy_from_user(s->todo, user_path, sizeof(s->todo));
    if (r >= 0) r = start(p, dirfd, s->todo, resolve, s);
    vfs_scratch_put(s);
    return (int)r;
}

int walk_begin(struct vfs_walk *w, struct vpath *p) {
    w->p = p;
    w->scratch = vfs_scratch_get();
    if (!w->scratch) return -ENOMEM;
    w->link = &w->scratch->link;
    return 0;
}

bool walk_again(struct vfs_walk *w, int *r) {
    struct vpath *p = w->p;
    bool must_be_dir = p->must_be_dir;
    uint8_t last = p->last;
    int64_t len;

    if (*r != HC_SYMLINK) return false;
    len = splice_link(p, strlen(p->text), w->scratch, "");
    if (len >= 0) *r = append(p, (size_t)len, w->scratch->todo, w->scratch);
    if (len < 0) *r = (int)len;
    p->must_be_dir |= must_be_dir; /* "link/" asks for a directory whatever the target says */
    p->last = last;
    return *r == 0;
}

void walk_end(struct vfs_walk *w) { vfs_scratch_put(w->scratch); }

int vfs_resolve(struct vpath *p, bool follow, struct hc_attr *attr) {
    struct vfs_walk w;
    int r = walk_begin(&w, p);

    if (r) return r;
    do
        r = p->mnt->ops->stat(p->mnt, p->rel, follow, attr, w.link);
    while (walk_again(&w, &r));
    walk_end(&w);
    return r;
}
