/* SPDX-License-Identifier: MIT */
/* What is mapped, counted from the page tables when somebody asks. */
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/vfs.h>

#include "mm_internal.h"

#define TABLE_SPAN (512ULL * PAGE_SIZE)

static void count_page(const struct vma *v, uint64_t pte, struct mm_pages *out) {
    gpa_t gpa = pte & PTE_GPA;
    bool ram = frame_is_ram(gpa), shared = ram && frame_refs(gpa) > 1;
    bool private = (v->flags & MAP_TYPE) == MAP_PRIVATE;

    out->resident += PAGE_SIZE;
    if (shared) out->shared += PAGE_SIZE;
    if (ram && private && !(v->file && shared))
        out->anon += PAGE_SIZE;
    else if (ram)
        out->shmem += PAGE_SIZE;
    if (ram ? !(v->file && shared && private) : (pte & PTE_W) != 0) out->dirty += PAGE_SIZE;
}

struct mm_pages mm_pages(struct mm *mm, gva_t start, gva_t end) {
    struct mm_pages out = {0};
    const uint64_t *last = NULL;

    for (const struct vma *v = mm_next(mm, start); v && v->start < end; v = mm_next(mm, v->end)) {
        gva_t at = max(v->start, start), stop = min(v->end, end);

        while (at < stop) {
            gva_t piece = min(stop, (at & ~(TABLE_SPAN - 1)) + TABLE_SPAN);
            const uint64_t *table = paging_table(mm->root, at, false);

            if (table && table != last) out.tables += PAGE_SIZE;
            if (table) last = table;
            for (; table && at < piece; at += PAGE_SIZE) {
                uint64_t pte = table[paging_index(at)];

                if (pte & (PTE_P | PTE_NONE)) count_page(v, pte, &out);
            }
            at = piece;
        }
    }
    return out;
}
