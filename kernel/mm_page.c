/* SPDX-License-Identifier: MIT */
/* Page-table contents of an address space: populating, protecting, moving and dropping pages,
 * and the page fault.
 *
 * A present page is a RAM frame, on which the entry holds a reference, or a page of a file window
 * (guest-physical space at HERMIT_FILE_GPA and the boot program's mapping), which is only ever
 * mapped shared or read-only: a private write copies it.  An entry with PTE_NONE keeps its frame
 * while PROT_NONE is in force.  Accessed and dirty bits are set from the start, so that no engine
 * has to write them. */
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/process.h>
#include <kernel/smp.h>
#include <kernel/string.h>
#include <kernel/vfs.h>

#include "mm_internal.h"

#define TABLE_SPAN (512ULL * PAGE_SIZE)
#define FAULT_AROUND 16u /* pages */
#define FAULT_AROUND_MAX 512u
#define FAULT_AROUND_FILE 64u
#define COMMIT_RUN 32u
#define COPY_AROUND_MAX 16u
#define STACK_EXPECTED 2u /* pages */

uint64_t page_flags(const struct vma *v, bool writable) {
    uint64_t flags = PTE_U | PTE_A | PTE_D;
    flags |= v->prot & (PROT_READ | PROT_WRITE | PROT_EXEC) ? PTE_P : PTE_NONE;
    if (writable && (v->prot & PROT_WRITE)) flags |= PTE_W;
    if (!(v->prot & PROT_EXEC)) flags |= PTE_NX;
    return flags;
}

static bool page_held(uint64_t pte) { return (pte & (PTE_P | PTE_NONE)) != 0; }

/* May a page of v be written in place?  Shared ones always; private ones when nobody else holds
 * the frame. */
static bool writable_in_place(const struct vma *v, gpa_t gpa) {
    if (v->flags & MAP_SHARED) return true;
    return frame_is_ram(gpa) && frame_refs(gpa) == 1;
}

void pages_walk(struct mm *mm, gva_t start, gva_t end, page_visitor *visit, void *arg,
                struct stale *stale) {
    while (start < end) {
        gva_t stop = min(end, (start & ~(TABLE_SPAN - 1)) + TABLE_SPAN);
        uint64_t *table = paging_table(mm->root, start, false);
        for (gva_t at = start; table != NULL && at < stop; at += PAGE_SIZE) {
            if (visit(&table[paging_index(at)], at, arg)) stale_add(stale, at);
        }
        start = stop;
    }
}

/* Returns what the entry was. */
static uint64_t replace_pte(uint64_t *pte, uint64_t now) {
    uint64_t old = *pte;
    /* Another CPU may be about to use it for the first time, and say so in it. */
    if ((old & (PTE_P | PTE_A)) == PTE_P) return __atomic_exchange_n(pte, now, __ATOMIC_SEQ_CST);
    pte_set(pte, now);
    return old;
}

/* No CPU keeps a translation that was never used (Intel SDM vol. 3, 4.10.2.3). */
static bool was_used(uint64_t old) { return (old & (PTE_P | PTE_A)) == (PTE_P | PTE_A); }

static bool drop_page(uint64_t *pte, gva_t at, void *arg) {
    if (!page_held(*pte)) return false;
    uint64_t old = replace_pte(pte, 0);
    if (frame_is_ram(old & PTE_GPA)) frame_put(old & PTE_GPA);
    return was_used(old);
}

void pages_drop(struct mm *mm, gva_t start, gva_t end, struct stale *stale) {
    pages_walk(mm, start, end, drop_page, NULL, stale);
    gva_t first = (start + TABLE_SPAN - 1) & ~(TABLE_SPAN - 1);
    for (gva_t at = first; at + TABLE_SPAN <= end; at += TABLE_SPAN) {
        if (paging_drop_table(mm->root, at)) stale_add(stale, at);
    }
}

void pages_unmap(struct mm *mm, gva_t start, gva_t end) {
    struct stale stale = {0};
    pages_drop(mm, start, end, &stale);
    stale_flush(mm, &stale);
}

static bool drop_file_page(uint64_t *pte, gva_t at, void *arg) {
    const struct vma *v = arg;
    gpa_t gpa;
    if (!page_held(*pte)) return false;
    if (!frame_is_ram(*pte & PTE_GPA)) return drop_page(pte, at, NULL); /* copies are RAM */
    if (v->file->ops->page(v->file, v->offset + (at - v->start), false, &gpa) != 0) return false;
    if (frame_is_ram(gpa)) frame_put(gpa); /* the reference just taken */
    return gpa == (*pte & PTE_GPA) && drop_page(pte, at, NULL);
}

