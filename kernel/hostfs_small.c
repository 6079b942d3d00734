/* SPDX-License-Identifier: MIT */
/* Small reads of the same pages again and again, as of a database: once there were some, the
 * file's window answers, which is the host's page cache.  Only pages that a call has read or
 * written are read there: others may still have to come from the disk, and nobody else would run
 * meanwhile.  Owns the notes of which those are. */
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/heap.h>
#include <kernel/string.h>
#include <kernel/wait.h>

#include "hostfs.h"

uint64_t user_copy(void *dst, const void *src, uint64_t len); /* entry.S: bytes not copied */

#define SMALL (4 * PAGE_SIZE) /* bytes */
#define OFTEN 16u             /* such reads; then a window pays */
#define NOTED_MAX (1u << 18)  /* pages of a file: 32 KiB of bits */
#define CHUNK 512u            /* bytes, on the stack */

static bool is_noted(const struct hostfs_file *hf, uint64_t page) {
    return page < hf->noted_pages && (hf->noted[page / 64] >> page % 64 & 1) != 0;
}

static bool make_room(struct hostfs_file *hf, uint64_t page) {
    if (page < hf->noted_pages) return true;
    if (page >= NOTED_MAX) return false;
    uint64_t pages = min(max(2 * page, (uint64_t)512) & ~63UL, (uint64_t)NOTED_MAX);
    uint64_t *noted = krealloc(hf->noted, pages / 8);
    if (noted == NULL) return false;
    memset(noted + hf->noted_pages / 64, 0, (pages - hf->noted_pages) / 8);
    hf->noted = noted;
    hf->noted_pages = (uint32_t)pages;
    return true;
}

static bool is_candidate(const struct file *f, const struct hostfs_file *hf, uint64_t len) {
    return len <= SMALL && !hf->stdio && !hf->no_windows && hf->handle != NO_HANDLE &&
           S_ISREG(f->mode) && !(f->flags & O_DIRECT);
}

void hostfs_small_done(struct file *f, int64_t pos, int64_t n) {
    struct hostfs_file *hf = hostfs_file(f);
    if (n <= 0 || !is_candidate(f, hf, (uint64_t)n)) return;
    uint64_t last = (uint64_t)(pos + n - 1) >> PAGE_SHIFT;
    for (uint64_t page = (uint64_t)pos >> PAGE_SHIFT; page <= last; page++)
        if (make_room(hf, page)) hf->noted[page / 64] |= 1UL << page % 64;
}

void hostfs_small_release(struct hostfs_file *hf) { kfree(hf->noted); }

/* Copies from the window what lies in one page: how many bytes, 0 if it cannot be had. */
static uint64_t read_page(struct file *f, const struct uio *u, uint64_t done, uint64_t at) {
    uint64_t len = min(u->len - done, PAGE_SIZE - (at & PAGE_MASK)), n = 0;
    char bytes[CHUNK];
    gpa_t gpa;
    if (hostfs_page(f, page_down(at), false, &gpa) != 0) return 0;
    if (frame_is_ram(gpa)) { /* no window: a copy, which is not the host's */
        frame_put(gpa);
        return 0;
    }
    const char *from = (const char *)frame_ptr(gpa) + (at & PAGE_MASK);
    for (uint64_t part; n < len; n += part) {
        part = min(len - n, (uint64_t)CHUNK);
        if (user_copy(bytes, from + n, part) != 0) return 0; /* truncated meanwhile */
        if (uio_fill(u, done + n, bytes, part) != 0) return 0;
    }
    return len;
}

bool hostfs_read_small(struct file *f, const struct uio *u, int64_t pos, int64_t *n) {
    struct hostfs_file *hf = hostfs_file(f);
    if (!is_candidate(f, hf, u->len)) return false;
    uint64_t end = (uint64_t)pos + u->len;
    for (uint64_t at = page_down((uint64_t)pos); at < end; at += PAGE_SIZE)
        if (!is_noted(hf, at >> PAGE_SHIFT)) return false;
    if (hf->smalls < OFTEN) {
        hf->smalls++;
        return false;
    }
    /* Beyond its end a window has zeroes. */
    if (!hostfs_size_fresh(f) || end > hf->size) return false;
    for (uint64_t done = 0, part; done < u->len; done += part) {
        part = read_page(f, u, done, (uint64_t)pos + done);
        if (part == 0) return false; /* the call does it again, or finds out what is wrong */
    }
    *n = (int64_t)u->len;
    return true;
}
