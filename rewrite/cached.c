/* SPDX-License-Identifier: MIT */
/* From a rewritten object to a file of the cache: only the pages that changed, and the stubs that
 * enter Hermit's kernel.  Owns nothing. */
#include <stdlib.h>
#include <string.h>

#include <rewrite/cached.h>
#include <rewriter/list.h>
#include <rewriter/rewrite.h>

#define PAGE ((uint64_t)HERMIT_CACHE_PAGE)

static uint64_t page_of(uint64_t n) { return n / PAGE; }

/* Where the bytes of a change are in the original file. */
static uint64_t patch_offset(const struct rewrite *w, const struct stubs_patch *p) {
    return (uint64_t)(elf_in_at(&w->elf, p->addr, p->len) - w->elf.bytes);
}

static int compare(const void *a, const void *b) {
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The pages that change, sorted, each once.  Neighbours stay together: a jump may reach from one
 * into the other. */
static uint32_t list_pages(const struct rewrite *w, uint32_t *pages) {
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < w->stubs.patches.count; i++) {
        const struct stubs_patch *p = &w->stubs.patches.items[i];
        uint64_t offset = patch_offset(w, p);
        pages[n++] = (uint32_t)page_of(offset);
        pages[n++] = (uint32_t)page_of(offset + p->len - 1);
    }
    if (n == 0) return 0;
    qsort(pages, n, sizeof(*pages), compare);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || pages[i] != pages[kept - 1]) pages[kept++] = pages[i];
    if (kept <= HERMIT_CACHE_PAGES_MAX) return (uint32_t)kept;
    for (kept = HERMIT_CACHE_PAGES_MAX; kept > 0 && pages[kept] == pages[kept - 1] + 1; kept--)
        ;
    return (uint32_t)kept;
}

static bool holds_page(const struct hermit_cached_text *t, uint32_t page) {
    return page * PAGE >= t->offset && page * PAGE - t->offset < t->len;
}

/* The text that changes; false if that is scattered over too many segments. */
static bool list_texts(const struct rewrite *w, const uint32_t *pages, struct hermit_cached *c) {
    for (size_t i = 0; i < w->elf.segments.count; i++) {
        const struct elf_piece *s = &w->elf.segments.items[i];
        if (!s->exec || s->nbytes == 0) continue;
        uint64_t offset = (uint64_t)(s->bytes - w->elf.bytes), into = s->addr % PAGE;
        if (s->write || offset % PAGE != into) continue;
        struct hermit_cached_text t = {.offset = offset - into,
                                       .addr = s->addr - into,
                                       .len = (into + s->nbytes + PAGE - 1) / PAGE * PAGE};
        bool any = false;
        for (uint32_t k = 0; k < c->npages; k++)
            any |= holds_page(&t, pages[k]);
        if (any && c->ntexts == HERMIT_CACHE_TEXTS) return false;
        if (any) c->texts[c->ntexts++] = t;
    }
    return c->ntexts > 0;
}

static uint64_t lowest(const struct elf_in *e) {
    uint64_t low = UINT64_MAX;
    for (size_t i = 0; i < e->segments.count; i++)
        if (e->segments.items[i].addr < low) low = e->segments.items[i].addr;
    return low / PAGE * PAGE;
}

/* Page k of the cache's file: the original's with the changes that lie there. */
static void put_page(const struct rewrite *w, uint32_t page, uint8_t *out) {
    uint64_t start = page * PAGE;
    uint64_t n = w->elf.size - start < PAGE ? w->elf.size - start : PAGE;
    memcpy(out, w->elf.bytes + start, n);
    for (size_t i = 0; i < w->stubs.patches.count; i++) {
        const struct stubs_patch *p = &w->stubs.patches.items[i];
        uint64_t offset = patch_offset(w, p);
        for (unsigned k = 0; k < p->len; k++)
            if (page_of(offset + k) == page) out[(offset + k) % PAGE] = p->bytes[k];
    }
}

uint64_t cached_checksum(const void *pages, uint64_t size) {
    uint64_t sum = 0;
    for (uint64_t at = 0; at < size; at += PAGE)
        sum = hermit_cache_checksum(sum, (const uint64_t *)pages + at / 8);
    return sum;
}

static struct hermit_cached *seal(struct hermit_cached *c) {
    c->checksum = 0;
    c->checksum = cached_checksum(c, c->size);
    return c;
}

static struct hermit_cached *new_file(uint64_t size, uint64_t original_size) {
    struct hermit_cached *c = list_must(aligned_alloc(PAGE, size));
    memset(c, 0, size);
    memcpy(c->magic, HERMIT_CACHE_MAGIC, sizeof(c->magic));
    c->version = HERMIT_CACHE_VERSION;
    c->size = size;
    c->original_size = original_size;
    return c;
}

/* NULL: nothing changes. */
static struct hermit_cached *from_rewritten(const struct rewrite *w) {
    size_t room = 2 * w->stubs.patches.count + 1;
    uint32_t *pages = list_must(malloc(room * sizeof(*pages)));
    struct hermit_cached head = {.npages = list_pages(w, pages)};
    uint64_t size = PAGE + head.npages * PAGE + w->stubs.size;
    struct hermit_cached *c = NULL;
    if (head.npages > 0 && size <= HERMIT_CACHE_SIZE_MAX && w->stubs.size % PAGE == 0 &&
        list_texts(w, pages, &head)) {
        c = new_file(size, w->elf.size);
        c->npages = head.npages;
        c->ntexts = head.ntexts;
        memcpy(c->texts, head.texts, sizeof(c->texts));
        c->low = lowest(&w->elf);
        c->stubs_addr = w->stubs.addr;
        c->stubs_size = w->stubs.size;
        memcpy(c->pages, pages, head.npages * sizeof(*pages));
        uint8_t *at = (uint8_t *)c + PAGE;
        for (uint32_t i = 0; i < head.npages; i++, at += PAGE)
            put_page(w, pages[i], at);
        memcpy(at, w->stubs.hermit_bytes, w->stubs.size);
    }
    free(pages);
    return c != NULL ? seal(c) : NULL;
}

struct hermit_cached *cached_nothing(size_t size) {
    return seal(new_file(PAGE, size));
}

struct hermit_cached *cached_make(const uint8_t *bytes, size_t size) {
    const struct rewrite_options how = {.hermit = true, .verify = true};
    struct rewrite w = {0};
    struct hermit_cached *c = NULL;
    bool elf = size >= 4 && memcmp(bytes, "\177ELF", 4) == 0;
    if (elf) rewrite_file(&w, bytes, size, &how);
    if (elf && w.status != REWRITE_REFUSED && w.bytes != NULL) c = from_rewritten(&w);
    rewrite_free(&w);
    return c != NULL ? c : cached_nothing(size);
}
