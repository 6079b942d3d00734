/* SPDX-License-Identifier: MIT */
/* Shared by the mm_*.c files only. */
#ifndef KERNEL_MM_INTERNAL_H
#define KERNEL_MM_INTERNAL_H

#include <kernel/mm.h>

#define STACK_GUARD (256 * PAGE_SIZE) /* kept free below a mapping that grows down */

RB_PROTOTYPE(vma_tree, vma, node, vma_compare)
int vma_compare(const struct vma *a, const struct vma *b);

/* entry.S: bytes that could not be copied.  Survives pages that do not exist any more. */
uint64_t user_copy(void *dst, const void *src, uint64_t len);
int user_cmpxchg(void *at, uint32_t *expected, uint32_t value);

/* mm_vma.c */
struct vma *vma_insert(struct mm *mm, const struct vma *like);
/* v->start or v->end has changed. */
void vma_resized(struct vma *v);
/* Splits the VMAs that straddle start or end; 0 or -ENOMEM. */
int vma_split_range(struct mm *mm, gva_t start, gva_t end);
void vma_remove(struct mm *mm, struct vma *v);
/* Joins v with neighbours that continue it. */
void vma_merge(struct mm *mm, struct vma *v);
/* The highest free range of len bytes below top; 0 if there is none. */
gva_t vma_find_free(struct mm *mm, gva_t top, uint64_t len);

/* mm.c */
/* Address and length lie in the program's part. */
bool range_valid(gva_t addr, uint64_t len);
/* -ENOMEM unless VMAs cover [start, end) without a gap. */
int range_covered(struct mm *mm, gva_t start, gva_t end);

/* A shared mapping whose file could be written through it, if mprotect(2) asked for that. */
bool vma_may_write(const struct vma *v);

/* mm_tlb.c */
/* Pages whose entries allow less than before: CPUs may still use the old ones. */
struct stale {
    uint64_t count;
    gva_t page; /* if it is one: to forget several, forgetting everything is cheaper */
};
void stale_add(struct stale *stale, gva_t page);
/* Has all CPUs forget them; due before a frame that was mapped there is used again, and before
 * the kernel's lock is given up. */
void stale_flush(struct mm *mm, const struct stale *stale);
/* The present, read-only pages of [start, end) have been replaced by writable ones. */
void flush_copied(struct mm *mm, gva_t start, gva_t end);

/* mm_page.c */
/* Page-table bits of a page of v; writable only where the page may be written as it is. */
uint64_t page_flags(const struct vma *v, bool writable);
/* Drops the pages of [start, end) and their tables. */
void pages_unmap(struct mm *mm, gva_t start, gva_t end);
/* The same; the caller flushes what is stale then. */
void pages_drop(struct mm *mm, gva_t start, gva_t end, struct stale *stale);
/* As pages_drop, but only pages of v's file itself, not private copies of them. */
void pages_drop_file(struct mm *mm, const struct vma *v, gva_t start, gva_t end,
                     struct stale *stale);
/* Applies v's protection to its present pages. */
void pages_protect(struct mm *mm, const struct vma *v, struct stale *stale);
/* Memory that mprotect(2) has opened for writing may be a thread's stack: maps its upper end. */
void pages_expect_stack(struct mm *mm, struct vma *v);
/* Moves present pages; 0 or -ENOMEM. */
int pages_move(struct mm *mm, gva_t from, gva_t to, uint64_t len);
/* Maps pages of [start, end) in advance as far as memory goes. */
void pages_populate(struct mm *mm, struct vma *v, gva_t start, gva_t end);
/* Maps kernel-owned pages from gpa on over the whole of v; 0 or -ENOMEM. */
int pages_place(struct mm *mm, const struct vma *v, gpa_t gpa);
/* The page of v at addr, copied if it is its file's yet: where it is.  *changed: a flush is due. */
int pages_own(struct mm *mm, const struct vma *v, gva_t addr, gpa_t *out, bool *changed);
/* Maps fresh, zeroed frames over the whole of v; 0 or -ENOMEM. */
int pages_place_frames(struct mm *mm, const struct vma *v);
/* mm_private.c: copies the page of v at `page` together with those around it, by one read of the
 * file.  False if that page was not: it is to be had by itself.  *flush: others were present. */
bool pages_copy_block(struct mm *mm, const struct vma *v, gva_t page, bool *flush);
/* Calls visit for the entry of each page in [start, end) that has a table; it returns whether the
 * page's translation is stale now. */
typedef bool page_visitor(uint64_t *pte, gva_t at, void *arg);
void pages_walk(struct mm *mm, gva_t start, gva_t end, page_visitor *visit, void *arg,
                struct stale *stale);

#endif
