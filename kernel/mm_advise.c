/* SPDX-License-Identifier: MIT */
/* madvise(2), msync(2), mincore(2). */
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/rewrite.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>

#include "mm_internal.h"

/* Makes [from, to) of v present: POPULATE_READ and POPULATE_WRITE. */
static int populate(struct mm *mm, gva_t from, gva_t to, uint32_t access) {
    for (gva_t page = from; page < to; page += PAGE_SIZE) {
        gpa_t unused;
        int r = mm_translate(mm, page, access, &unused);
        if (r != 0) return r == -EACCES ? -EINVAL : r == -ENXIO ? -EFAULT : r;
    }
    return 0;
}

/* MADV_REMOVE: a hole in the file. */
static int remove_pages(struct vma *v, gva_t from, gva_t to) {
    if ((v->state & VMA_LOCKS) || v->file == NULL) return -EINVAL;
    if (!vma_may_write(v)) return -EACCES;
    if (v->file->ops->allocate == NULL) return -EOPNOTSUPP;
    return v->file->ops->allocate(v->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                  (int64_t)(v->offset + (from - v->start)), (int64_t)(to - from));
}

/* Sets and clears bits of the state of [from, to); the VMA may be split and joined. */
static int change_state(struct mm *mm, gva_t from, gva_t to, uint32_t set, uint32_t clear) {
    int r = vma_split_range(mm, from, to);
    if (r != 0) return r;
    struct vma *v = mm_find(mm, from);
    v->state = (v->state & ~clear) | set;
    vma_merge(mm, v);
    return 0;
}

/* What the advice does to [from, to), which lies in v. */
static int advise_vma(struct mm *mm, struct vma *v, gva_t from, gva_t to, int advice,
                      struct stale *stale) {
    bool locked = (v->state & VMA_LOCKS) != 0;
    bool private_anon = v->file == NULL && (v->flags & MAP_PRIVATE);
    switch (advice) {
    case MADV_FREE: /* at once: Linux may do so at any time */
        if (!private_anon || locked) return -EINVAL;
        pages_drop(mm, from, to, stale);
        return 0;
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
        if (locked && advice == MADV_DONTNEED) return -EINVAL;
        pages_drop(mm, from, to, stale);
        return 0;
    case MADV_COLD:
    case MADV_PAGEOUT:
        return locked ? -EINVAL : 0;
    case MADV_REMOVE:
        return remove_pages(v, from, to);
    case MADV_POPULATE_READ:
        return populate(mm, from, to, MM_READ);
    case MADV_POPULATE_WRITE:
        return populate(mm, from, to, MM_WRITE);
    case MADV_DONTFORK:
        return change_state(mm, from, to, VMA_DONTFORK, 0);
    case MADV_DOFORK:
        return change_state(mm, from, to, 0, VMA_DONTFORK);
    case MADV_WIPEONFORK:
        return private_anon ? change_state(mm, from, to, VMA_WIPEONFORK, 0) : -EINVAL;
    case MADV_KEEPONFORK:
        return change_state(mm, from, to, 0, VMA_WIPEONFORK);
    default:
        return 0; /* hints */
    }
}

int mm_advise(struct mm *mm, gva_t addr, uint64_t len, int advice) {
    struct stale stale = {0};
    int result = 0;
    gva_t end = addr + len;
    if (advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED || advice == MADV_FREE)
        rewrite_undo(mm, addr, end, false);
    for (gva_t at = addr; at < end;) {
        struct vma *v = mm_next(mm, at);
        if (v == NULL || v->start >= end) {
            result = -ENOMEM;
            break;
        }
        bool populates = advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
        if (v->start > at) result = -ENOMEM;
        if (v->start > at && populates) break;
        gva_t to = min(end, v->end);
        int r = advise_vma(mm, v, max(at, v->start), to, advice, &stale);
        if (r != 0) {
            result = r;
            break;
        }
        at = to;
    }
    stale_flush(mm, &stale);
    return result;
}

int mm_sync(struct mm *mm, gva_t addr, uint64_t len, int flags) {
    int result = 0;
    gva_t end = addr + len;
    for (gva_t at = addr; at < end;) {
        struct vma *v = mm_next(mm, at);
        if (v == NULL || v->start >= end) return -ENOMEM;
        if (v->start > at) result = -ENOMEM;
        if ((flags & MS_INVALIDATE) && (v->state & VMA_LOCKS)) return -EBUSY;
        bool shared = v->file != NULL && (v->flags & MAP_SHARED);
        if (shared && (flags & MS_SYNC) && v->file->ops->sync != NULL) {
            int r = v->file->ops->sync(v->file, true);
            if (r != 0) return r;
        }
        at = v->end;
    }
    return result;
}

int mm_incore(struct mm *mm, gva_t addr, uint64_t len, gva_t vec) {
    for (gva_t at = addr; at < addr + len; at += PAGE_SIZE, vec++) {
        if (mm_find(mm, at) == NULL) return -ENOMEM;
        uint64_t *table = paging_table(mm->root, at, false);
        uint8_t present = table != NULL && (table[paging_index(at)] & (PTE_P | PTE_NONE));
        int r = put_user(present, vec);
        if (r != 0) return r;
    }
    return 0;
}
