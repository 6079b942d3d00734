/* SPDX-License-Identifier: MIT */
/* Sites that become jumps while the program runs.  Owns the counts of executed `syscall`
 * instructions, what was patched in each address space (mm.rewrites) and VMA_PUN.
 *
 * A `syscall` that was executed is an instruction, and its two bytes may become the first two of
 * `jmp rel32`, whose other three are the bytes that follow, unchanged:
 *
 *     0f 05 xx yy zz   ->   e9 LL xx yy zz
 *
 * LL chooses among 256 addresses; one of them must be free for a stub.  All stubs of a process
 * share a few frames, mapped wherever a jump leads to, each stub at its own offset.
 *
 * Every other CPU is in the kernel while the two bytes change (smp_quiesce) and executes a
 * serialising instruction, a load of CR3, before it runs the program again; this one leaves with
 * iretq.  So no CPU has fetched one old and one new byte (Intel SDM vol. 3, 9.1.3, AMD APM vol. 2,
 * 7.6.1).  The bytes are written through the direct map: the program's text stays read-only.  */
#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <hermit/rewrite.h>
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/leaf.h>
#include <kernel/rewrite.h>
#include <kernel/smp.h>
#include <kernel/stats.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "mm_internal.h"

#define SYSCALL_BYTES 2
#define JUMP_BYTES 5
#define STUB_MAX 48
#define STACK_ROOM (1ULL << 30) /* in case that RLIMIT_STACK is raised */
#define FRAMES_MAX 4
#define PATCHES_MAX 512u
#define TRAPS_BEFORE 32u /* patching costs as much as 1 to 40 raw calls: ARCHITECTURE.md */
#define NEVER UINT32_MAX
#define SITES 512u /* that are counted at a time */
#define WAYS 8u    /* places for one of them */

struct patch {
    gva_t site, stub;
    uint32_t frame; /* index */
    uint32_t length;
};

struct rewrites {
    gpa_t frames[FRAMES_MAX]; /* 0: none yet */
    uint32_t count, room;
    struct patch *patches;
};

struct counter {
    gva_t site;
    const struct mm *mm;
    uint32_t traps; /* NEVER: it cannot be patched */
};

static struct counter counters[SITES];

/* A site that is new takes the place of one that was executed less often. */
static struct counter *counter_of(const struct mm *mm, gva_t site) {
    struct counter *set = &counters[((site * 0x9e3779b97f4a7c15ULL) >> 32) % (SITES / WAYS) * WAYS];
    struct counter *least = set;
    for (struct counter *c = set; c < set + WAYS; c++) {
        if (c->site == site && c->mm == mm) return c;
        if (c->traps < least->traps) least = c;
    }
    *least = (struct counter){.site = site, .mm = mm};
    return least;
}

static struct patch *patch_at(const struct mm *mm, gva_t site) {
    const struct rewrites *r = mm->rewrites;
    for (uint32_t i = 0; r != NULL && i < r->count; i++) {
        if (r->patches[i].site == site) return &r->patches[i];
    }
    return NULL;
}

/* Bytes that one jump relies on are no other's to change. */
static bool meets_other(const struct rewrites *r, gva_t site) {
    for (uint32_t i = 0; i < r->count; i++) {
        gva_t other = r->patches[i].site;
        if (other < site + JUMP_BYTES && site < other + JUMP_BYTES) return true;
    }
    return false;
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, uint32_t n) {
    memcpy(at, bytes, n);
    return at + n;
}

/* lea back(%rip), %rcx; jmp *%gs:slot, at `at` of a stub at gva. */
static uint8_t *put_call(uint8_t *at, gva_t gva, gva_t back, uint32_t slot) {
    static const uint8_t lea[] = {0x48, 0x8d, 0x0d}, jmp[] = {0x65, 0xff, 0x24, 0x25};
    int32_t distance = (int32_t)(int64_t)(back - (gva + sizeof(lea) + sizeof(distance)));
    at = put_bytes(at, lea, sizeof(lea));
    at = put_bytes(at, &distance, sizeof(distance));
    at = put_bytes(at, jmp, sizeof(jmp));
    return put_bytes(at, &slot, sizeof(slot));
}

/* The stub's length.  The site may make any call; if the first one seen is a leaf call, the stub
 * looks for that, without touching the flags: lea -nr(%rax), %ecx; jrcxz. */
