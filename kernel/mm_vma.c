/* SPDX-License-Identifier: MIT */
/* The tree of mapped ranges of an address space. */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/vfs.h>

#include "mm_internal.h"

int vma_compare(const struct vma *a, const struct vma *b) {
    return a->start < b->start ? -1 : a->start > b->start;
}

RB_GENERATE(vma_tree, vma, node, vma_compare)

struct vma *mm_next(struct mm *mm, gva_t addr) {
    struct vma *v = RB_ROOT(&mm->vmas), *best = NULL;
    while (v != NULL) {
        if (v->end > addr) {
            best = v;
            v = RB_LEFT(v, node);
        } else {
            v = RB_RIGHT(v, node);
        }
    }
    return best;
}

struct vma *mm_find(struct mm *mm, gva_t addr) {
    struct vma *v = mm_next(mm, addr);
    return v != NULL && v->start <= addr ? v : NULL;
}

struct vma *vma_insert(struct mm *mm, const struct vma *like) {
    struct vma *v = kmalloc(sizeof(*v));
    if (v == NULL) return NULL;
    *v = *like;
    if (v->file != NULL) file_ref(v->file);
    RB_INSERT(vma_tree, &mm->vmas, v);
    mm->mapped += v->end - v->start;
    mm->mapped_peak = max(mm->mapped_peak, mm->mapped);
    return v;
}

void vma_remove(struct mm *mm, struct vma *v) {
    RB_REMOVE(vma_tree, &mm->vmas, v);
    mm->mapped -= v->end - v->start;
    if (v->file != NULL) file_put(v->file);
    kfree(v);
}

static int split_at(struct mm *mm, gva_t at) {
    struct vma *v = mm_find(mm, at);
    if (v == NULL || v->start == at) return 0;
    struct vma upper = *v;
    upper.start = at;
    upper.offset += at - v->start;
    mm->mapped -= v->end - at;
    v->end = at;
    if (vma_insert(mm, &upper) != NULL) return 0;
    v->end = upper.end;
    mm->mapped += v->end - at;
    return -ENOMEM;
}

int vma_split_range(struct mm *mm, gva_t start, gva_t end) {
    int r = split_at(mm, start);
    return r != 0 ? r : split_at(mm, end);
}

static bool continues(const struct vma *a, const struct vma *b) {
    if (a->end != b->start || a->prot != b->prot || a->flags != b->flags) return false;
    if (a->state != b->state) return false;
    if (a->file != b->file || a->name != b->name) return false;
    return a->file == NULL || a->offset + (a->end - a->start) == b->offset;
}

static void absorb(struct mm *mm, struct vma *a, struct vma *b) {
    gva_t end = b->end;
    mm->mapped += end - b->start;
    vma_remove(mm, b);
    a->end = end;
}

void vma_merge(struct mm *mm, struct vma *v) {
    struct vma *next = RB_NEXT(vma_tree, &mm->vmas, v);
    if (next != NULL && continues(v, next)) absorb(mm, v, next);
    struct vma *prev = RB_PREV(vma_tree, &mm->vmas, v);
    if (prev != NULL && continues(prev, v)) absorb(mm, prev, v);
}

/* Where a mapping below v must end: stacks keep a gap to grow into. */
static gva_t ceiling(const struct vma *v) {
    uint64_t gap = v->flags & MAP_GROWSDOWN ? STACK_GUARD : 0;
    return v->start > gap ? v->start - gap : 0;
}

gva_t vma_find_free(struct mm *mm, gva_t top, uint64_t len) {
    struct vma *v = mm_next(mm, top);
    if (v == NULL) v = RB_MAX(vma_tree, &mm->vmas);
    for (; v != NULL; v = RB_PREV(vma_tree, &mm->vmas, v)) {
        if (v->end < top && top - v->end >= len) return top - len;
        top = min(top, ceiling(v));
        if (top < len + HERMIT_USER_MIN) return 0;
    }
    return top - len >= HERMIT_USER_MIN ? top - len : 0;
}
