/* SPDX-License-Identifier: MIT */
/* Page frames of guest RAM.
 *
 * RAM comes in chunks (the boot RAM, then what MEM_GROW grants).  A chunk hands out never-used
 * frames in order; the host guarantees that they read as zero and commits them on first touch.
 * Freed frames are kept on two lists threaded through the frame table, never through the frames:
 * `dirty` (contents undefined, still committed, reused first) and `clean` (given back to the host,
 * zero again). */
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/frame_init.h>
#include <kernel/hc.h>
#include <kernel/log.h>
#include <kernel/stats.h>
#include <kernel/string.h>

#include "arch/x86_64/percpu_offsets.h"

#define MAX_CHUNKS 32
#define GROW_BYTES (16ULL << 20)
#define DIRTY_HIGH 4096u /* frames kept before half of them go back to the host */
#define RELEASE_BATCH 128u

struct chunk {
    gpa_t base;
    uint64_t frames, next; /* frames [next, frames) were never used */
    uint32_t *table;       /* reference count, or next free frame number */
};

static struct chunk chunks[MAX_CHUNKS];
static unsigned chunk_count;
static uint32_t dirty_head, dirty_count, clean_head;
static uint64_t limit_bytes, used_bytes, peak_bytes;
static struct hc_seg release_segs[RELEASE_BATCH];

static uint32_t frame_number(gpa_t gpa) { return (uint32_t)(gpa >> PAGE_SHIFT); }

static struct chunk *chunk_of(gpa_t gpa) {
    for (unsigned i = 0; i < chunk_count; i++) {
        if (gpa - chunks[i].base < chunks[i].frames << PAGE_SHIFT) return &chunks[i];
    }
    return NULL;
}

static uint32_t *entry_of(gpa_t gpa) {
    struct chunk *c = chunk_of(gpa);
    kassert(c != NULL);
    return &c->table[(gpa - c->base) >> PAGE_SHIFT];
}

bool frame_is_ram(gpa_t gpa) { return chunk_of(gpa) != NULL; }

static void add_chunk(gpa_t base, uint64_t bytes) {
    struct chunk *c = &chunks[chunk_count++];
    c->base = base;
    c->frames = bytes >> PAGE_SHIFT;
    c->table = frame_ptr(base);
    c->next = page_up(c->frames * sizeof(uint32_t)) >> PAGE_SHIFT;
}

void frame_init(gpa_t free_gpa, gpa_t end, uint64_t limit) {
    add_chunk(free_gpa, end - free_gpa);
    limit_bytes = limit;
    used_bytes = free_gpa - HERMIT_RAM_GPA;
    peak_bytes = used_bytes;
}

static bool grow(uint64_t at_least) {
    if (chunk_count == MAX_CHUNKS) return false;
    uint64_t ask = max(GROW_BYTES, page_up(at_least + (at_least >> 8) + PAGE_SIZE));
    /* Doubling keeps the number of chunks, and so of memory slots, logarithmic. */
    for (unsigned i = 0; i < chunk_count; i++)
        ask = max(ask, chunks[i].frames << PAGE_SHIFT);
    union hc_args a = {.mem_grow = {.bytes = ask}};
    if (hypercall(HC_MEM_GROW, &a) < 0) return false;
    if (!paging_direct_add(a.mem_grow.gpa, a.mem_grow.bytes)) return false;
    add_chunk(a.mem_grow.gpa, a.mem_grow.bytes);
    return true;
}

static void account(uint64_t frames) {
    used_bytes += frames << PAGE_SHIFT;
    peak_bytes = max(peak_bytes, used_bytes);
}

/* A never-used frame: the newest chunk is the largest and the likeliest to have one. */
static gpa_t take_fresh(void) {
    for (unsigned i = chunk_count; i-- > 0;) {
        struct chunk *c = &chunks[i];
        if (c->next < c->frames) return c->base + (c->next++ << PAGE_SHIFT);
    }
    return 0;
}

static gpa_t take_listed(uint32_t *head) {
    gpa_t gpa = (gpa_t)*head << PAGE_SHIFT;
    *head = *entry_of(gpa);
    return gpa;
}

