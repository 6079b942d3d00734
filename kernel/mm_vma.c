/* SPDX-License-Identifier: MIT */
/* The tree of mapped ranges of an address space. */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/vfs.h>

#include "mm_internal.h"

int vma_compare(const struct vma *a, const struct vma *b) {
    return a->start < b->start ? -1 : a->start > b->start;
}

/* Where a mapping below v must end: stacks keep a gap to grow into. */
static gva_t ceiling(const struct vma *v) {
    uint64_t gap = v->flags & MAP_GROWSDOWN ? STACK_GUARD : 0;
    return v->start > gap ? v->start - gap : 0;
}

static uint64_t room(gva_t from, gva_t to) { return to > from ? to - from : 0; }

/* Works out what v says about its subtree from v and its children. */
static void sum_up(struct vma *v) {
    const struct vma *left = RB_LEFT(v, node), *right = RB_RIGHT(v, node);
    v->low = left != NULL ? left->low : ceiling(v);
    v->high = right != NULL ? right->high : v->end;
    v->gap = 0;
    if (left != NULL) v->gap = max(left->gap, room(left->high, ceiling(v)));
    if (right != NULL) v->gap = max(v->gap, max(right->gap, room(v->end, right->low)));
}

/* The tree's own calls are for its rotations; vma_resized() does the way up to the root. */
#undef RB_AUGMENT
#define RB_AUGMENT(v) sum_up(v)
RB_GENERATE(vma_tree, vma, node, vma_compare)

void vma_resized(struct vma *v) {
    for (; v != NULL; v = RB_PARENT(v, node))
        sum_up(v);
}

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
    vma_resized(v);
    mm->vma_count++;
    mm->mapped += v->end - v->start;
    mm->mapped_peak = max(mm->mapped_peak, mm->mapped);
    return v;
}

void vma_remove(struct mm *mm, struct vma *v) {
    struct vma *prev = RB_PREV(vma_tree, &mm->vmas, v), *next = RB_NEXT(vma_tree, &mm->vmas, v);
    RB_REMOVE(vma_tree, &mm->vmas, v);
    /* Whatever v was below of has one of its neighbours below it, too. */
    vma_resized(prev);
    vma_resized(next);
    mm->vma_count--;
    mm->mapped -= v->end - v->start;
    if (v->file != NULL) file_put(v->file);
    kfree(v);
}

static int split_at(struct mm *mm, gva_t at) {
    struct vma *v = mm_find(mm, at);
    if (v == NULL || v->start == at) return 0;
    if (mm->vma_count >= VMA_COUNT_MAX) return -ENOMEM;
    struct vma upper = *v;
    upper.start = at;
    upper.offset += at - v->start;
    mm->mapped -= v->end - at;
    v->end = at;
    vma_resized(v);
    if (vma_insert(mm, &upper) != NULL) return 0;
    v->end = upper.end;
    vma_resized(v);
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
    vma_resized(a);
}

void vma_merge(struct mm *mm, struct vma *v) {
    struct vma *next = RB_NEXT(vma_tree, &mm->vmas, v);
    if (next != NULL && continues(v, next)) absorb(mm, v, next);
    struct vma *prev = RB_PREV(vma_tree, &mm->vmas, v);
    if (prev != NULL && continues(prev, v)) absorb(mm, prev, v);
}

/* The end of the highest free range of len bytes that lies between mappings of v's subtree, or
 * above them and below `above`, in either case below top; 0: there is none.  Takes O(log n) steps:
 * subtrees without room are not entered, and only the few that reach above top can have room in
 * vain. */
static gva_t free_end(const struct vma *v, gva_t above, gva_t top, uint64_t len) {
    while (v != NULL && max(v->gap, room(v->high, above)) >= len) {
        if (v->end < top) {
            const struct vma *right = RB_RIGHT(v, node);
            gva_t end = free_end(right, above, top, len);
            if (end != 0) return end;
            if (right != NULL) above = min(top, right->low);
            if (room(v->end, above) >= len) return above;
        }
        above = min(top, ceiling(v));
        v = RB_LEFT(v, node);
    }
    return 0;
}

gva_t vma_find_free(struct mm *mm, gva_t top, uint64_t len) {
    const struct vma *all = RB_ROOT(&mm->vmas);
    gva_t end = free_end(all, top, top, len);
    if (end != 0) return end - len;
    if (all != NULL) top = min(top, all->low);
    return room(HERMIT_USER_MIN, top) >= len ? top - len : 0;
}
