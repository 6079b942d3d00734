/* SPDX-License-Identifier: MIT */
/* /proc/self/maps: the address space, one line a VMA. */
#include <hermit/linux_abi.h>
#include <kernel/mm.h>
#include <kernel/process.h>

#include "procfs.h"

#define NAME_COLUMN 73 /* where Linux puts the name */

static uint32_t major_of(uint64_t dev) { return dev >> 8 & 0xfff; }
static uint32_t minor_of(uint64_t dev) { return (dev & 0xff) | (dev >> 12 & 0xfff00); }

static void show_vma(struct proc_text *t, const struct vma *v) {
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
        text_printf(t, "%s%s", name, v->file && attr.nlink == 0 ? " (deleted)" : "");
    }
    text_append(t, "\n", 1);
}

void show_maps(struct proc_text *t) {
    struct mm *mm = current_mm();

    for (const struct vma *v = mm_next(mm, 0); v; v = mm_next(mm, v->end))
        show_vma(t, v);
}
