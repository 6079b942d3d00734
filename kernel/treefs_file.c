/* SPDX-License-Identifier: MIT */
/* Open files and directories of a tree.  Owns nothing beyond what each open file holds. */
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "dirent.h"
#include "treefs.h"

#define ROOT_INO 1u
#define STORE_MAX PAGE_SIZE /* bytes that one write may have, as in Linux */

/* What an open file holds: where it is, and its text from the first read on. */
struct tree_open {
    struct tree_node node;
    bool filled;
    struct tree_text text;
};

static const struct tree *tree_of(const struct mount *m) { return m->priv; }

const struct tree_node *tree_file_node(const struct file *f) {
    return &((const struct tree_open *)f->priv)->node;
}

/* Rows are constants of the kernel's image: their place and the path's numbers tell all nodes
 * apart. */
static uint64_t node_ino(const struct mount *m, const struct tree_node *n) {
    uint64_t ino = (uint64_t)(uintptr_t)n->entry & 0xffffff;

    if (n->entry == &tree_of(m)->root) return ROOT_INO;
    for (int i = 0; i < TREE_NUMBERS; i++)
        ino = ino * 31 + ((uint64_t)(n->number[i] + 1) << 24);
    return ino & 0xffffffffffff;
}

static uint32_t count_links(const struct tree_node *n) {
    const struct tree_dir *dir = n->entry->dir;
    const struct tree_numbered *members = dir->numbered;
    uint32_t links = 2;

    for (uint32_t i = 0; i < dir->count; i++)
        links += S_ISDIR(dir->entries[i].mode);
    for (int i = 0; members && S_ISDIR(members->entry.mode); i++, links++)
        if ((i = members->next(n, i)) == TREE_NONE) break;
    return links;
}

void tree_fill_attr(const struct mount *m, const struct tree_node *n, struct hc_attr *a) {
    int64_t now = clock_realtime_ns();
    bool own = n->number[TREE_PID] != TREE_NONE;

    *a = (struct hc_attr){
        .ino = node_ino(m, n),
        .dev = m->id,
        .nlink = S_ISDIR(n->entry->mode) ? count_links(n) : 1,
        .mode = n->entry->mode,
        .uid = own ? current_process()->euid : 0,
        .gid = own ? current_process()->egid : 0,
        .size = S_ISREG(n->entry->mode) ? tree_of(m)->file_size : 0,
        .blksize = tree_of(m)->file_size ? tree_of(m)->file_size : 1024,
        .atime_ns = now,
        .mtime_ns = now,
        .ctime_ns = now,
    };
    if (tree_is_fd(n)) proc_fd_attr(n->number[TREE_FD], a);
    if (n->entry->attr) n->entry->attr(n, a);
}

void tree_fill_statfs(const struct mount *m, struct statfs *out) {
    *out = (struct statfs){.f_type = tree_of(m)->magic,
                           .f_bsize = PAGE_SIZE,
                           .f_namelen = NAME_MAX,
                           .f_frsize = PAGE_SIZE};
}

int tree_file_statfs(struct file *f, gpa_t buf) {
    tree_fill_statfs(f->mnt, frame_ptr(buf));
    return 0;
}

int tree_file_getattr(struct file *f, struct hc_attr *attr) {
    const struct tree_node *n = tree_file_node(f);

    if (tree_is_fd(n) && !proc_fd_file(n->number[TREE_FD])) return -ENOENT;
    tree_fill_attr(f->mnt, n, attr);
    return 0;
}

void tree_file_release(struct file *f) {
    struct tree_open *o = f->priv;

    kfree(o->text.data);
    kfree(o);
}

/* Makes the text anew: 0 or -errno. */
static int fill(struct tree_open *o) {
    struct tree_text *t = &o->text;

    t->len = 0;
    t->failed = false;
    t->node = &o->node;
    t->of_thread = o->node.number[TREE_TID] != TREE_NONE;
    t->thread = tree_thread(&o->node);
    o->filled = false;
    if (!t->thread) return -ESRCH;
    if (o->node.entry->constant)
        text_printf(t, "%s\n", o->node.entry->constant);
    else if (o->node.entry->show)
        o->node.entry->show(t);
    else
        return -EINVAL;
    if (t->failed) return -ENOMEM;
    o->filled = true;
    return 0;
}

/* As seq_file does: a read at the start tells what is so now, later ones go on in that text. */
static int64_t text_read(struct file *f, const struct uio *u, int64_t *pos) {
    struct tree_open *o = f->priv;
    uint64_t n;
    int r = 0;

    if (*pos == 0 || !o->filled) r = fill(o);
    if (r) return r;
    if ((uint64_t)*pos >= o->text.len) return 0;
    n = min(u->len, o->text.len - (uint64_t)*pos);
    r = uio_fill(u, 0, o->text.data + *pos, n);
    if (r) return r;
    *pos += (int64_t)n;
    return (int64_t)n;
}

