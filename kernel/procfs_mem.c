/* SPDX-License-Identifier: MIT */
/* /proc/self/mem: the program's memory by address.  /proc/self/pagemap: what each page is. */
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/mm.h>
#include <kernel/process.h>
#include <kernel/rewrite.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "procfs.h"

#define CHUNK 1024u /* bytes on the stack; divides a page */
/* Bits of a pagemap entry (Documentation/admin-guide/mm/pagemap.rst). */
#define PM_EXCLUSIVE (1ULL << 56)
#define PM_FILE (1ULL << 61)
#define PM_PRESENT (1ULL << 63)

/* Copies between buf and one piece of program memory within a page, whatever its protection says
 * (FOLL_FORCE): 0 or -EIO. */
static int access_page(gva_t at, void *buf, uint64_t n, bool write) {
    struct mm *mm = current_mm();
    const struct vma *v = mm_find(mm, at);
    uint32_t access = write ? MM_WRITE : MM_READ, prot;
    gpa_t gpa;
    int r;

    if (!v) return -EIO;
    prot = v->prot;
    if (write && !(prot & PROT_WRITE)) {
        if ((v->flags & MAP_TYPE) != MAP_PRIVATE) return -EIO;
        /* As a debugger's breakpoint: the private page is copied, its protection stays. */
        r = mm_protect(mm, page_down(at), PAGE_SIZE, prot | PROT_WRITE);
    } else {
        r = prot ? 0 : mm_protect(mm, page_down(at), PAGE_SIZE, PROT_READ);
    }
    if (!r) r = mm_translate(mm, at, access, &gpa);
    if (!r && write) memcpy(frame_ptr(gpa), buf, n);
    if (!r && !write) memcpy(buf, frame_ptr(gpa), n);
    if (!r && !write) rewrite_show_original(mm, at, buf, n);
    if (!(prot & (write ? PROT_WRITE : PROT_READ | PROT_WRITE | PROT_EXEC)))
        mm_protect(mm, page_down(at), PAGE_SIZE, prot);
    return r ? -EIO : 0;
}

static int64_t transfer(const struct uio *u, int64_t *pos, bool write) {
    uint8_t chunk[CHUNK];
    uint64_t done = 0;
    int r = 0;

    while (done < u->len) {
        gva_t at = (gva_t)*pos;
        uint64_t n = min(u->len - done, CHUNK - (at & (CHUNK - 1)));

        if (at >= HERMIT_USER_TOP) r = -EIO;
        if (!r && write) r = uio_drain(u, done, chunk, n);
        if (!r) r = access_page(at, chunk, n, write);
        if (!r && !write) r = uio_fill(u, done, chunk, n);
        if (r) return done ? (int64_t)done : r;
        done += n;
        *pos += (int64_t)n;
    }
    return (int64_t)done;
}

static int64_t mem_read(struct file *f, const struct uio *u, int64_t *pos) {
    return transfer(u, pos, false);
}

static int64_t mem_write(struct file *f, const struct uio *u, int64_t *pos) {
    return transfer(u, pos, true);
}

static int64_t mem_seek(struct file *f, int64_t offset, int whence) {
    if (whence == SEEK_CUR)
        offset += f->pos;
    else if (whence != SEEK_SET)
        return -EINVAL;
    return f->pos = offset;
}

static uint64_t pagemap_entry(struct mm *mm, gva_t at) {
    const struct vma *v = mm_find(mm, at);
    uint64_t *table = v ? paging_table(mm->root, at, false) : NULL;
    uint64_t pte = table ? table[paging_index(at)] : 0, entry;
    gpa_t gpa = pte & PTE_GPA;

    if (!(pte & (PTE_P | PTE_NONE))) return 0;
    entry = PM_PRESENT;
    if (process_capable(CAP_SYS_ADMIN)) entry |= gpa >> PAGE_SHIFT;
    if (frame_is_ram(gpa) && frame_refs(gpa) == 1) entry |= PM_EXCLUSIVE;
    if (!frame_is_ram(gpa) || (v->flags & MAP_TYPE) != MAP_PRIVATE) entry |= PM_FILE;
    return entry;
}

static int64_t pagemap_read(struct file *f, const struct uio *u, int64_t *pos) {
    uint64_t entries[CHUNK / 8], done = 0;

    if ((*pos & 7) || (u->len & 7)) return -EINVAL;
    while (done < u->len) {
        uint64_t n = min((u->len - done) / 8, (uint64_t)ARRAY_LEN(entries));
        gva_t at = (gva_t)*pos / 8 * PAGE_SIZE;
        int r;

        if (at >= HERMIT_USER_TOP) break;
        for (uint64_t i = 0; i < n; i++)
            entries[i] = pagemap_entry(current_mm(), at + i * PAGE_SIZE);
        r = uio_fill(u, done, entries, n * 8);
        if (r) return done ? (int64_t)done : r;
        done += n * 8;
        *pos += (int64_t)(n * 8);
    }
    return (int64_t)done;
}

const struct file_ops proc_mem_ops = {
    .read = mem_read,
    .write = mem_write,
    .seek = mem_seek,
    .getattr = tree_file_getattr,
    .statfs = tree_file_statfs,
    .release = tree_file_release,
};

const struct file_ops proc_pagemap_ops = {
    .read = pagemap_read,
    .seek = mem_seek,
    .getattr = tree_file_getattr,
    .statfs = tree_file_statfs,
    .release = tree_file_release,
};
