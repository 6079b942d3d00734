/* SPDX-License-Identifier: MIT */
/* Address spaces: mmap(2) and its family on top of the VMA tree and the page tables. */
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/heap.h>
#include <kernel/mm.h>
#include <kernel/process.h>
#include <kernel/rewrite.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>

#include "mm_internal.h"

#define POPULATE_BYTES (16 * PAGE_SIZE) /* small anonymous mappings are mapped at once */
#define MAP_32BIT_TOP 0x80000000ULL     /* mmap(2): the first 2 GiB */
#define KEPT_FLAGS (MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_NORESERVE)

static LIST_HEAD(, mm) spaces = LIST_HEAD_INITIALIZER(spaces);

struct mm *mm_create(void) {
    struct mm *mm = kzalloc(sizeof(*mm));
    if (mm == NULL) return NULL;
    RB_INIT(&mm->vmas);
    mm->root = paging_create_root();
    if (mm->root == 0) {
        kfree(mm);
        return NULL;
    }
    LIST_INSERT_HEAD(&spaces, mm, link);
    return mm;
}

void mm_destroy(struct mm *mm) {
    rewrite_mm_end(mm);
    struct stale stale = {0}; /* the root is flushed as a whole */
    struct vma *v;
    while ((v = RB_MIN(vma_tree, &mm->vmas)) != NULL) {
        pages_drop(mm, v->start, v->end, &stale);
        vma_remove(mm, v);
    }
    paging_destroy_root(mm->root);
    LIST_REMOVE(mm, link);
    kfree(mm);
}

void mm_activate(struct mm *mm) { paging_activate(mm->root); }

bool range_valid(gva_t addr, uint64_t len) {
    return !(addr & PAGE_MASK) && len <= HERMIT_USER_TOP && addr <= HERMIT_USER_TOP - len;
}

/* Removes the VMAs of [start, end); the range is page-aligned. */
static int unmap_range(struct mm *mm, gva_t start, gva_t end) {
    rewrite_undo(mm, start, end, false);
    struct vma *v = mm_next(mm, start);
    if (v == NULL || v->start >= end) return 0;
    int r = vma_split_range(mm, start, end);
    if (r != 0) return r;
    pages_unmap(mm, start, end);
    while ((v = mm_next(mm, start)) != NULL && v->start < end)
        vma_remove(mm, v);
    return 0;
}

static bool range_empty(struct mm *mm, gva_t start, gva_t end) {
    struct vma *v = mm_next(mm, start);
    return v == NULL || v->start >= end;
}

/* Where a new mapping goes: address or -errno. */
static int64_t place(struct mm *mm, gva_t addr, uint64_t len, uint32_t flags) {
    if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        if (addr & PAGE_MASK) return -EINVAL;
        if (!range_valid(addr, len)) return -ENOMEM;
        if (addr < HERMIT_USER_MIN) return -EPERM;
        if (flags & MAP_FIXED_NOREPLACE) {
            rewrite_undo(mm, addr, addr + len, false);
            return range_empty(mm, addr, addr + len) ? (int64_t)addr : -EEXIST;
        }
        int r = unmap_range(mm, addr, addr + len);
        return r != 0 ? r : (int64_t)addr;
    }
    addr = page_up(addr);
    if (addr != 0 && range_valid(addr, len)) rewrite_undo(mm, addr, addr + len, false);
    if (addr >= HERMIT_USER_MIN && range_valid(addr, len) && range_empty(mm, addr, addr + len)) {
        return (int64_t)addr;
    }
    addr = vma_find_free(mm, flags & MAP_32BIT ? MAP_32BIT_TOP : mm->mmap_top, len);
    return addr != 0 ? (int64_t)addr : -ENOMEM;
}

int64_t mm_map(struct mm *mm, gva_t addr, uint64_t len, uint32_t prot, uint32_t flags,
               struct file *file, uint64_t offset, const char *name) {
    if (len == 0) return -EINVAL;
    if (len > HERMIT_USER_TOP) return -ENOMEM;
    if (mm->vma_count > VMA_COUNT_MAX) return -ENOMEM;
    len = page_up(len);
    int64_t at = place(mm, addr, len, flags);
    if (at < 0) return at;
    struct vma like = {
        .start = (gva_t)at,
        .end = (gva_t)at + len,
        .prot = prot & (PROT_READ | PROT_WRITE | PROT_EXEC),
        .flags = flags & KEPT_FLAGS,
        .state = mm->new_state | (flags & MAP_LOCKED ? VMA_LOCKED : 0),
        .file = file,
        .offset = file != NULL ? offset : 0,
        .name = name,
    };
    struct vma *v = vma_insert(mm, &like);
    if (v == NULL) return -ENOMEM;
    bool small = file == NULL && len <= POPULATE_BYTES && (prot & PROT_WRITE);
    bool now = (flags & MAP_POPULATE) || (v->state & VMA_LOCKS) == VMA_LOCKED;
    if ((small && !(flags & MAP_NORESERVE)) || (now && like.prot != PROT_NONE)) {
        pages_populate(mm, v, v->start, v->end);
    }
    vma_merge(mm, v);
    return at;
}