static int64_t text_write(struct file *f, const struct uio *u, int64_t *pos) {
    struct tree_open *o = f->priv;
    struct tree_text t = {.node = &o->node, .of_thread = o->node.number[TREE_TID] != TREE_NONE};
    uint64_t len = min(u->len, (uint64_t)STORE_MAX - 1);
    char *text;
    int r;

    if (!o->node.entry->store) return -EINVAL;
    t.thread = tree_thread(&o->node);
    if (!t.thread) return -ESRCH;
    text = kmalloc(len + 1);
    if (!text) return -ENOMEM;
    r = uio_drain(u, 0, text, len);
    text[len] = '\0';
    if (!r) r = o->node.entry->store(&t, text, len);
    kfree(text);
    if (r) return r;
    *pos += (int64_t)len;
    return (int64_t)len;
}

/* There is no end to seek from. */
static int64_t text_seek(struct file *f, int64_t offset, int whence) {
    if (whence == SEEK_CUR && __builtin_add_overflow(offset, f->pos, &offset)) return -EINVAL;
    if ((whence != SEEK_SET && whence != SEEK_CUR) || offset < 0) return -EINVAL;
    return f->pos = offset;
}

/* The member at or behind position *i of a directory (rows first, then numbers); false at the
 * end. */
static bool next_member(const struct tree_node *parent, uint64_t *i, char name[64],
                        struct tree_node *n) {
    const struct tree_dir *dir = parent->entry->dir;
    const struct tree_numbered *members = dir->numbered;
    int number;

    *n = *parent;
    if (*i < dir->count) {
        n->entry = &dir->entries[*i];
        strlcpy(name, n->entry->name, 64);
        return true;
    }
    if (!members || *i - dir->count > INT32_MAX) return false;
    number = members->next(parent, (int)(*i - dir->count));
    if (number == TREE_NONE) return false;
    *i = dir->count + (uint64_t)number;
    n->entry = &members->entry;
    n->number[members->meaning] = number;
    ksnprintf(name, 64, "%s%d", members->entry.name, number);
    return true;
}

static int64_t dir_getdents(struct file *f, gva_t buf, uint64_t len) {
    const struct tree_node *dir = tree_file_node(f);
    struct dirent_sink sink = {.buf = buf, .len = len};
    bool fits = true;
    struct tree_node n;
    char name[64];
    uint64_t i;

    while (fits && f->pos < 2) {
        fits = dirent_emit(&sink, "..", (size_t)f->pos + 1,
                           f->pos ? ROOT_INO : node_ino(f->mnt, dir), S_IFDIR, f->pos + 1);
        if (fits) f->pos++;
    }
    for (i = (uint64_t)f->pos - 2; fits && next_member(dir, &i, name, &n); i++) {
        fits = dirent_emit(&sink, name, strlen(name), node_ino(f->mnt, &n), n.entry->mode,
                           (int64_t)i + 3);
        if (fits) f->pos = (int64_t)i + 3;
    }
    return dirent_result(&sink, !fits);
}

static const struct file_ops text_ops = {
    .read = text_read,
    .write = text_write,
    .seek = text_seek,
    .getattr = tree_file_getattr,
    .statfs = tree_file_statfs,
    .release = tree_file_release,
};

/* Also of what was opened with O_PATH. */
static const struct file_ops dir_ops = {
    .getdents = dir_getdents,
    .getattr = tree_file_getattr,
    .statfs = tree_file_statfs,
    .release = tree_file_release,
};

const struct tree_node *tree_file_directory(const struct file *f) {
    return f->ops == &dir_ops ? tree_file_node(f) : NULL;
}

static const struct file_ops object_ops = {
    .getattr = tree_file_getattr,
    .statfs = tree_file_statfs,
    .release = tree_file_release,
};

static const struct file_ops *ops_of(const struct tree_entry *e, uint32_t flags) {
    if ((flags & O_PATH) || S_ISDIR(e->mode)) return &dir_ops;
    if (e->opaque) return &object_ops;
    return e->ops ? e->ops : &text_ops;
}

static int check_open(struct mount *m, const struct tree_node *n, uint32_t flags) {
    const struct tree_entry *e = n->entry;
    struct hc_attr attr;
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
    bool reads = (flags & O_ACCMODE) != O_WRONLY;

    if ((flags & O_DIRECTORY) && !S_ISDIR(e->mode)) return -ENOTDIR;
    if (flags & O_PATH) return 0;
    if (S_ISLNK(e->mode) && (!e->opaque || (flags & O_NOFOLLOW))) return -ELOOP;
    if (S_ISDIR(e->mode)) return writes || (flags & O_CREAT) ? -EISDIR : 0;
    if (writes && !(e->mode & 0222)) return -EACCES;
    if (S_ISLNK(e->mode)) return 0;
    tree_fill_attr(m, n, &attr);
    return vfs_permission(&attr, (reads ? 4 : 0) | (writes ? 2 : 0));
}

int tree_open_node(struct mount *m, const struct tree_node *n, uint32_t flags, struct file *out) {
    struct tree_open *o;
    int r = check_open(m, n, flags);

    if (r) return r;
    if (!tree_thread(n)) return -ESRCH;
    o = kzalloc(sizeof(*o));
    if (!o) return -ENOMEM;
    if (n->entry->open && !(flags & O_PATH)) r = n->entry->open(n, out);
    if (r) {
        kfree(o);
        return r;
    }
    o->node = *n;
    out->priv = o;
    out->mode = n->entry->opaque && !(flags & O_PATH) ? S_IFREG : n->entry->mode;
    out->ops = ops_of(n->entry, flags);
    return 0;
}
