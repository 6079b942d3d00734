/* SPDX-License-Identifier: MIT */
/* Page frames of guest RAM: a binary buddy allocator behind a watermark.
 *
 * RAM comes in chunks (the boot RAM, then what MEM_GROW grants).  A chunk hands out never-used
 * frames in order; the host commits them on first touch and, where no firmware ran before,
 * guarantees that they read as zero.
 * Freed blocks go to one of two sets of buddy lists, threaded through the frame table and never
 * through the frames: `dirty` (contents undefined, still committed, reused first) and `clean`
 * (given back to the host, zero again). */
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/frame_init.h>
#include <kernel/hc.h>
#include <kernel/log.h>
#include <kernel/stats.h>
#include <kernel/string.h>

#define MAX_CHUNKS 32
#define MAX_ORDER 10u /* 4 MiB */
#define GROW_BYTES (16ULL << 20)
#define DIRTY_HIGH 4096u /* dirty frames kept before half of them go back to the host */
#define RELEASE_BATCH 128u
#define READY_MIN 32u /* frames */
#define READY_MAX 256u

/* One a frame.  In use: `link` counts references.  Head of a free block: its neighbours in the
 * list (frame numbers, 0 ends it), its order and its set. */
struct frame {
    uint32_t link : 27, set : 5;
    uint32_t prev : 27, order : 4, free : 1;
};

struct chunk {
    gpa_t base;
    uint64_t frames, next; /* frames [next, frames) were never used */
    uint64_t ready;        /* frames [0, ready) were committed by the host in advance */
    struct frame *table;
};

enum { DIRTY, CLEAN, SETS };

static struct chunk chunks[MAX_CHUNKS];
static unsigned chunk_count;
static uint32_t heads[SETS][MAX_ORDER + 1];
static uint64_t dirty_frames;
static bool fresh_is_zero;
static uint64_t limit_bytes, used_bytes, peak_bytes;
static struct hc_seg release_segs[RELEASE_BATCH];

static struct chunk *chunk_of(gpa_t gpa) {
    for (unsigned i = 0; i < chunk_count; i++) {
        if (gpa - chunks[i].base < chunks[i].frames << PAGE_SHIFT) return &chunks[i];
    }
    return NULL;
}

static struct frame *frame_of(gpa_t gpa) {
    struct chunk *c = chunk_of(gpa);
    kassert(c != NULL);
    return &c->table[(gpa - c->base) >> PAGE_SHIFT];
}

bool frame_is_ram(gpa_t gpa) { return chunk_of(gpa) != NULL; }

static gpa_t gpa_of(uint32_t number) { return (gpa_t)number << PAGE_SHIFT; }

static void list_push(unsigned set, unsigned order, uint32_t number) {
    uint32_t *head = &heads[set][order];
    struct frame *f = frame_of(gpa_of(number));
    *f = (struct frame){.link = *head & 0x7ffffff, .set = set & 1, .order = order & 15, .free = 1};
    if (*head != 0) frame_of(gpa_of(*head))->prev = number & 0x7ffffff;
    *head = number;
    if (set == DIRTY) dirty_frames += 1ULL << order;
}

static void list_remove(unsigned set, unsigned order, uint32_t number) {
    struct frame *f = frame_of(gpa_of(number));
    if (f->prev != 0)
        frame_of(gpa_of(f->prev))->link = f->link;
    else
        heads[set][order] = f->link;
    if (f->link != 0) frame_of(gpa_of(f->link))->prev = f->prev;
    *f = (struct frame){0};
    if (set == DIRTY) dirty_frames -= 1ULL << order;
}

static bool is_free_block(uint32_t number, unsigned order, unsigned set) {
    gpa_t gpa = gpa_of(number);
    const struct chunk *c = chunk_of(gpa);
    if (c == NULL || (gpa - c->base) >> PAGE_SHIFT >= c->next) return false;
    const struct frame *f = &c->table[(gpa - c->base) >> PAGE_SHIFT];
    return f->free && f->order == order && f->set == set;
}

