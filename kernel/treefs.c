/* SPDX-License-Identifier: MIT */
/* Trees of generated files as file systems: paths to rows, and the operations on paths. */
#include <hermit/linux_abi.h>
#include <kernel/log.h>
#include <kernel/sched.h>
#include <kernel/string.h>

#include "treefs.h"

static const struct tree *tree_of(const struct mount *m) { return m->priv; }

/* The decimal number that text[0..len) is, or TREE_NONE; none has a leading zero. */
static int parse_number(const char *text, size_t len) {
    int value = 0;

    if (len == 0 || len > 9 || (len > 1 && text[0] == '0')) return TREE_NONE;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') return TREE_NONE;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static bool step_numbered(struct tree_node *n, const char *name, size_t len) {
    const struct tree_numbered *members = n->entry->dir->numbered;
    size_t prefix = strlen(members->entry.name);
    int number;

    if (len <= prefix || memcmp(name, members->entry.name, prefix) != 0) return false;
    number = parse_number(name + prefix, len - prefix);
    if (number == TREE_NONE) return false;
    if (members->exists ? !members->exists(n, number) : members->next(n, number) != number)
        return false;
    n->number[members->meaning] = number;
    n->entry = &members->entry;
    return true;
}

/* From a directory to its member name[0..len). */
static bool step(struct tree_node *n, const char *name, size_t len) {
    const struct tree_dir *dir = n->entry->dir;

    for (uint32_t i = 0; i < dir->count; i++) {
        const struct tree_entry *e = &dir->entries[i];

        if (strncmp(e->name, name, len) != 0 || e->name[len] != '\0') continue;
        n->entry = e;
        return true;
    }
    return dir->numbered && step_numbered(n, name, len);
}

static int64_t node_text(const struct tree_node *n, char *buf, uint64_t size) {
    uint64_t len;

    if (!S_ISLNK(n->entry->mode)) return -EINVAL;
    if (!n->entry->constant) return n->entry->target(n, buf, size);
    len = min(strlen(n->entry->constant), size);
    memcpy(buf, n->entry->constant, len);
    return (int64_t)len;
}

static int report_link(const struct tree_node *n, size_t consumed, struct vfs_link *l) {
    int64_t len;

    if (!l) return -ELOOP;
    len = node_text(n, l->text, sizeof(l->text));
    if (len < 0) return (int)len;
    l->len = (uint32_t)len;
    l->consumed = (uint32_t)consumed;
    return HC_SYMLINK;
}

/* Finds rel.  A link at its end is the result (the caller knows whether to follow it); one on the
 * way is reported. */
static int find(struct mount *m, const char *rel, struct tree_node *n, struct vfs_link *l) {
    size_t at = 0, len;

    n->entry = &tree_of(m)->root;
    for (int i = 0; i < TREE_NUMBERS; i++)
        n->number[i] = TREE_NONE;
    while (rel[at]) {
        if (S_ISLNK(n->entry->mode) && !n->entry->opaque) return report_link(n, at - 1, l);
        if (!S_ISDIR(n->entry->mode)) return -ENOTDIR;
        len = (size_t)(strchrnul(rel + at, '/') - (rel + at));
        if (!step(n, rel + at, len)) return -ENOENT;
        at += len;
        if (rel[at] == '/') at++;
    }
    return 0;
}

struct thread *tree_thread(const struct tree_node *n) {
    int32_t tid = n->number[TREE_TID];

    if (tid == TREE_NONE) tid = n->number[TREE_PID];
    return tid == TREE_NONE ? current_process()->leader : thread_find(tid);
}

static bool followed(const struct tree_node *n, bool follow) {
    return follow && S_ISLNK(n->entry->mode) && !n->entry->opaque;
}

static int tree_stat(struct mount *m, const char *rel, bool follow, struct hc_attr *a,
                     struct vfs_link *l) {
    struct tree_node n;
    int r = find(m, rel, &n, l);

    if (r) return r;
    /* A directory is left to its own path, where ".." and names below it mean something. */
    if (follow && tree_is_fd(&n) && !S_ISDIR(proc_fd_file(n.number[TREE_FD])->mode))
        return file_getattr(proc_fd_file(n.number[TREE_FD]), a);
    if (followed(&n, follow)) return report_link(&n, strlen(rel), l);
    tree_fill_attr(m, &n, a);
    if (follow && n.entry->opaque) a->mode = TREE_FILE;
    return 0;
}

static int64_t tree_readlink(struct mount *m, const char *rel, char *buf, uint64_t size,
                             struct vfs_link *l) {
    struct tree_node n;
    int r = find(m, rel, &n, l);

    return r ? r : node_text(&n, buf, size);
}

static int tree_setattr(struct mount *m, const char *rel, bool follow, const struct hc_attr *a,
                        uint32_t mask, struct vfs_link *l) {
    struct tree_node n;
    int r = find(m, rel, &n, l);

    if (r) return r;
    if (follow && tree_is_fd(&n)) {
        struct file *f = proc_fd_file(n.number[TREE_FD]);

        if (f->mnt && f->path && !f->ops->reopen) return report_link(&n, strlen(rel), l);
        return file_setattr(f, a, mask);
    }
    if (followed(&n, follow)) return report_link(&n, strlen(rel), l);
    /* O_TRUNC of a file that takes writes. */
    return mask == HC_SET_SIZE && n.entry->store ? 0 : -EPERM;
}

static int tree_open(struct mount *m, const char *rel, uint32_t flags, uint32_t mode,
                     struct file *out, struct vfs_link *l) {
    bool exclusive = (flags & O_CREAT) && (flags & O_EXCL);
    bool follow = !(flags & O_NOFOLLOW) && !exclusive;
    struct tree_node n;
    int r = find(m, rel, &n, l);

    if (r) return r;
    if (exclusive) return -EEXIST;
    if (flags & __O_TMPFILE) return -EOPNOTSUPP;
    if (follow && tree_is_fd(&n)) {
        r = proc_fd_open(n.number[TREE_FD], flags, out);
        return r == HC_SYMLINK ? report_link(&n, strlen(rel), l) : r;
    }
    if (followed(&n, follow)) return report_link(&n, strlen(rel), l);
    return tree_open_node(m, &n, flags, out);
}

static int tree_statfs(struct mount *m, const char *rel, struct statfs *out, struct vfs_link *l) {
    struct tree_node n;
    int r = find(m, rel, &n, l);

    if (r) return r;
    if (tree_is_fd(&n)) return file_statfs(proc_fd_file(n.number[TREE_FD]), out);
    if (followed(&n, true)) return report_link(&n, strlen(rel), l);
    tree_fill_statfs(m, out);
    return 0;
}

static struct file *tree_magic_link(struct mount *m, const char *rel) {
    struct tree_node n;

    /* "self" was resolved before, so that no link is met on the way and none is reported. */
    if (find(m, rel, &n, NULL) || !tree_is_fd(&n)) return NULL;
    return proc_fd_file(n.number[TREE_FD]);
}

const struct fs_ops tree_ops = {
    .stat = tree_stat,
    .open = tree_open,
    .readlink = tree_readlink,
    .setattr = tree_setattr,
    .statfs = tree_statfs,
    .magic_link = tree_magic_link,
};
