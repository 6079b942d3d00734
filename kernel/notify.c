/* SPDX-License-Identifier: MIT */
/* What happens to files reaches the watches of inotify(7).  Owns the table of watches by path. */
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "inotify_internal.h"
#include "vfs_walk.h"

#define BUCKETS 256u

static struct watch_list table[BUCKETS];
static uint32_t last_cookie;

struct watch_list *notify_bucket(const char *path, size_t len) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)path[i]) * 16777619u;
    return &table[hash % BUCKETS];
}

static bool is_at(const struct watch *w, const char *path, size_t len) {
    return strncmp(w->path, path, len) == 0 && w->path[len] == '\0';
}

/* To those that watch the object itself; unlinked: by a name that it no longer has. */
static void tell_self(const char *path, bool unlinked, uint32_t mask) {
    size_t len = strlen(path);
    struct watch *w, *next;
    LIST_FOREACH_SAFE(w, notify_bucket(path, len), by_path, next) {
        if (w->unlinked == unlinked && (w->mask & mask & IN_ALL_EVENTS) != 0 && is_at(w, path, len))
            watch_event(w, mask, 0, "");
    }
}

/* To those that watch the directory. */
static void tell_parent(const char *path, bool unlinked, uint32_t mask, uint32_t cookie) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash[1] == '\0') return;
    size_t len = slash == path ? 1 : (size_t)(slash - path);
    struct watch *w, *next;
    LIST_FOREACH_SAFE(w, notify_bucket(path, len), by_path, next) {
        if (w->unlinked || (w->mask & mask & IN_ALL_EVENTS) == 0 || !is_at(w, path, len)) continue;
        if (!unlinked || (w->mask & IN_EXCL_UNLINK) == 0) watch_event(w, mask, cookie, slash + 1);
    }
}

static uint32_t with_type(uint32_t mask, uint32_t mode) {
    return S_ISDIR(mode) ? mask | IN_ISDIR : mask;
}

void notify_path_slow(const char *path, uint32_t mode, uint32_t mask) {
    mask = with_type(mask, mode);
    tell_parent(path, false, mask, 0);
    if ((mask & IN_CREATE) == 0) tell_self(path, false, mask);
}

void notify_file_slow(struct file *f, uint32_t mask) {
    if (f->path == NULL || (f->flags & O_PATH) != 0) return;
    mask = with_type(mask, f->mode);
    tell_parent(f->path, f->unlinked, mask, 0);
    tell_self(f->path, f->unlinked, mask);
}

void notify_setattr_slow(struct file *f, const struct vpath *p, uint32_t set) {
    bool atime = (set & HC_SET_ATIME) != 0, mtime = (set & HC_SET_MTIME) != 0;
    uint32_t mask = 0;
    if ((set & (HC_SET_MODE | HC_SET_UID | HC_SET_GID)) != 0 || (atime && mtime)) mask = IN_ATTRIB;
    if ((set & HC_SET_SIZE) != 0 || (mtime && !atime)) mask |= IN_MODIFY;
    if (atime && !mtime) mask |= IN_ACCESS;
    struct hc_attr attr;
    if (mask == 0) return;
    if (f != NULL)
        notify_file_slow(f, mask);
    else if (p->mnt->ops->stat(p->mnt, p->rel, false, &attr, NULL) == 0)
        notify_path_slow(p->text, attr.mode, mask);
}

/* Marks the open files of a name that is gone; whether there are any. */
static bool mark_open(const char *path) {
    const struct fd_table *fds = &current_process()->fds;
    bool any = false;
    for (uint32_t fd = 0; fd < fds->size; fd++) {
        struct file *f = fds->files[fd];
        if (f == NULL || f->path == NULL || f->unlinked || strcmp(f->path, path) != 0) continue;
        f->unlinked = true;
        any = true;
    }
    return any;
}