/* Frees a block, joined with its free buddies. */
static void free_block(unsigned set, unsigned order, uint32_t number) {
    for (; order < MAX_ORDER; order++) {
        uint32_t buddy = number ^ 1u << order;
        if (!is_free_block(buddy, order, set)) break;
        list_remove(set, order, buddy);
        number &= ~(1u << order);
    }
    list_push(set, order, number);
}

/* A block from the lists of a set, split from a greater one if need be; 0 if there is none. */
static uint32_t take_listed(unsigned set, unsigned order) {
    unsigned from = order;
    while (from <= MAX_ORDER && heads[set][from] == 0)
        from++;
    if (from > MAX_ORDER) return 0;
    uint32_t number = heads[set][from];
    list_remove(set, from, number);
    while (from > order) {
        from--;
        list_push(set, from, number + (1u << from));
    }
    return number;
}

/* Has the host commit fresh frames some time before they are used, ever more at a time: a first
 * touch costs it far more than its share of a call, and a software hypervisor maps the neighbours
 * of a page along with it if they are there. */
static void make_ready(struct chunk *c, uint32_t taken) {
    uint64_t batch = min(max(c->ready, READY_MIN), READY_MAX);
    uint64_t ahead = hypercall_posts() ? batch / 2 : 0;
    if (c->next + ahead <= c->ready || !hypercall_available()) return;
    if (taken > READY_MIN || !fresh_is_zero) { /* who knows how much of it; a firmware was there */
        c->ready = max(c->ready, c->next);
        return;
    }
    uint64_t end = min(max(c->next, c->ready) + batch, c->frames);
    union hc_args a = {.mem_populate = {.gpa = c->base + (c->ready << PAGE_SHIFT),
                                        .len = (end - c->ready) << PAGE_SHIFT}};
    c->ready = end;
    hypercall_post(HC_MEM_POPULATE, &a);
}

/* A never-used block; the frames skipped for its alignment are free ones. */
static uint32_t take_fresh(unsigned order) {
    uint32_t size = 1u << order;
    for (unsigned i = chunk_count; i-- > 0;) { /* the newest is the largest */
        struct chunk *c = &chunks[i];
        uint32_t base = (uint32_t)(c->base >> PAGE_SHIFT);
        uint32_t at = (base + (uint32_t)c->next + size - 1) & ~(size - 1);
        if (at - base + size > c->frames) continue;
        while (base + c->next < at) {
            c->next++;
            free_block(fresh_is_zero ? CLEAN : DIRTY, 0, base + (uint32_t)c->next - 1);
        }
        c->next += size;
        make_ready(c, size);
        return at;
    }
    return 0;
}

static void add_chunk(gpa_t base, uint64_t bytes) {
    struct chunk *c = &chunks[chunk_count++];
    c->base = base;
    c->frames = bytes >> PAGE_SHIFT;
    c->table = frame_ptr(base);
    c->next = page_up(c->frames * sizeof(struct frame)) >> PAGE_SHIFT;
    for (uint64_t i = 0; i < c->next; i++)
        c->table[i] = (struct frame){.link = 1}; /* itself */
    c->ready = c->next;
}

void frame_init(gpa_t free_gpa, gpa_t end, uint64_t limit, bool zeroed) {
    fresh_is_zero = zeroed;
    add_chunk(free_gpa, end - free_gpa);
    chunks[0].ready = HERMIT_BOOT_FRAMES; /* the loader's doing */
    limit_bytes = limit;
    used_bytes = free_gpa - HERMIT_RAM_GPA;
    peak_bytes = used_bytes;
}

static bool grow(uint64_t at_least) {
    if (chunk_count == MAX_CHUNKS) return false;
    uint64_t ask = max(GROW_BYTES, page_up(2 * at_least + (at_least >> 8) + PAGE_SIZE));
    /* Doubling keeps the number of chunks, and so of memory slots, logarithmic. */
    for (unsigned i = 0; i < chunk_count; i++)
        ask = max(ask, chunks[i].frames << PAGE_SHIFT);
    union hc_args a = {.mem_grow = {.bytes = ask}};
    if (hypercall(HC_MEM_GROW, &a) < 0) return false;
    if (!paging_direct_add(a.mem_grow.gpa, a.mem_grow.bytes)) return false;
    add_chunk(a.mem_grow.gpa, a.mem_grow.bytes);
    return true;
}

