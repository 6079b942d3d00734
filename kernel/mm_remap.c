/* SPDX-License-Identifier: MIT */
/* mremap(2). */
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/rewrite.h>
#include <kernel/vfs.h>

#include "mm_internal.h"

#define VALID_REMAP (MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)

/* Grows v in place where the address space behind it is free. */
static bool grow_in_place(struct mm *mm, struct vma *v, uint64_t more) {
    struct vma *next = mm_next(mm, v->end);
    if (more > HERMIT_USER_TOP - v->end) return false;
    if (next != NULL && next->start < v->end + more) return false;
    v->end += more;
    vma_resized(v);
    mm->mapped += more;
    if (v->state & VMA_LOCKED) pages_populate(mm, v, v->end - more, v->end);
    vma_merge(mm, v);
    return true;
}

/* Moves [addr, addr+old_len) of v to `to` (0: anywhere), new_len bytes long there. */
static int64_t move_mapping(struct mm *mm, struct vma *v, gva_t addr, uint64_t old_len,
                            uint64_t new_len, uint32_t flags, gva_t to) {
    uint64_t offset = v->offset + (addr - v->start);
    uint32_t prot = v->prot, vma_flags = v->flags, state = v->state;
    const char *name = v->name;
    struct file *file = v->file;
    if (file != NULL) file_ref(file);
    uint32_t fixed = to != 0 ? MAP_FIXED : 0;
    /* PROT_NONE at first: nothing is populated that the move would replace. */
    int64_t at = mm_map(mm, to, new_len, PROT_NONE, vma_flags | fixed, file, offset, name);
    if (at > 0) {
        struct vma *moved = mm_find(mm, (gva_t)at);
        int r = vma_split_range(mm, (gva_t)at, (gva_t)at + new_len);
        moved = r == 0 ? mm_find(mm, (gva_t)at) : moved;
        moved->prot = prot;
        moved->state = state;
        if (r == 0) r = pages_move(mm, addr, (gva_t)at, min(old_len, new_len));
        paging_flush(mm->root);
        if (r == 0 && (flags & MREMAP_DONTUNMAP)) r = mm_lock(mm, addr, old_len, 0);
        if (r == 0 && !(flags & MREMAP_DONTUNMAP)) r = mm_unmap(mm, addr, old_len);
        moved = mm_find(mm, (gva_t)at);
        if (state & VMA_LOCKED) pages_populate(mm, moved, moved->start, moved->end);
        vma_merge(mm, moved);
        if (r != 0) at = r;
    }
    if (file != NULL) file_put(file);
    return at;
}

static int64_t check_fixed(gva_t addr, uint64_t old_len, gva_t to, uint64_t new_len) {
    if ((to & PAGE_MASK) || new_len > HERMIT_USER_TOP || to > HERMIT_USER_TOP - new_len) {
        return -EINVAL;
    }
    if (to < addr + old_len && addr < to + new_len) return -EINVAL;
    return to < HERMIT_USER_MIN ? -EPERM : 0;
}

/* Checks that [addr, addr+old_len) of v may become new_len long: mremap(2) in Linux's order. */
static int64_t check_growth(struct mm *mm, const struct vma *v, gva_t addr, uint64_t old_len,
                            uint64_t new_len) {
    if (old_len == 0 && !(v->flags & MAP_SHARED)) return -EINVAL;
    if (old_len > v->end - addr) return -EFAULT;
    uint64_t end;
    if (__builtin_add_overflow(v->offset + (addr - v->start), new_len, &end)) return -EINVAL;
    if (new_len <= old_len) return 0;
    uint32_t flags = v->flags | (v->state & VMA_LOCKS ? MAP_LOCKED : 0);
    return mm_may_map(mm, new_len - old_len, 0, v->prot, flags);
}

/* A further mapping of the pages of v from addr on: mremap(2) with a length of 0. */
static int64_t duplicate(struct mm *mm, struct vma *v, gva_t addr, uint64_t len, uint32_t fixed,
                         gva_t to) {
    uint64_t offset = v->offset + (addr - v->start);
    struct file *file = v->file != NULL ? file_ref(v->file) : NULL;
    int64_t at = mm_map(mm, to, len, v->prot, v->flags | fixed, file, offset, v->name);
    if (file != NULL) file_put(file);
    return at;
}

/* MREMAP_FIXED and MREMAP_DONTUNMAP. */
static int64_t remap_to(struct mm *mm, gva_t addr, uint64_t old_len, uint64_t new_len,
                        uint32_t flags, gva_t to) {
    bool fixed = (flags & MREMAP_FIXED) != 0;
    int64_t r = fixed ? check_fixed(addr, old_len, to, new_len) : 0;
    if (r != 0) return r;
    if (fixed) {
        r = mm_unmap(mm, to, new_len);
        if (r == 0 && old_len > new_len) {
            r = mm_unmap(mm, addr + new_len, old_len - new_len);
            old_len = new_len;
        }
        if (r != 0) return r;
    }
    struct vma *v = mm_find(mm, addr);
    if (v == NULL) return -EFAULT;
    r = check_growth(mm, v, addr, old_len, new_len);
    if (r == 0 && (flags & MREMAP_DONTUNMAP)) r = mm_may_map(mm, new_len, 0, v->prot, v->flags);
    if (r != 0) return r;
    if (old_len == 0) return duplicate(mm, v, addr, new_len, fixed ? MAP_FIXED : 0, to);
    return move_mapping(mm, v, addr, old_len, new_len, flags, fixed ? to : 0);
}

int64_t mm_remap(struct mm *mm, gva_t addr, uint64_t old_len, uint64_t new_len, uint32_t flags,
                 gva_t new_addr) {
    if ((addr & PAGE_MASK) || (flags & ~(uint32_t)VALID_REMAP)) return -EINVAL;
    if ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)) return -EINVAL;
    if ((flags & MREMAP_DONTUNMAP) && (!(flags & MREMAP_MAYMOVE) || old_len != new_len)) {
        return -EINVAL;
    }
    if (new_len == 0 || new_len > HERMIT_USER_TOP || old_len > HERMIT_USER_TOP) return -EINVAL;
    old_len = page_up(old_len);
    new_len = page_up(new_len);
    if (range_valid(addr, old_len)) {
        rewrite_undo(mm, addr, addr + old_len, false);
        rewrite_restore(mm, addr, addr + old_len, true);
    }
    struct vma *v = mm_find(mm, addr);
    if (v == NULL) return -EFAULT;
    if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
        return remap_to(mm, addr, old_len, new_len, flags, new_addr);
    }
    if (old_len != 0 && new_len <= old_len) {
        int r = new_len < old_len ? mm_unmap(mm, addr + new_len, old_len - new_len) : 0;
        return r != 0 ? r : (int64_t)addr;
    }
    int64_t r = check_growth(mm, v, addr, old_len, new_len);
    if (r != 0) return r;
    bool last = addr + old_len == v->end && old_len != 0;
    if (last && grow_in_place(mm, v, new_len - old_len)) return (int64_t)addr;
    if (!(flags & MREMAP_MAYMOVE)) return -ENOMEM;
    if (old_len == 0) return duplicate(mm, v, addr, new_len, 0, 0);
    return move_mapping(mm, v, addr, old_len, new_len, flags, 0);
}
