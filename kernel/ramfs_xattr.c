/* SPDX-License-Identifier: MIT */
/* Extended attributes of ramfs nodes: a list in order of creation. */
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/string.h>
#include <kernel/xattr.h>

#include "ramfs.h"

struct rxattr {
    struct rxattr *next;
    uint64_t size;
    char *name; /* behind the value, in the same block */
    char value[];
};

/* Where the pointer to the attribute is, or to its place at the end. */
static struct rxattr **find(struct rnode *n, const char *name) {
    struct rxattr **at = &n->xattrs;
    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

static int64_t get(struct rnode *n, const struct xattr_call *c) {
    const struct rxattr *x = *find(n, c->name);
    if (x == NULL) return -ENODATA;
    if (c->size == 0) return (int64_t)x->size;
    if (c->size < x->size) return -ERANGE;
    memcpy(c->value, x->value, x->size);
    return (int64_t)x->size;
}

static bool is_shown(const struct rxattr *x, bool trusted) {
    return trusted || strncmp(x->name, "trusted.", 8) != 0;
}

static uint64_t list_size(const struct rnode *n, bool trusted) {
    uint64_t size = 0;
    for (const struct rxattr *x = n->xattrs; x != NULL; x = x->next)
        if (is_shown(x, trusted)) size += strlen(x->name) + 1;
    return size;
}

static int64_t list(const struct rnode *n, const struct xattr_call *c, bool trusted) {
    uint64_t size = list_size(n, trusted);
    char *to = c->value;
    if (size > XATTR_MAX_SIZE) return -E2BIG;
    if (c->size == 0) return (int64_t)size;
    if (c->size < size) return -ERANGE;
    for (const struct rxattr *x = n->xattrs; x != NULL; x = x->next) {
        uint64_t len = strlen(x->name) + 1;
        if (!is_shown(x, trusted)) continue;
        memcpy(to, x->name, len);
        to += len;
    }
    return (int64_t)size;
}

static int64_t set(struct rnode *n, const struct xattr_call *c) {
    struct rxattr **at = find(n, c->name), *old = *at, *x;
    uint64_t len = strlen(c->name) + 1;
    if (old != NULL && (c->flags & XATTR_CREATE) != 0) return -EEXIST;
    if (old == NULL && (c->flags & XATTR_REPLACE) != 0) return -ENODATA;
    x = kmalloc(sizeof(*x) + c->size + len);
    if (x == NULL) return -ENOSPC;
    x->size = c->size;
    x->name = x->value + c->size;
    if (c->size != 0) memcpy(x->value, c->value, c->size);
    memcpy(x->name, c->name, len);
    x->next = old != NULL ? old->next : NULL;
    *at = x;
    kfree(old);
    n->ctime = clock_realtime_ns();
    return 0;
}

static int64_t remove(struct rnode *n, const struct xattr_call *c) {
    struct rxattr **at = find(n, c->name), *old = *at;
    if (old == NULL) return -ENODATA;
    *at = old->next;
    kfree(old);
    n->ctime = clock_realtime_ns();
    return 0;
}

int64_t ramfs_xattr(struct file *f, const struct xattr_call *c) {
    struct rnode *n = f->priv;
    switch (c->what) {
    case HC_XATTR_GET:
        return get(n, c);
    case HC_XATTR_LIST:
        return list(n, c, xattr_trusted(f->mnt));
    case HC_XATTR_SET:
        return set(n, c);
    default:
        return remove(n, c);
    }
}

void rxattr_free(struct rnode *n) {
    while (n->xattrs != NULL) {
        struct rxattr *x = n->xattrs;
        n->xattrs = x->next;
        kfree(x);
    }
}