static uint32_t make_stub(uint8_t *code, gva_t gva, gva_t site, uint32_t nr) {
    static const uint8_t lea[] = {0x8d, 0x88}, jrcxz[] = {0xe3, 15};
    int32_t minus = -(int32_t)nr;
    uint8_t *at = code;
    bool leaf = leaf_open(nr);
    if (leaf) {
        at = put_bytes(at, lea, sizeof(lea));
        at = put_bytes(at, &minus, sizeof(minus));
        at = put_bytes(at, jrcxz, sizeof(jrcxz));
    }
    gva_t back = site + SYSCALL_BYTES;
    at = put_call(at, gva + (uint64_t)(at - code), back, HERMIT_GS_DOOR);
    if (leaf) at = put_call(at, gva + (uint64_t)(at - code), back, HERMIT_GS_CALL(nr));
    return (uint32_t)(at - code);
}

static bool offset_free(const struct rewrites *r, uint32_t frame, uint64_t offset, uint64_t len) {
    for (uint32_t i = 0; i < r->count; i++) {
        const struct patch *p = &r->patches[i];
        uint64_t other = p->stub & PAGE_MASK;
        if (p->frame == frame && other < offset + len && offset < other + p->length) return false;
    }
    return true;
}

/* May the kernel put a page there?  Not where a stack grows to. */
static bool page_free(struct mm *mm, gva_t page) {
    uint64_t limit = current_process()->limits[RLIMIT_STACK].rlim_cur;
    uint64_t room = min(max(limit, STACK_ROOM), HERMIT_USER_TOP / 6);
    if (page < HERMIT_USER_MIN || page + room >= mm->stack_top) return false;
    const struct vma *next = mm_next(mm, page);
    if (next == NULL) return true;
    gva_t gap = next->flags & MAP_GROWSDOWN ? STACK_GUARD : 0;
    return next->start >= page + PAGE_SIZE + gap;
}

/* The frame that a page of stubs shows, or FRAMES_MAX. */
static uint32_t frame_of_page(struct mm *mm, const struct rewrites *r, gva_t page) {
    const struct vma *v = mm_find(mm, page);
    if (v == NULL || !(v->state & VMA_PUN)) return FRAMES_MAX;
    const uint64_t *table = paging_table(mm->root, page, false);
    uint64_t pte = table != NULL ? table[paging_index(page)] : 0;
    for (uint32_t i = 0; (pte & PTE_P) && i < FRAMES_MAX; i++) {
        if (r->frames[i] == (pte & PTE_GPA)) return i;
    }
    return FRAMES_MAX;
}

/* Maps a frame of stubs at page. */
static bool map_stub_page(struct mm *mm, gva_t page, gpa_t frame) {
    const struct vma like = {.start = page,
                             .end = page + PAGE_SIZE,
                             .prot = PROT_READ | PROT_EXEC,
                             .flags = MAP_PRIVATE | MAP_ANONYMOUS,
                             .state = VMA_PUN,
                             .name = "[hermit]"};
    if (mm->vma_count > VMA_COUNT_MAX) return false;
    struct vma *v = vma_insert(mm, &like);
    if (v == NULL) return false;
    frame_ref(frame);
    if (pages_place(mm, v, frame) == 0) return true;
    frame_put(frame);
    vma_remove(mm, v);
    return false;
}

/* Finds room for p's stub among the 256 addresses from base on and makes its page. */
static bool place_stub(struct mm *mm, struct rewrites *r, struct patch *p, gva_t base) {
    for (gva_t at = base; at < base + 256; at++) {
        gva_t page = page_down(at), offset = at & PAGE_MASK;
        if (offset + p->length > PAGE_SIZE) continue;
        bool is_free = page_free(mm, page);
        uint32_t first = is_free ? 0 : frame_of_page(mm, r, page);
        for (uint32_t i = first; i < (is_free ? FRAMES_MAX : min(first + 1, FRAMES_MAX)); i++) {
            if (r->frames[i] == 0 && (r->frames[i] = frame_alloc()) == 0) return false;
            if (!offset_free(r, i, offset, p->length)) continue;
            if (is_free && !map_stub_page(mm, page, r->frames[i])) return false;
            p->stub = at;
            p->frame = i;
            return true;
        }
    }
    return false;
}

