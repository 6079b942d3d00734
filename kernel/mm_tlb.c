/* SPDX-License-Identifier: MIT */
/* Translations that CPUs keep of entries that have changed (Intel SDM vol. 3, 4.10.4). */
#include <kernel/arch.h>
#include <kernel/process.h>
#include <kernel/smp.h>

#include "mm_internal.h"

#define REWRITE_MAX 4u /* pages; for more a flush is cheaper */

void stale_add(struct stale *stale, gva_t page) {
    stale->page = page;
    stale->count++;
}

void stale_flush(struct mm *mm, const struct stale *stale) {
    if (stale->count > 1)
        paging_flush(mm->root);
    else if (stale->count == 1)
        paging_flush_page(mm->root, stale->page);
}

/* Makes this CPU forget read-only translations of pages that are writable now, without ring 0: a
 * write through an old one faults, which drops it (Intel SDM vol. 3, 4.10.4.1), and happens again.
 * Compare-and-exchange writes whatever it finds, and leaves it as it was. */
static bool rewrite(gva_t start, gva_t end) {
    if (end - start > REWRITE_MAX * PAGE_SIZE) return false;
    for (gva_t at = start; at < end; at += PAGE_SIZE) {
        uint32_t same = 0;
        if (user_cmpxchg((void *)at, &same, 0) != 0) return false;
    }
    return true;
}

void flush_copied(struct mm *mm, gva_t start, gva_t end) {
    if (percpu()->root == mm->root && rewrite(start, end))
        smp_flush(mm->root);
    else
        paging_flush(mm->root);
}