/* A block of 2^order frames with a count of 1 each; *zero: it is known to read as zero. */
static gpa_t take(unsigned order, bool *zero) {
    *zero = false;
    uint32_t number = take_listed(DIRTY, order);
    if (number == 0) {
        *zero = true;
        number = take_listed(CLEAN, order);
    }
    if (number == 0) {
        *zero = fresh_is_zero;
        number = take_fresh(order);
        /* Growing may take frames itself, for page tables. */
        if (number == 0 && grow((uint64_t)PAGE_SIZE << order)) number = take_fresh(order);
        if (number == 0) return 0;
    }
    gpa_t gpa = gpa_of(number);
    struct frame *f = frame_of(gpa);
    for (uint32_t i = 0; i < 1u << order; i++)
        f[i] = (struct frame){.link = 1};
    used_bytes += (uint64_t)PAGE_SIZE << order;
    peak_bytes = max(peak_bytes, used_bytes);
    return gpa;
}

gpa_t frame_alloc_order(unsigned order) {
    bool zero;
    gpa_t gpa = order <= MAX_ORDER ? take(order, &zero) : 0;
    if (gpa != 0 && !zero) memset(frame_ptr(gpa), 0, (uint64_t)PAGE_SIZE << order);
    return gpa;
}

gpa_t frame_alloc(void) { return frame_alloc_order(0); }

gpa_t frame_alloc_raw(unsigned order) {
    bool zero;
    return order <= MAX_ORDER ? take(order, &zero) : 0;
}

void frame_ref(gpa_t frame) { frame_of(frame)->link++; }

uint32_t frame_refs(gpa_t frame) { return frame_of(frame)->link; }

/* Gives half of the dirty frames back to the host, the greatest blocks first. */
static void release_dirty(void) {
    while (dirty_frames > DIRTY_HIGH / 2) {
        unsigned order = MAX_ORDER;
        while (heads[DIRTY][order] == 0)
            order--;
        uint32_t n = 0;
        while (n < RELEASE_BATCH && heads[DIRTY][order] != 0 && dirty_frames > DIRTY_HIGH / 2) {
            uint32_t number = heads[DIRTY][order];
            list_remove(DIRTY, order, number);
            release_segs[n++] = (struct hc_seg){gpa_of(number), (uint64_t)PAGE_SIZE << order};
        }
        union hc_args a = {.mem_release = {.segs = frame_gpa(release_segs), .count = n}};
        if (hypercall(HC_MEM_RELEASE, &a) < 0) panic("the loader does not take memory back");
        hermit_stats.ram_returned += (uint64_t)n * PAGE_SIZE << order;
        for (uint32_t i = 0; i < n; i++) {
            free_block(CLEAN, order, (uint32_t)(release_segs[i].gpa >> PAGE_SHIFT));
        }
    }
}

void frame_put(gpa_t frame) {
    struct frame *f = frame_of(frame);
    kassert(!f->free && f->link > 0);
    if (--f->link > 0) return;
    used_bytes -= PAGE_SIZE;
    free_block(DIRTY, 0, (uint32_t)(frame >> PAGE_SHIFT));
    if (dirty_frames >= DIRTY_HIGH && hypercall_available()) release_dirty();
}

gpa_t frame_gpa(const void *p) {
    uint64_t gva = (uint64_t)p;
    if (gva >= HERMIT_DIRECT_GVA) return gva - HERMIT_DIRECT_GVA;
    if (gva >= KERNEL_DATA_GVA) return gva - KERNEL_DATA_GVA + KERNEL_DATA_GPA;
    kassert(gva >= HERMIT_KERNEL_GVA);
    return gva - HERMIT_KERNEL_GVA + HERMIT_RAM_GPA;
}

void frame_reset_peak(void) { peak_bytes = used_bytes; }

struct frame_usage frame_usage(void) {
    return (struct frame_usage){limit_bytes, used_bytes, peak_bytes};
}