static struct rewrites *rewrites_with_room(struct mm *mm) {
    struct rewrites *r = mm->rewrites;
    if (r == NULL) r = mm->rewrites = kzalloc(sizeof(*r));
    if (r == NULL || r->count < r->room) return r;
    if (r->room == PATCHES_MAX) return NULL;
    uint32_t room = r->room == 0 ? 16 : 2 * r->room;
    struct patch *more = kmalloc(room * sizeof(*more));
    if (more == NULL) return NULL;
    if (r->count > 0) memcpy(more, r->patches, r->count * sizeof(*more));
    kfree(r->patches);
    r->patches = more;
    r->room = room;
    return r;
}

/* Text that only mprotect(2) or a new mapping can change, both of which come through here. */
static bool is_fixed_text(const struct vma *v) {
    return (v->prot & PROT_EXEC) && !(v->prot & PROT_WRITE) && (v->flags & MAP_PRIVATE) &&
           !(v->state & (VMA_STUBS | VMA_PUN)) && v->name == NULL;
}

/* Gives the program up its own copy of the text's page; where the kernel sees the site, or NULL. */
static uint8_t *own_text(struct mm *mm, gva_t site, bool *changed) {
    struct vma *v = mm_find(mm, site);
    gpa_t gpa;
    return pages_own(mm, v, site, &gpa, changed) == 0 ? frame_ptr(gpa) : NULL;
}

/* Nobody else executes the program until the kernel is left. */
static void stop_others(struct mm *mm, bool tables_changed) {
    if (tables_changed)
        paging_flush(mm->root);
    else
        smp_flush(mm->root);
}

static void set_bytes(uint8_t *at, uint8_t first, uint8_t second) {
    ((volatile uint8_t *)at)[0] = first;
    ((volatile uint8_t *)at)[1] = second;
}

static void remove_patch(struct mm *mm, struct patch *p);

static bool patch_site(struct mm *mm, gva_t site, uint32_t nr) {
    uint8_t bytes[JUMP_BYTES], code[STUB_MAX];
    struct patch *stale = patch_at(mm, site), p = {.site = site};
    if (stale != NULL) { /* the page was read from its file again */
        stop_others(mm, false);
        remove_patch(mm, stale);
    }
    const struct vma *v = mm_find(mm, site);
    /* Within a page, so that no other page's end is part of it. */
    if (v == NULL || !is_fixed_text(v) || page_down(site) != page_down(site + JUMP_BYTES - 1))
        return false;
    if (copy_from_user(bytes, site, sizeof(bytes)) != 0 || bytes[0] != 0x0f || bytes[1] != 0x05)
        return false;
    struct rewrites *r = rewrites_with_room(mm);
    if (r == NULL || meets_other(r, site)) return false;
    int32_t high;
    memcpy(&high, bytes + 1, sizeof(high));
    gva_t base = site + JUMP_BYTES + (uint64_t)(int64_t)(high & ~0xff);
    p.length = make_stub(code, base, site, nr);
    if (base >= HERMIT_USER_TOP || !place_stub(mm, r, &p, base)) return false;
    make_stub(code, p.stub, site, nr);
    memcpy((uint8_t *)frame_ptr(r->frames[p.frame]) + (p.stub & PAGE_MASK), code, p.length);
    r->patches[r->count++] = p;

    bool changed = false;
    uint8_t *at = own_text(mm, site, &changed);
    if (at == NULL) {
        remove_patch(mm, &r->patches[r->count - 1]);
        return false;
    }
    stop_others(mm, changed);
    set_bytes(at, 0xe9, (uint8_t)(p.stub - base));
    percpu()->full_restore = 1; /* iretq serialises */
    return true;
}

bool rewrite_lazy_enabled(void) {
    return rewrite_enabled() && !(boot_info()->flags & HERMIT_BOOT_NO_LAZY);
}

void rewrite_trapped(struct regs *regs) {
    static int enabled = -1;
    if (enabled < 0) enabled = rewrite_lazy_enabled();
    hermit_stats.raw_calls++;
    /* Unwinders know a signal's restorer by its bytes. */
    uint32_t nr = (uint32_t)regs->orig_rax;
    if (!enabled || nr == __NR_rt_sigreturn) return;
    struct mm *mm = current_mm();
    gva_t site = regs->rip - SYSCALL_BYTES;
    struct counter *c = counter_of(mm, site);
    if (c->traps == NEVER || ++c->traps < TRAPS_BEFORE) return;
    c->traps = patch_site(mm, site, nr) ? 0 : NEVER;
    if (c->traps == 0) hermit_stats.sites_patched++;
}