void pages_drop_file(struct mm *mm, const struct vma *v, gva_t start, gva_t end,
                     struct stale *stale) {
    pages_walk(mm, start, end, drop_file_page, (void *)(uint64_t)v, stale);
}

/* A translation that allows less than its entry faults, and is dropped by that (fault_present). */
static bool allows_less(uint64_t old, uint64_t now) {
    return (old & ~now & (PTE_P | PTE_W)) != 0 || (now & ~old & PTE_NX) != 0;
}

static bool protect_page(uint64_t *pte, gva_t at, void *arg) {
    const struct vma *v = arg;
    if (!page_held(*pte)) return false;
    gpa_t gpa = *pte & PTE_GPA;
    uint64_t want = gpa | page_flags(v, writable_in_place(v, gpa));
    if (*pte == want) return false;
    uint64_t old = replace_pte(pte, want);
    return was_used(old) && allows_less(old, want);
}

void pages_protect(struct mm *mm, const struct vma *v, struct stale *stale) {
    pages_walk(mm, v->start, v->end, protect_page, (void *)(uint64_t)v, stale);
}

struct move {
    struct mm *mm;
    int64_t delta;
    int error;
};

static bool move_page(uint64_t *pte, gva_t at, void *arg) {
    struct move *m = arg;
    uint64_t old = *pte;
    if (!page_held(old) || m->error != 0) return false;
    gva_t to = at + (uint64_t)m->delta;
    uint64_t *table = paging_table(m->mm->root, to, true);
    if (table == NULL) {
        m->error = -ENOMEM;
        return false;
    }
    pte_set(&table[paging_index(to)], old);
    pte_set(pte, 0);
    return true;
}

int pages_move(struct mm *mm, gva_t from, gva_t to, uint64_t len) {
    struct move m = {mm, (int64_t)(to - from), 0};
    struct stale stale = {0}; /* the caller flushes everything */
    pages_walk(mm, from, from + len, move_page, &m, &stale);
    return m.error;
}

/* Copies the page at `from`; false if it is a page of a file and gone. */
static bool copy_page(void *at, gpa_t from) {
    return user_copy(at, frame_ptr(from), PAGE_SIZE) == 0;
}

/* Replaces the present, read-only page `from` by a private copy; the caller flushes. */
static int copy_page_to(struct mm *mm, const struct vma *v, uint64_t *pte, gva_t at, gpa_t from) {
    gpa_t frame = frame_alloc_raw(0);
    if (frame == 0) return -ENOMEM;
    if (!copy_page(frame_ptr(frame), from)) { /* the host's file has just become shorter */
        frame_put(frame);
        return -ENXIO;
    }
    pte_set(pte, frame | page_flags(v, true));
    if (frame_is_ram(from)) frame_put(from);
    return 0;
}

/* Maps a private, writable copy of file page `from` where nothing is mapped yet. */
static int make_private(struct mm *mm, const struct vma *v, uint64_t *pte, gva_t at, gpa_t from) {
    if (mm != current_mm()) return copy_page_to(mm, v, pte, at, from);
    gpa_t frame = frame_alloc_raw(0);
    if (frame == 0) return -ENOMEM;
    /* Through the program's own address, which will be used again; writable for the copy whatever
     * v says, and protected afterwards. */
    pte_set(pte, frame | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D | PTE_NX);
    if (!copy_page((void *)at, from)) {
        pte_set(pte, 0);
        paging_flush(mm->root);
        frame_put(frame);
        return -ENXIO;
    }
    uint64_t want = frame | page_flags(v, true);
    if (*pte != want) {
        pte_set(pte, want);
        if (want & PTE_P) paging_flush(mm->root);
    }
    if (frame_is_ram(from)) frame_put(from);
    return 0;
}

static int map_file_page(struct mm *mm, struct vma *v, uint64_t *pte, gva_t at, uint32_t access) {
    bool shared_write = (v->flags & MAP_SHARED) && (v->prot & PROT_WRITE);
    gpa_t gpa;
    if (v->file->ops->page == NULL) return -ENXIO;
    int r = v->file->ops->page(v->file, v->offset + (at - v->start), shared_write, &gpa);
    if (r != 0) return r;
    if ((access & MM_WRITE) && !(v->flags & MAP_SHARED)) return make_private(mm, v, pte, at, gpa);
    pte_set(pte, gpa | page_flags(v, v->flags & MAP_SHARED));
    return 0;
}

static int map_page(struct mm *mm, struct vma *v, uint64_t *pte, gva_t at, uint32_t access) {
    if (v->file != NULL) return map_file_page(mm, v, pte, at, access);
    gpa_t frame = frame_alloc();
    if (frame == 0) return -ENOMEM;
    pte_set(pte, frame | page_flags(v, true));
    return 0;
}