/* The object that had this name is gone, or will be when it is closed. */
static void object_gone(const char *path, bool open) {
    size_t len = strlen(path);
    struct watch *w, *next;
    if (!open) tell_self(path, false, IN_DELETE_SELF);
    LIST_FOREACH_SAFE(w, notify_bucket(path, len), by_path, next) {
        if (w->unlinked || !is_at(w, path, len)) continue;
        if (open)
            w->unlinked = true;
        else
            watch_end(w);
    }
}

void notify_removed_slow(const char *path, uint32_t mode, bool last_link) {
    bool open = mark_open(path);
    if (!S_ISDIR(mode)) tell_self(path, false, IN_ATTRIB);
    tell_parent(path, false, with_type(IN_DELETE, mode), 0);
    if (last_link) object_gone(path, open);
}

static bool still_open(const struct file *closed) {
    const struct fd_table *fds = &current_process()->fds;
    for (uint32_t fd = 0; fd < fds->size; fd++) {
        const struct file *f = fds->files[fd];
        if (f != NULL && f != closed && f->unlinked && strcmp(f->path, closed->path) == 0)
            return true;
    }
    return false;
}

void notify_closed_slow(struct file *f) {
    size_t len;
    struct watch *w, *next;
    if (f->path == NULL || (f->flags & O_PATH) != 0) return;
    notify_file_slow(f, (f->flags & O_ACCMODE) == O_RDONLY ? IN_CLOSE_NOWRITE : IN_CLOSE_WRITE);
    if (!f->unlinked || still_open(f)) return;
    tell_self(f->path, true, IN_DELETE_SELF);
    len = strlen(f->path);
    LIST_FOREACH_SAFE(w, notify_bucket(f->path, len), by_path, next) {
        if (w->unlinked && is_at(w, f->path, len)) watch_end(w);
    }
}

/* Watches of and below a directory that moved keep to it. */
static void move_watches(const char *from, const char *to, struct watch_list *moved) {
    size_t from_len = strlen(from), to_len = strlen(to);
    for (uint32_t i = 0; i < BUCKETS; i++) {
        struct watch *w, *next;
        LIST_FOREACH_SAFE(w, &table[i], by_path, next) {
            if (w->unlinked || !path_under(w->path, from, from_len)) continue;
            size_t rest = strlen(w->path + from_len) + 1;
            char *path = kmalloc(to_len + rest);
            if (path == NULL) continue;
            memcpy(path, to, to_len);
            memcpy(path + to_len, w->path + from_len, rest);
            kfree(w->path);
            w->path = path;
            LIST_REMOVE(w, by_path);
            LIST_INSERT_HEAD(moved, w, by_path);
        }
    }
}

static void put_back(struct watch_list *moved) {
    while (!LIST_EMPTY(moved)) {
        struct watch *w = LIST_FIRST(moved);
        LIST_REMOVE(w, by_path);
        LIST_INSERT_HEAD(notify_bucket(w->path, strlen(w->path)), w, by_path);
    }
}

static void tell_move(const char *from, const char *to, uint32_t mode) {
    uint32_t cookie = ++last_cookie;
    tell_parent(from, false, with_type(IN_MOVED_FROM, mode), cookie);
    tell_parent(to, false, with_type(IN_MOVED_TO, mode), cookie);
}

void notify_renamed_slow(const char *from, const char *to, const struct notify_rename *ends,
                         bool exchange) {
    struct watch_list moved = LIST_HEAD_INITIALIZER(moved);
    tell_move(from, to, ends->mode);
    if (exchange) {
        tell_move(to, from, ends->to_mode);
    } else if (ends->to_mode != 0) {
        bool open = mark_open(to);
        if (!S_ISDIR(ends->to_mode)) tell_self(to, false, IN_ATTRIB);
        if (S_ISDIR(ends->to_mode) || ends->to_last) object_gone(to, open);
    }
    move_watches(from, to, &moved);
    if (exchange) move_watches(to, from, &moved);
    put_back(&moved);
    tell_self(to, false, IN_MOVE_SELF);
    if (exchange) tell_self(from, false, IN_MOVE_SELF);
}

void notify_linked_slow(const char *path) { tell_self(path, false, IN_ATTRIB); }