/* *zero says whether the frame is known to read as zero. */
static gpa_t take(bool *zero) {
    gpa_t gpa;
    *zero = true;
    if (dirty_head != 0) {
        gpa = take_listed(&dirty_head);
        dirty_count--;
        *zero = false;
    } else if (clean_head != 0) {
        gpa = take_listed(&clean_head);
    } else {
        gpa = take_fresh();
        /* grow() may itself take a frame for page tables: look again afterwards. */
        if (gpa == 0 && grow(PAGE_SIZE)) gpa = take_fresh();
        if (gpa == 0) return 0;
    }
    *entry_of(gpa) = 1;
    account(1);
    return gpa;
}

gpa_t frame_alloc(void) {
    bool zero;
    gpa_t gpa = take(&zero);
    if (gpa != 0 && !zero) memset(frame_ptr(gpa), 0, PAGE_SIZE);
    return gpa;
}

gpa_t frame_alloc_raw(void) {
    bool zero;
    return take(&zero);
}

static void put_clean(gpa_t gpa) {
    *entry_of(gpa) = clean_head;
    clean_head = frame_number(gpa);
}

gpa_t frame_alloc_order(unsigned order) {
    if (order == 0) return frame_alloc();
    uint64_t count = 1ULL << order;
    uint64_t bytes = count << PAGE_SHIFT;
    for (unsigned tries = 0; tries < 2; tries++) {
        for (unsigned i = chunk_count; i-- > 0;) {
            struct chunk *c = &chunks[i];
            gpa_t at = (c->base + (c->next << PAGE_SHIFT) + bytes - 1) & ~(bytes - 1);
            uint64_t first = (at - c->base) >> PAGE_SHIFT;
            if (first + count > c->frames) continue;
            while (c->next < first)
                put_clean(c->base + (c->next++ << PAGE_SHIFT));
            c->next += count;
            for (uint64_t f = 0; f < count; f++)
                c->table[first + f] = 1;
            account(count);
            return at;
        }
        if (!grow(2 * bytes)) return 0;
    }
    return 0;
}

void frame_ref(gpa_t frame) { ++*entry_of(frame); }

uint32_t frame_refs(gpa_t frame) { return *entry_of(frame); }

/* Gives half of the dirty frames back to the host. */
static void release_dirty(void) {
    while (dirty_count > DIRTY_HIGH / 2) {
        uint32_t segs = 0, n = min(dirty_count, RELEASE_BATCH);
        for (uint32_t i = 0; i < n; i++) {
            gpa_t gpa = take_listed(&dirty_head);
            put_clean(gpa);
            struct hc_seg *last = segs > 0 ? &release_segs[segs - 1] : NULL;
            if (last != NULL && last->gpa + last->len == gpa) {
                last->len += PAGE_SIZE;
            } else if (last != NULL && gpa + PAGE_SIZE == last->gpa) {
                last->gpa = gpa;
                last->len += PAGE_SIZE;
            } else {
                release_segs[segs++] = (struct hc_seg){gpa, PAGE_SIZE};
            }
        }
        dirty_count -= n;
        union hc_args a = {.mem_release = {.segs = frame_gpa(release_segs), .count = segs}};
        if (hypercall(HC_MEM_RELEASE, &a) < 0) panic("the loader does not take memory back");
    }
}

void frame_put(gpa_t frame) {
    uint32_t *entry = entry_of(frame);
    kassert(*entry > 0);
    if (--*entry > 0) return;
    *entry = dirty_head;
    dirty_head = frame_number(frame);
    dirty_count++;
    used_bytes -= PAGE_SIZE;
    if (dirty_count >= DIRTY_HIGH && hypercall_available()) release_dirty();
}

gpa_t frame_gpa(const void *p) {
    uint64_t gva = (uint64_t)p;
    if (gva >= HERMIT_DIRECT_GVA) return gva - HERMIT_DIRECT_GVA;
    if (gva >= KERNEL_DATA_GVA) return gva - KERNEL_DATA_GVA + KERNEL_DATA_GPA;
    kassert(gva >= HERMIT_KERNEL_GVA);
    return gva - HERMIT_KERNEL_GVA + HERMIT_RAM_GPA;
}

struct frame_usage frame_usage(void) {
    return (struct frame_usage){limit_bytes, used_bytes, peak_bytes};
}