int mm_unmap(struct mm *mm, gva_t addr, uint64_t len) {
    if (len == 0 || len > HERMIT_USER_TOP) return -EINVAL;
    len = page_up(len);
    if (!range_valid(addr, len)) return -EINVAL;
    return unmap_range(mm, addr, addr + len);
}

int range_covered(struct mm *mm, gva_t start, gva_t end) {
    while (start < end) {
        struct vma *v = mm_find(mm, start);
        if (v == NULL) return -ENOMEM;
        start = v->end;
    }
    return 0;
}

int mm_protect(struct mm *mm, gva_t addr, uint64_t len, uint32_t prot) {
    if (addr & PAGE_MASK) return -EINVAL;
    if (prot & ~(uint32_t)(PROT_READ | PROT_WRITE | PROT_EXEC)) return -EINVAL;
    len = page_up(len);
    if (len == 0) return 0;
    if (!range_valid(addr, len)) return -ENOMEM;
    gva_t end = addr + len;
    rewrite_undo(mm, addr, end, (prot & PROT_WRITE) != 0);
    rewrite_restore(mm, addr, end, prot != (PROT_READ | PROT_EXEC));
    int r = range_covered(mm, addr, end);
    if (r != 0) return r;
    for (struct vma *v = mm_find(mm, addr); v != NULL && v->start < end;
         v = RB_NEXT(vma_tree, &mm->vmas, v)) {
        bool shared_file = v->file != NULL && (v->flags & MAP_SHARED);
        bool read_only = shared_file && (v->file->flags & O_ACCMODE) == O_RDONLY;
        read_only |= (v->state & VMA_READ_ONLY) != 0;
        if (read_only && (prot & PROT_WRITE)) return -EACCES;
        bool more = (prot & PROT_WRITE) && !(v->prot & PROT_WRITE) && (v->flags & MAP_PRIVATE);
        uint64_t bytes = min(v->end, end) - max(v->start, addr);
        if (more && mm_may_map(mm, bytes, bytes, prot, v->flags) != 0) return -ENOMEM;
    }
    r = vma_split_range(mm, addr, end);
    if (r != 0) return r;
    struct stale stale = {0};
    for (gva_t at = addr; at < end;) {
        struct vma *v = mm_find(mm, at);
        bool opened = v->prot == PROT_NONE;
        at = v->end;
        v->prot = prot;
        pages_protect(mm, v, &stale);
        if (opened) pages_expect_stack(mm, v);
        vma_merge(mm, v);
    }
    stale_flush(mm, &stale);
    return 0;
}

gva_t mm_brk(struct mm *mm, gva_t brk) {
    if (brk < mm->brk_start || brk > HERMIT_USER_TOP) return mm->brk;
    gva_t old = page_up(mm->brk), new = page_up(brk);
    uint64_t limit = current_process()->limits[RLIMIT_DATA].rlim_cur;
    if (brk - mm->brk_start > limit) return mm->brk;
    if (new < old) {
        if (unmap_range(mm, new, old) != 0) return mm->brk;
    } else if (new > old) {
        const uint32_t prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
        if (mm_may_map(mm, new - old, 0, prot, flags) != 0) return mm->brk;
        int64_t r =
            mm_map(mm, old, new - old, prot, flags | MAP_FIXED_NOREPLACE, NULL, 0, "[heap]");
        if (r < 0) return mm->brk;
    }
    mm->brk = brk;
    return brk;
}

/* Drops what [start, end) of the file has in v. */
static void drop_part(struct mm *mm, struct vma *v, uint64_t start, uint64_t end, bool keep,
                      struct stale *stale) {
    uint64_t v_end = v->offset + (v->end - v->start);
    if (end <= v->offset || start >= v_end) return;
    gva_t from = v->start + (max(start, v->offset) - v->offset);
    gva_t to = v->start + (min(end, v_end) - v->offset);
    if (keep && (v->flags & MAP_PRIVATE))
        pages_drop_file(mm, v, from, to, stale);
    else
        pages_drop(mm, from, to, stale);
}

void mm_file_gone(bool (*is)(const struct file *f, const void *arg), const void *arg,
                  uint64_t start, uint64_t end, bool keep_private) {
    struct mm *mm;
    LIST_FOREACH(mm, &spaces, link) {
        struct stale stale = {0};
        struct vma *v;
        RB_FOREACH(v, vma_tree, &mm->vmas) {
            if (v->file == NULL || !is(rewrite_original_file(v->file), arg)) continue;
            drop_part(mm, v, start, end, keep_private, &stale);
        }
        stale_flush(mm, &stale);
    }
}

bool vma_may_write(const struct vma *v) {
    bool could = v->file != NULL && (v->file->flags & O_ACCMODE) != O_RDONLY;
    return could && (v->flags & MAP_SHARED) && !(v->state & VMA_READ_ONLY);
}

bool mm_file_written(bool (*is)(const struct file *f, const void *arg), const void *arg) {
    struct mm *mm;
    LIST_FOREACH(mm, &spaces, link) {
        struct vma *v;
        RB_FOREACH(v, vma_tree, &mm->vmas) {
            if (v->file == NULL || !(v->flags & MAP_SHARED) || !is(v->file, arg)) continue;
            if (vma_may_write(v)) return true;
        }
    }
    return false;
}
