/* SPDX-License-Identifier: MIT */
/* Directories of ramfs: two red-black trees over the same names, by name for lookup and by cookie
 * for getdents64, whose positions stay valid while other names come and go. */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/string.h>

#include "dirent.h"
#include "ramfs.h"

#define FIRST_COOKIE 2 /* 0 is ".", 1 is ".." */

/* Any total order will do; by length first is the cheapest. */
static int compare_names(const struct rname *a, const struct rname *b) {
    if (a->len != b->len) return a->len < b->len ? -1 : 1;
    return memcmp(a->name, b->name, a->len);
}

static int compare_cookies(const struct rname *a, const struct rname *b) {
    return a->cookie < b->cookie ? -1 : a->cookie > b->cookie;
}

#define UNUSED_STATIC __attribute__((unused)) static
RB_GENERATE_INTERNAL(rname_tree, rname, by_name, compare_names, UNUSED_STATIC)
RB_GENERATE_INTERNAL(rcookie_tree, rname, by_cookie, compare_cookies, UNUSED_STATIC)

struct rname *rdir_find(struct rnode *dir, const char *name, uint32_t len) {
    struct rname *e = RB_ROOT(&dir->dir.names);

    while (e) {
        int c = len != e->len ? (len < e->len ? -1 : 1) : memcmp(name, e->name, len);

        if (c == 0) return e;
        e = c < 0 ? RB_LEFT(e, by_name) : RB_RIGHT(e, by_name);
    }
    return NULL;
}

int rdir_add(struct rnode *dir, const char *name, uint32_t len, struct rnode *node) {
    struct rname *e = kmalloc(sizeof(*e) + len);

    if (!e) return -ENOSPC;
    e->cookie = FIRST_COOKIE + dir->dir.next_cookie++;
    e->node = node;
    e->len = (uint8_t)len;
    memcpy(e->name, name, len);
    RB_INSERT(rname_tree, &dir->dir.names, e);
    RB_INSERT(rcookie_tree, &dir->dir.cookies, e);
    dir->size++;
    if (S_ISDIR(node->mode)) {
        node->dir.parent = dir;
        dir->nlink++;
    }
    rnode_touch(dir);
    return 0;
}

void rdir_remove(struct rnode *dir, struct rname *entry) {
    if (S_ISDIR(entry->node->mode)) dir->nlink--;
    RB_REMOVE(rname_tree, &dir->dir.names, entry);
    RB_REMOVE(rcookie_tree, &dir->dir.cookies, entry);
    dir->size--;
    kfree(entry);
    rnode_touch(dir);
}

/* The first entry at or behind a position. */
static struct rname *entry_from(struct rnode *dir, uint64_t cookie) {
    struct rname key = {.cookie = cookie};

    return RB_NFIND(rcookie_tree, &dir->dir.cookies, &key);
}

int64_t rdir_getdents(struct file *f, gva_t buf, uint64_t len) {
    struct rnode *dir = f->priv;
    struct dirent_sink sink = {.buf = buf, .len = len};
    struct rname *e;
    bool fits = true;

    if (dir->nlink == 0) return -ENOENT;
    if (f->pos == 0) {
        fits = dirent_emit(&sink, ".", 1, dir->ino, S_IFDIR, 1);
        if (fits) f->pos = 1;
    }
    if (f->pos == 1 && fits) {
        fits = dirent_emit(&sink, "..", 2, dir->dir.parent->ino, S_IFDIR, FIRST_COOKIE);
        if (fits) f->pos = FIRST_COOKIE;
    }
    e = fits ? entry_from(dir, (uint64_t)f->pos) : NULL;
    for (; e; e = RB_NEXT(rcookie_tree, &dir->dir.cookies, e)) {
        fits = dirent_emit(&sink, e->name, e->len, e->node->ino, e->node->mode,
                           (int64_t)e->cookie + 1);
        if (!fits) break;
        f->pos = (int64_t)e->cookie + 1;
    }
    rnode_accessed(dir);
    return dirent_result(&sink, !fits);
}

int64_t rdir_seek(struct file *f, int64_t offset, int whence) {
    struct rnode *dir = f->priv;

    if (whence == SEEK_CUR) offset += f->pos;
    if (whence == SEEK_END) offset += FIRST_COOKIE + (int64_t)dir->dir.next_cookie;
    if (whence > SEEK_END || offset < 0) return -EINVAL;
    f->pos = offset;
    return offset;
}