/* Threads that are in the stub are at the site again; nothing of the call has happened yet. */
static void leave_stub(const struct mm *mm, const struct patch *p) {
    struct thread *t;
    TAILQ_FOREACH(t, &current_process()->threads, in_process) {
        if (t->process->mm != mm || t->state == THREAD_ZOMBIE) continue;
        if (t->regs->rip - p->stub < p->length) t->regs->rip = p->site;
    }
}

/* Puts `syscall` back, if it was replaced and is still there. */
static void restore_site(struct mm *mm, const struct patch *p) {
    const uint64_t *table = paging_table(mm->root, p->site, false);
    uint64_t pte = table != NULL ? table[paging_index(p->site)] : 0;
    if (!(pte & (PTE_P | PTE_NONE)) || !frame_is_ram(pte & PTE_GPA)) return;
    uint8_t *at = (uint8_t *)frame_ptr(pte & PTE_GPA) + (p->site & PAGE_MASK);
    int32_t distance;
    memcpy(&distance, at + 1, sizeof(distance));
    if (at[0] == 0xe9 && p->site + JUMP_BYTES + (uint64_t)(int64_t)distance == p->stub)
        set_bytes(at, 0x0f, 0x05);
}

static bool page_in_use(const struct rewrites *r, gva_t page) {
    for (uint32_t i = 0; i < r->count; i++) {
        if (page_down(r->patches[i].stub) == page) return true;
    }
    return false;
}

/* The others are stopped.  The stub's page goes with its last stub. */
static void remove_patch(struct mm *mm, struct patch *p) {
    struct rewrites *r = mm->rewrites;
    gva_t page = page_down(p->stub);
    leave_stub(mm, p);
    restore_site(mm, p);
    *p = r->patches[--r->count];
    if (page_in_use(r, page)) return;
    struct vma *v = mm_find(mm, page);
    if (v == NULL || !(v->state & VMA_PUN)) return;
    pages_unmap(mm, v->start, v->end);
    vma_remove(mm, v);
}

static bool touches(gva_t start, gva_t end, const struct patch *p) {
    gva_t page = page_down(p->stub);
    return (p->site < end && start < p->site + JUMP_BYTES) ||
           (page < end && start < page + PAGE_SIZE);
}

void rewrite_undo(struct mm *mm, gva_t start, gva_t end, bool writable) {
    struct rewrites *r = mm->rewrites;
    bool stopped = false;
    rewrite_restore(mm, start, end, false);
    for (uint32_t i = 0; r != NULL && i < r->count;) {
        struct patch *p = &r->patches[i];
        if (!touches(start, end, p)) {
            i++;
            continue;
        }
        if (!stopped) stop_others(mm, false);
        stopped = true;
        if (writable) counter_of(mm, p->site)->traps = NEVER;
        remove_patch(mm, p); /* another takes its place */
    }
    if (stopped) percpu()->full_restore = 1;
}

void rewrite_mm_end(struct mm *mm) {
    struct rewrites *r = mm->rewrites;
    mm->rewrites = NULL;
    for (uint32_t i = 0; i < SITES; i++) {
        if (counters[i].mm == mm) counters[i] = (struct counter){0};
    }
    if (r == NULL) return;
    for (uint32_t i = 0; i < FRAMES_MAX; i++) {
        if (r->frames[i] != 0) frame_put(r->frames[i]);
    }
    kfree(r->patches);
    kfree(r);
}

gva_t rewrite_lazy_site(struct mm *mm, gva_t pc) {
    const struct rewrites *r = mm->rewrites;
    for (uint32_t i = 0; r != NULL && i < r->count; i++) {
        const struct patch *p = &r->patches[i];
        if (pc - p->stub < p->length) return p->site;
    }
    return 0;
}

bool rewrite_is_patched(struct mm *mm, gva_t pc) {
    return patch_at(mm, pc - SYSCALL_BYTES) != NULL;
}

void rewrite_show_original(struct mm *mm, gva_t at, uint8_t *bytes, uint64_t n) {
    static const uint8_t original[SYSCALL_BYTES] = {0x0f, 0x05};
    const struct rewrites *r = mm->rewrites;
    for (uint32_t i = 0; r != NULL && i < r->count; i++) {
        for (uint32_t k = 0; k < SYSCALL_BYTES; k++) {
            gva_t byte = r->patches[i].site + k;
            if (byte - at < n) bytes[byte - at] = original[k];
        }
    }
    if (!LIST_EMPTY(&mm->texts)) rewrite_show_text(mm, at, bytes, n);
}
