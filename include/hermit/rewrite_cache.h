/* SPDX-License-Identifier: MIT */
/* The cache of rewritten objects, for those who fill it (rewrite/), look into it (loader/) and map
 * what it holds (kernel/).
 *
 * $XDG_CACHE_HOME/hermit (default ~/.cache/hermit) belongs to its user alone.  It holds
 *
 *   oV-HASH                          what was found out about a file with these contents (SHA-256)
 *   iV-DEV-INO-SIZE-MTIME-CTIME      the same file by a further name: for the file that is this one
 *   wanted                           paths that were mapped and are not in the cache, each with NUL
 *   lock                             is held with flock(2) by who changes the cache
 *
 * V: HERMIT_CACHE_VERSION.  A file of the cache is the page of struct hermit_cached, the pages of
 * text that differ from the original's, and the stub segment that enters Hermit's kernel
 * (hermit/rewrite.h).  All other pages are the original's. */
#ifndef HERMIT_REWRITE_CACHE_H
#define HERMIT_REWRITE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#define HERMIT_CACHE_MAGIC "HermitRC"
#define HERMIT_CACHE_VERSION 1 /* of the format and of what the rewriter makes */
#define HERMIT_CACHE_WANTED "wanted"
#define HERMIT_CACHE_LOCK "lock"
#define HERMIT_CACHE_PAGE 4096u
#define HERMIT_CACHE_TEXTS 4
#define HERMIT_CACHE_SIZE_MAX (256u << 20) /* bytes of one file of the cache */
#define HERMIT_CACHE_TOUCH_S 3600          /* a use is noted (mtime) at most that often */

/* Text of the original: len bytes from offset on lie at addr, all whole pages. */
struct hermit_cached_text {
    uint64_t offset, addr, len;
};

struct hermit_cached {
    char magic[8];
    uint32_t version;
    uint32_t npages; /* 0: there is nothing to rewrite in the original */
    uint64_t size;   /* of this file: a page, npages pages, the stubs */
    uint64_t original_size;
    uint64_t checksum; /* of all pages, this one with 0 here */
    uint64_t low;      /* address of the original's first page */
    uint64_t stubs_addr,
        stubs_size; /* multiples of the page size; the stubs are behind all pages */
    struct hermit_cached_text texts[HERMIT_CACHE_TEXTS];
    uint32_t ntexts;
    uint32_t pages[]; /* numbers of pages of the original, ascending: one a page of this file */
};

#define HERMIT_CACHE_PAGES_MAX                                                                     \
    ((HERMIT_CACHE_PAGE - offsetof(struct hermit_cached, pages)) / sizeof(uint32_t))

/* For printf: the name of a file's entry. */
#define HERMIT_CACHE_NAME "i%u-%llx-%llx-%llx-%llx-%llx"
#define HERMIT_CACHE_NAME_BYTES 128

static inline uint64_t hermit_cache_mix(uint64_t sum, uint64_t word) {
    sum = (sum ^ word) * 0x9e3779b97f4a7c15ULL;
    return sum << 31 | sum >> 33;
}

/* Adds a page to a checksum (0 before the first): against damage, not against malice. */
static inline uint64_t hermit_cache_checksum(uint64_t sum, const uint64_t *page) {
    uint64_t a = sum + 1, b = sum + 2, c = sum + 3, d = sum + 4;
    for (size_t i = 0; i < HERMIT_CACHE_PAGE / 8; i += 4) {
        a = hermit_cache_mix(a, page[i]);
        b = hermit_cache_mix(b, page[i + 1]);
        c = hermit_cache_mix(c, page[i + 2]);
        d = hermit_cache_mix(d, page[i + 3]);
    }
    return hermit_cache_mix(hermit_cache_mix(hermit_cache_mix(a, b), c), d);
}

/* HC_FILE_REWRITTEN: what the cache has for a regular file: the first
 * page of its file goes to `head`, and it is mapped as by FILE_MAP (OUT gpa), or, where the engine
 * cannot, opened (OUT cached: a handle; else HC_NO_HANDLE).  -ENODATA: there is nothing to rewrite.
 * -ENOENT: it is not there; executed: it will be wanted. */
#define HC_NO_HANDLE 0xffffffffu
struct hc_file_rewritten {
    uint32_t handle;
    uint32_t executed;
    uint64_t head; /* guest-physical, a page of RAM */
    uint64_t gpa;
    uint32_t cached;
    uint32_t pad;
};
_Static_assert(sizeof(struct hc_file_rewritten) == 32, "wire size");

#endif
