/* SPDX-License-Identifier: MIT */
/* /proc/self/maps and its relatives: the address space, one line or block a VMA. */
#include <hermit/linux_abi.h>
#include <kernel/mm.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "procfs.h"

#define NAME_COLUMN 73 /* where Linux puts the name */

static uint32_t major_of(uint64_t dev) { return dev >> 8 & 0xfff; }
static uint32_t minor_of(uint64_t dev) { return (dev & 0xff) | (dev >> 12 & 0xfff00); }

static void show_vma(struct tree_text *t, const struct vma *v) {
    struct hc_attr attr = {0};
    const char *name = v->file ? v->file->path : v->name;
    size_t start = t->len;

    if (v->file && file_getattr(v->file, &attr)) attr.ino = 0;
    text_printf(t, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", (unsigned long)v->start,
                (unsigned long)v->end, v->prot & PROT_READ ? 'r' : '-',
                v->prot & PROT_WRITE ? 'w' : '-', v->prot & PROT_EXEC ? 'x' : '-',
                (v->flags & MAP_TYPE) == MAP_PRIVATE ? 'p' : 's',
                v->file ? (unsigned long)v->offset : 0ul, major_of(attr.dev), minor_of(attr.dev),
                (unsigned long)attr.ino);
    if (name) {
        text_pad(t, start, NAME_COLUMN);
        text_append_escaped(t, name, "\n");
        if (v->file && attr.nlink == 0) text_printf(t, " (deleted)");
    }
    text_append(t, "\n", 1);
}

void show_maps(struct tree_text *t) {
    struct mm *mm = current_mm();

    for (const struct vma *v = mm_next(mm, 0); v; v = mm_next(mm, v->end))
        show_vma(t, v);
}

static void show_kb(struct tree_text *t, const char *name, uint64_t bytes) {
    text_printf(t, "%-16s%8lu kB\n", name, (unsigned long)bytes / 1024);
}

/* The lines that smaps and smaps_rollup share; nobody else has the pages, so a page is the
 * process's own unless two of its mappings hold it. */
static void show_pages(struct tree_text *t, const struct mm_pages *p, bool rollup) {
    uint64_t shared_dirty = min(p->shared, p->dirty), shared_clean = p->shared - shared_dirty;
    uint64_t private_dirty = p->dirty - shared_dirty;

    show_kb(t, "Rss:", p->resident);
    show_kb(t, "Pss:", p->resident);
    show_kb(t, "Pss_Dirty:", p->dirty);
    if (rollup) {
        show_kb(t, "Pss_Anon:", p->anon);
        show_kb(t, "Pss_File:", p->resident - p->anon - p->shmem);
        show_kb(t, "Pss_Shmem:", p->shmem);
    }
    show_kb(t, "Shared_Clean:", shared_clean);
    show_kb(t, "Shared_Dirty:", shared_dirty);
    show_kb(t, "Private_Clean:", p->resident - shared_clean - p->dirty);
    show_kb(t, "Private_Dirty:", private_dirty);
    show_kb(t, "Referenced:", p->resident);
    show_kb(t, "Anonymous:", p->anon);
    static const char *const never[] = {
        "KSM:",           "LazyFree:",       "AnonHugePages:",   "ShmemPmdMapped:",
        "FilePmdMapped:", "Shared_Hugetlb:", "Private_Hugetlb:", "Swap:",
        "SwapPss:",       "Locked:"};
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        show_kb(t, never[i], 0);
}

static void show_vm_flags(struct tree_text *t, const struct vma *v) {
    bool shared = (v->flags & MAP_TYPE) != MAP_PRIVATE;
    bool may_write = !shared || !v->file || (v->file->flags & O_ACCMODE) != O_RDONLY;

    text_printf(t, "VmFlags:%s%s%s%s mr%s me%s%s%s \n", v->prot & PROT_READ ? " rd" : "",
                v->prot & PROT_WRITE ? " wr" : "", v->prot & PROT_EXEC ? " ex" : "",
                shared ? " sh" : "", may_write ? " mw" : "", shared ? " ms" : "",
                v->flags & MAP_GROWSDOWN ? " gd" : "", v->flags & MAP_NORESERVE ? " nr" : "");
}

void show_smaps(struct tree_text *t) {
    struct mm *mm = current_mm();

    for (const struct vma *v = mm_next(mm, 0); v; v = mm_next(mm, v->end)) {
        struct mm_pages pages = mm_pages(mm, v->start, v->end);

        show_vma(t, v);
        show_kb(t, "Size:", v->end - v->start);
        show_kb(t, "KernelPageSize:", PAGE_SIZE);
        show_kb(t, "MMUPageSize:", PAGE_SIZE);
        show_pages(t, &pages, false);
        text_printf(t, "%-16s%8d\n", "THPeligible:", 0);
        show_vm_flags(t, v);
    }
}

void show_smaps_rollup(struct tree_text *t) {
    struct mm *mm = current_mm();
    struct mm_pages pages = mm_pages(mm, 0, HERMIT_USER_TOP);
    const struct vma *first = mm_next(mm, 0);
    gva_t end = 0;
    size_t start = t->len;

    for (const struct vma *v = first; v; v = mm_next(mm, v->end))
        end = v->end;
    text_printf(t, "%08lx-%08lx ---p 00000000 00:00 0 ", first ? (unsigned long)first->start : 0ul,
                (unsigned long)end);
    text_pad(t, start, NAME_COLUMN);
    text_printf(t, "[rollup]\n");
    show_pages(t, &pages, true);
}

static void show_numa_vma(struct tree_text *t, struct mm *mm, const struct vma *v) {
    struct mm_pages p = mm_pages(mm, v->start, v->end);
    unsigned long resident = p.resident / PAGE_SIZE, anon = p.anon / PAGE_SIZE;

    text_printf(t, "%08lx default", (unsigned long)v->start);
    if (v->file && v->file->path) {
        text_printf(t, " file=");
        text_append_escaped(t, v->file->path, "\n\t= ");
    } else if (v->name && strcmp(v->name, "[heap]") == 0) {
        text_printf(t, " heap");
    } else if (v->flags & MAP_GROWSDOWN) {
        text_printf(t, " stack");
    }
    if (anon) text_printf(t, " anon=%lu", anon);
    if (p.dirty) text_printf(t, " dirty=%lu", (unsigned long)p.dirty / PAGE_SIZE);
    if (resident != anon) text_printf(t, " mapped=%lu", resident);
    if (resident) text_printf(t, " N0=%lu kernelpagesize_kB=4", resident);
    text_append(t, "\n", 1);
}

void show_numa_maps(struct tree_text *t) {
    struct mm *mm = current_mm();

    for (const struct vma *v = mm_next(mm, 0); v; v = mm_next(mm, v->end))
        show_numa_vma(t, mm, v);
}
