/* SPDX-License-Identifier: MIT */
/* Names of anonymous mappings, as /proc/self/maps shows them. */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/string.h>

#include "mm_internal.h"

/* The heap and the like keep the names that the kernel gave them.
 *
 * Programs use a few names for many mappings, and VMAs compare names by address: every name exists
 * once, and stays. */
struct known_name {
    struct known_name *next;
    char text[];
};

static struct known_name *names;

static const char *intern(const char *name) {
    size_t size = strlen(name) + sizeof("[anon:]");
    struct known_name *n;

    for (n = names; n; n = n->next)
        if (strlen(n->text) == size - 1 && memcmp(n->text + 6, name, size - 8) == 0) return n->text;
    n = kmalloc(sizeof(*n) + size);
    if (!n) return NULL;
    ksnprintf(n->text, size, "[anon:%s]", name);
    n->next = names;
    names = n;
    return n->text;
}

int mm_name(struct mm *mm, gva_t start, uint64_t len, const char *name) {
    const char *text = NULL;
    gva_t end = start + len;
    int r, gap = 0;

    if (name && !(text = intern(name))) return -ENOMEM;
    for (gva_t at = start; at < end;) {
        const struct vma *v = mm_next(mm, at);

        if (!v || v->start >= end) break;
        if (v->file) return -EBADF;
        at = v->end;
    }
    r = vma_split_range(mm, start, end);
    if (r) return r;
    for (gva_t at = start; at < end;) {
        struct vma *v = mm_next(mm, at);

        if (!v || v->start > at) gap = -ENOMEM;
        if (!v || v->start >= end) break;
        at = v->end;
        if (!v->name || strncmp(v->name, "[anon:", 6) == 0) v->name = text;
        vma_merge(mm, v);
    }
    return gap;
}