/* The first write to file pages that other writes will follow. */
static bool copy_block(struct mm *mm, const struct vma *v, gva_t page) {
    bool flush = false, copied = v->file != NULL && pages_copy_block(mm, v, page, &flush);
    if (flush) paging_flush(mm->root);
    return copied;
}

void pages_populate(struct mm *mm, struct vma *v, gva_t start, gva_t end) {
    uint32_t access = v->prot & PROT_WRITE ? MM_WRITE : MM_READ;
    for (gva_t at = start; at < end; at += PAGE_SIZE) {
        uint64_t *table = paging_table(mm->root, at, true);
        if (table == NULL) return;
        uint64_t *pte = &table[paging_index(at)];
        if (page_held(*pte) || ((access & MM_WRITE) && copy_block(mm, v, at))) continue;
        if (map_page(mm, v, pte, at, access) != 0) return;
    }
}

void pages_expect_stack(struct mm *mm, struct vma *v) {
    if (v->file != NULL || !(v->prot & PROT_WRITE)) return;
    gva_t start = max(v->start, v->end - STACK_EXPECTED * PAGE_SIZE);
    uint64_t *table = paging_table(mm->root, start, true);
    for (gva_t at = start; table != NULL && at < v->end; at += PAGE_SIZE) {
        uint64_t *pte = &table[paging_index(at)];
        if (paging_index(at) < paging_index(start) || page_held(*pte)) return;
        if (map_page(mm, v, pte, at, MM_WRITE) != 0) return;
        pte_set(pte, *pte & ~(uint64_t)PTE_A); /* perhaps it is not used */
    }
}

int pages_place(struct mm *mm, const struct vma *v, gpa_t gpa) {
    for (gva_t at = v->start; at < v->end; at += PAGE_SIZE, gpa += PAGE_SIZE) {
        uint64_t *table = paging_table(mm->root, at, true);
        if (table == NULL) return -ENOMEM;
        pte_set(&table[paging_index(at)], gpa | page_flags(v, false));
    }
    return 0;
}

int pages_place_frames(struct mm *mm, const struct vma *v) {
    for (gva_t at = v->start; at < v->end; at += PAGE_SIZE) {
        uint64_t *table = paging_table(mm->root, at, true);
        gpa_t frame = table != NULL ? frame_alloc() : 0;
        if (frame == 0) return -ENOMEM;
        pte_set(&table[paging_index(at)], frame | page_flags(v, true));
    }
    return 0;
}

int pages_own(struct mm *mm, const struct vma *v, gva_t addr, gpa_t *out, bool *changed) {
    gva_t page = page_down(addr);
    int r = mm_translate(mm, page, MM_EXEC, out);
    if (r != 0) return r;
    if (!writable_in_place(v, *out)) {
        uint64_t *pte = &paging_table(mm->root, page, false)[paging_index(page)];
        r = copy_page_to(mm, v, pte, page, *out);
        if (r != 0) return r;
        *changed = true;
        *out = *pte & PTE_GPA;
    }
    *out += addr & PAGE_MASK;
    return 0;
}

/* Stack mappings grow down to the fault, within RLIMIT_STACK. */
static struct vma *grow_stack(struct mm *mm, gva_t addr) {
    struct vma *v = mm_next(mm, addr);
    if (v == NULL || !(v->flags & MAP_GROWSDOWN) || v->start <= addr) return NULL;
    gva_t start = page_down(addr);
    if (v->end - start > current_process()->limits[RLIMIT_STACK].rlim_cur) return NULL;
    if (mm_may_map(mm, v->start - start, 0, v->prot, v->flags) != 0) return NULL;
    struct vma *below = RB_PREV(vma_tree, &mm->vmas, v);
    /* What cannot be accessed guards as well as nothing does. */
    bool guards = below == NULL || below->prot == PROT_NONE || (below->flags & MAP_GROWSDOWN);
    if (below != NULL && below->end + (guards ? 0 : STACK_GUARD) > start) return NULL;
    mm->mapped += v->start - start;
    v->start = start;
    vma_resized(v);
    return v;
}

static bool allowed(const struct vma *v, uint32_t access) {
    if (access & MM_WRITE) return v->prot & PROT_WRITE;
    if (access & MM_EXEC) return v->prot & PROT_EXEC;
    return v->prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
}

/* Frames that a long run of faults maps ahead will all be written: the host commits them in one go.
 */
