/* SPDX-License-Identifier: MIT */
/* mremap(2), madvise(2), msync(2), mincore(2). */
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>

#include "mm_internal.h"

#define VALID_REMAP (MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)

static uint32_t kept(const struct vma *v) { return v->flags; }

/* Grows v in place where the address space behind it is free. */
static bool grow_in_place(struct mm *mm, struct vma *v, uint64_t more) {
    struct vma *next = mm_next(mm, v->end);
    if (more > HERMIT_USER_TOP - v->end) return false;
    if (next != NULL && next->start < v->end + more) return false;
    v->end += more;
    mm->mapped += more;
    vma_merge(mm, v);
    return true;
}

/* Moves [addr, addr+old_len) of v to `to` (0: anywhere), new_len bytes long there. */
static int64_t move_mapping(struct mm *mm, struct vma *v, gva_t addr, uint64_t old_len,
                            uint64_t new_len, uint32_t flags, gva_t to) {
    uint64_t offset = v->offset + (addr - v->start);
    uint32_t prot = v->prot, vma_flags = kept(v);
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
        if (r == 0) r = pages_move(mm, addr, (gva_t)at, min(old_len, new_len));
        paging_flush(mm->root);
        if (r == 0 && !(flags & MREMAP_DONTUNMAP)) r = mm_unmap(mm, addr, old_len);
        vma_merge(mm, mm_find(mm, (gva_t)at));
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
    struct vma *v = mm_find(mm, addr);
    if (v == NULL) return -EFAULT;
    if (old_len == 0) { /* duplicates a shared mapping */
        if (!(v->flags & MAP_SHARED) || v->file == NULL) return -EINVAL;
        return mm_map(mm, flags & MREMAP_FIXED ? new_addr : 0, new_len, v->prot,
                      kept(v) | (flags & MREMAP_FIXED ? MAP_FIXED : 0), v->file,
                      v->offset + (addr - v->start), v->name);
    }
    if (addr + old_len > v->end) return -EFAULT;
    if (flags & MREMAP_FIXED) {
        int64_t r = check_fixed(addr, old_len, new_addr, new_len);
        if (r != 0) return r;
        return move_mapping(mm, v, addr, old_len, new_len, flags, new_addr);
    }
    if (flags & MREMAP_DONTUNMAP) return move_mapping(mm, v, addr, old_len, new_len, flags, 0);
    if (new_len <= old_len) {
        int r = new_len < old_len ? mm_unmap(mm, addr + new_len, old_len - new_len) : 0;
        return r != 0 ? r : (int64_t)addr;
    }
    if (addr + old_len == v->end && grow_in_place(mm, v, new_len - old_len)) return (int64_t)addr;
    if (!(flags & MREMAP_MAYMOVE)) return -ENOMEM;
    return move_mapping(mm, v, addr, old_len, new_len, flags, 0);
}

static bool discardable(const struct vma *v) { return (v->flags & MAP_PRIVATE) || v->file != NULL; }

int mm_advise(struct mm *mm, gva_t addr, uint64_t len, int advice) {
    bool flush = false;
    int result = 0;
    gva_t end = addr + len;
    for (gva_t at = addr; at < end;) {
        struct vma *v = mm_next(mm, at);
        if (v == NULL || v->start >= end) return at < end ? -ENOMEM : result;
        if (v->start > at) result = -ENOMEM;
        gva_t from = max(at, v->start), to = min(end, v->end);
        switch (advice) {
        case MADV_DONTNEED:
        case MADV_FREE:
            if (advice == MADV_FREE && v->file != NULL) return -EINVAL;
            if (discardable(v)) flush |= pages_unmap(mm, from, to);
            break;
        case MADV_POPULATE_READ:
        case MADV_POPULATE_WRITE:
            for (gva_t page = from; page < to; page += PAGE_SIZE) {
                gpa_t unused;
                int r = mm_translate(mm, page, advice == MADV_POPULATE_WRITE ? MM_WRITE : MM_READ,
                                     &unused);
                if (r != 0) return r == -EACCES ? -EINVAL : r == -ENXIO ? -EFAULT : r;
            }
            break;
        default:
            break; /* hints */
        }
        at = to;
    }
    if (flush) paging_flush(mm->root);
    return result;
}

int mm_sync(struct mm *mm, gva_t addr, uint64_t len, int flags) {
    int result = 0;
    gva_t end = addr + len;
    for (gva_t at = addr; at < end;) {
        struct vma *v = mm_next(mm, at);
        if (v == NULL || v->start >= end) return -ENOMEM;
        if (v->start > at) result = -ENOMEM;
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
