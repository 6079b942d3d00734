/* SPDX-License-Identifier: MIT */
/* Private copies of file pages, many at a time.  The data of a program or library is written page
 * after page, in no order; a fault for each costs far more than to read a block of it at once.
 * Owns nothing. */
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/string.h>
#include <kernel/vfs.h>

#include "mm_internal.h"

#define BLOCK 64u            /* pages read at once, aligned */
#define FEW 4u               /* so few are as well copied one by one */
#define DATA_MAX (4UL << 20) /* bytes; of greater mappings a program may write little */

struct block {
    gva_t start;
    uint32_t count; /* pages */
    uint64_t *table;
    gpa_t frames[BLOCK];
    struct hc_seg segs[BLOCK];
    uint32_t seg_count;
};

/* Is the entry's page the file's, or is there none? */
static bool is_files(uint64_t pte) {
    if ((pte & (PTE_P | PTE_NONE)) == 0) return true;
    return !frame_is_ram(pte & PTE_GPA);
}

/* The run of pages around `page` that are not private yet. */
static bool find_block(struct block *b, const struct vma *v, gva_t page) {
    const gva_t span = BLOCK * PAGE_SIZE;
    gva_t least = max(v->start, page & ~(span - 1)),
          most = min(v->end, (page & ~(span - 1)) + span);
    gva_t end = page + PAGE_SIZE;
    b->start = page;
    while (b->start > least && is_files(b->table[paging_index(b->start - PAGE_SIZE)]))
        b->start -= PAGE_SIZE;
    while (end < most && is_files(b->table[paging_index(end)]))
        end += PAGE_SIZE;
    b->count = (uint32_t)((end - b->start) >> PAGE_SHIFT);
    return b->count >= FEW;
}

static void drop_frames(struct block *b, uint32_t from) {
    for (uint32_t i = from; i < b->count; i++)
        frame_put(b->frames[i]);
    b->count = from;
}

static void add_frame(struct block *b, uint32_t i) {
    struct hc_seg *last = b->seg_count > 0 ? &b->segs[b->seg_count - 1] : NULL;
    if (last != NULL && last->gpa + last->len == b->frames[i])
        last->len += PAGE_SIZE;
    else
        b->segs[b->seg_count++] = (struct hc_seg){.gpa = b->frames[i], .len = PAGE_SIZE};
}

static bool take_frames(struct block *b) {
    b->seg_count = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        b->frames[i] = frame_alloc_raw(0);
        if (b->frames[i] == 0) {
            b->count = i;
            drop_frames(b, 0);
            return false;
        }
        add_frame(b, i);
    }
    return true;
}

/* Fills the frames from the file; what lies past its end is given back. */
static bool read_frames(struct block *b, const struct vma *v) {
    uint64_t offset = v->offset + (b->start - v->start);
    int64_t n = v->file->ops->read_frames(v->file, offset, b->segs, b->seg_count);
    uint64_t got = n > 0 ? (uint64_t)n : 0, rest = got & PAGE_MASK;
    drop_frames(b, (uint32_t)(page_up(got) >> PAGE_SHIFT));
    if (rest != 0) memset((char *)frame_ptr(b->frames[b->count - 1]) + rest, 0, PAGE_SIZE - rest);
    return b->count > 0;
}

bool pages_copy_block(struct mm *mm, const struct vma *v, gva_t page, bool *flush) {
    struct block b;
    *flush = false;
    if (v->file->ops->read_frames == NULL || (v->flags & MAP_SHARED) ||
        v->end - v->start > DATA_MAX)
        return false;
    b.table = paging_table(mm->root, page, false);
    if (b.table == NULL || !is_files(b.table[paging_index(page)]) || !find_block(&b, v, page) ||
        !take_frames(&b) || !read_frames(&b, v))
        return false;
    for (uint32_t i = 0; i < b.count; i++) {
        uint64_t *pte = &b.table[paging_index(b.start + i * PAGE_SIZE)];
        *flush |= (*pte & PTE_P) != 0;
        pte_set(pte, b.frames[i] | page_flags(v, true));
    }
    return page - b.start < b.count * PAGE_SIZE;
}