static void commit_ahead(const uint64_t *table, gva_t start, gva_t end) {
    while (start < end) {
        gpa_t first = table[paging_index(start)] & PTE_GPA;
        uint64_t len = PAGE_SIZE;
        while (start + len < end && (table[paging_index(start + len)] & PTE_GPA) == first + len) {
            len += PAGE_SIZE;
        }
        union hc_args a = {.mem_populate = {.gpa = first, .len = len}};
        if (len >= COMMIT_RUN * PAGE_SIZE) hypercall(HC_MEM_POPULATE, &a);
        start += len;
    }
}

/* Pages around a fault are likely to follow, and a fault costs more than mapping them (RAM that is
 * mapped and not touched costs the host nothing).  Faults that follow each other widen the window.
 */
static void fault_around(struct mm *mm, struct vma *v, gva_t page) {
    bool follows = page == mm->fault_next;
    uint32_t limit = v->file == NULL ? FAULT_AROUND_MAX : FAULT_AROUND_FILE;
    uint64_t *table = paging_table(mm->root, page, false);
    /* Pages of a file window cost nothing. */
    bool free = !frame_is_ram(table[paging_index(page)] & PTE_GPA);
    uint32_t least = free ? FAULT_AROUND_FILE : FAULT_AROUND;
    mm->fault_window = follows ? min(2 * mm->fault_window, limit) : least;
    gva_t span = mm->fault_window * PAGE_SIZE;
    gva_t start = max(follows ? page : page & ~(least * PAGE_SIZE - 1), v->start);
    gva_t end = min(min(page + span, (page & ~(TABLE_SPAN - 1)) + TABLE_SPAN), v->end);
    start = max(start, page & ~(TABLE_SPAN - 1));
    for (gva_t at = start; at < end; at += PAGE_SIZE) {
        uint64_t *pte = &table[paging_index(at)];
        if (!page_held(*pte) && map_page(mm, v, pte, at, MM_READ) != 0) return;
    }
    if (follows && v->file == NULL) commit_ahead(table, start, end);
    mm->fault_next = end;
}

/* Copies of private file pages, one after the other: some more are made ahead. */
static int copy_around(struct mm *mm, struct vma *v, uint64_t *pte, gva_t page) {
    mm->copy_window = page == mm->copy_next ? min(2 * mm->copy_window, COPY_AROUND_MAX) : 1;
    gva_t end = page + mm->copy_window * PAGE_SIZE;
    end = min(min(end, (page & ~(TABLE_SPAN - 1)) + TABLE_SPAN), v->end);
    gva_t at = page;
    for (; at < end; at += PAGE_SIZE, pte++) {
        gpa_t gpa = *pte & PTE_GPA;
        bool copied = !page_held(*pte) || (*pte & PTE_W) || writable_in_place(v, gpa);
        if (at != page && copied) break;
        int r = copy_page_to(mm, v, pte, at, gpa);
        if (r != 0 && at == page) return r;
        if (r != 0) break;
    }
    flush_copied(mm, page, at);
    mm->copy_next = end;
    return 0;
}

static int fault_present(struct mm *mm, struct vma *v, uint64_t *pte, gva_t page, uint32_t access) {
    gpa_t gpa = *pte & PTE_GPA;
    if (!(access & MM_WRITE) || (*pte & PTE_W)) return 0; /* a stale translation */
    if (!writable_in_place(v, gpa)) {
        if (copy_block(mm, v, page)) return 0;
        return copy_around(mm, v, pte, page);
    }
    pte_set(pte, gpa | page_flags(v, true));
    return 0;
}

int mm_fault(struct mm *mm, gva_t addr, uint32_t access) {
    struct vma *v = mm_find(mm, addr);
    if (v == NULL) v = grow_stack(mm, addr);
    if (v == NULL) return -EFAULT;
    if (!allowed(v, access)) return -EACCES;
    gva_t page = page_down(addr);
    uint64_t *table = paging_table(mm->root, page, true);
    if (table == NULL) return -ENOMEM;
    uint64_t *pte = &table[paging_index(page)];
    if (page_held(*pte)) return fault_present(mm, v, pte, page, access);
    if ((access & MM_WRITE) && copy_block(mm, v, page)) return 0;
    int r = map_page(mm, v, pte, page, access);
    if (r == 0) fault_around(mm, v, page);
    return r;
}

int mm_translate(struct mm *mm, gva_t addr, uint32_t access, gpa_t *out) {
    for (unsigned tries = 0; tries < 2; tries++) {
        uint64_t *table = paging_table(mm->root, addr, false);
        uint64_t pte = table != NULL ? table[paging_index(addr)] : 0;
        if ((pte & PTE_P) && (!(access & MM_WRITE) || (pte & PTE_W))) {
            *out = (pte & PTE_GPA) + (addr & PAGE_MASK);
            return 0;
        }
        int r = mm_fault(mm, addr, access);
        if (r != 0) return r;
    }
    return -EFAULT;
}
