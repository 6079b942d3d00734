/* SPDX-License-Identifier: MIT */
/* Mapping of ELF segments into an address space. */
#include <hermit/linux_abi.h>
#include <kernel/rewrite.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>

#include "exec_internal.h"
#include "mm_internal.h"

#define PIE_BASE 0x555555554000ULL
#define PIE_RANDOM (1ULL << 40)      /* bytes over which the base is spread */
#define EAGER_BYTES (16 * PAGE_SIZE) /* data segments up to this size are copied at once */

static uint32_t segment_prot(const struct elf_segment *s) {
    return (s->flags & PF_R ? PROT_READ : 0) | (s->flags & PF_W ? PROT_WRITE : 0) |
           (s->flags & PF_X ? PROT_EXEC : 0);
}

static bool eager(const struct elf_segment *s, gva_t at) {
    return (s->flags & PF_W) && page_up(at + s->filesz) - page_down(at) <= EAGER_BYTES;
}

/* Maps the file part of a segment, from the page it begins in to the page it ends in.  A small
 * writable one gets frames at once, to be filled by copy_file_part. */
static int map_file_part(struct mm *mm, struct file *f, const struct elf_segment *s, gva_t at,
                         bool last) {
    gva_t start = page_down(at), end = page_up(at + s->filesz);
    uint64_t offset = page_down(s->offset);
    /* Stubs are the last segment: in objects that have none, that is not text. */
    bool stubs = last && segment_prot(s) == (PROT_READ | PROT_EXEC) &&
                 rewrite_find_stubs(f, offset, end - start, &offset);
    int64_t r =
        mm_map(mm, start, end - start, segment_prot(s), MAP_PRIVATE | MAP_FIXED, f, offset, NULL);
    if (r < 0) return (int)r;
    if (stubs)
        rewrite_stubs_mapped(mm, start, end - start);
    else if (segment_prot(s) == (PROT_READ | PROT_EXEC))
        rewrite_text_mapped(mm, start, end - start, f, offset);
    struct vma *v = mm_find(mm, start);
    if (eager(s, at)) return pages_place_frames(mm, v);
    pages_populate(mm, v, start, min(end, start + EAGER_BYTES));
    return 0;
}

static int copy_file_part(struct file *f, const struct elf_segment *s, gva_t at) {
    gva_t start = page_down(at);
    struct iovec v = {(void *)start, at + s->filesz - start};
    struct uio u = {.iov = &v, .count = 1, .len = v.iov_len};
    int64_t n = file_pread(f, &u, (int64_t)page_down(s->offset));
    return n < 0 ? (int)n : n == (int64_t)u.len ? 0 : -EIO;
}

/* Maps what a segment has beyond its file part: zeroes. */
static int map_zero_part(struct mm *mm, const struct elf_segment *s, gva_t at) {
    gva_t end = page_up(at + s->memsz);
    gva_t start = s->filesz > 0 ? page_up(at + s->filesz) : page_down(at);
    if (end <= start) return 0;
    int64_t r = mm_map(mm, start, end - start, segment_prot(s),
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0, NULL);
    return r < 0 ? (int)r : 0;
}

static int fill(struct file *f, const struct elf_segment *s, gva_t at) {
    if (s->filesz == 0 || !(s->flags & PF_W)) return 0;
    if (eager(s, at)) return copy_file_part(f, s, at);
    gva_t end = at + s->filesz; /* what the last page has of the file behind the segment */
    return s->memsz > s->filesz ? clear_user(end, page_up(end) - end) : 0;
}

static int64_t choose_base(struct mm *mm, struct exec *e, struct file *f,
                           const struct elf_plan *plan, bool is_interp) {
    if (!plan->dynamic) return 0;
    uint64_t span = plan->high - plan->low;
    gva_t at;
    if (is_interp) {
        span += rewrite_room(f, span, true);
        at = vma_find_free(mm, mm->mmap_top, span + plan->align);
        if (at == 0) return -ENOMEM;
        at += plan->align - 1;
    } else {
        at = PIE_BASE + exec_random(e, PIE_RANDOM) + plan->align - 1;
    }
    at &= ~(plan->align - 1);
    return (int64_t)(at - plan->low);
}

int exec_map_image(struct mm *mm, struct exec *e, struct file *f, const struct elf_plan *plan,
                   bool is_interp, uint64_t *bias) {
    int64_t base = choose_base(mm, e, f, plan, is_interp);
    if (base < 0 && base > -4096) return (int)base;
    *bias = (uint64_t)base;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct elf_segment *s = &plan->segments[i];
        gva_t at = s->vaddr + *bias;
        int r = s->filesz > 0 ? map_file_part(mm, f, s, at, i + 1 == plan->count) : 0;
        if (r == 0) r = map_zero_part(mm, s, at);
        if (r != 0) return r;
    }
    /* Only now is the memory touched: page tables in use are slow to write on software KVM. */
    for (uint32_t i = 0; i < plan->count; i++) {
        int r = fill(f, &plan->segments[i], plan->segments[i].vaddr + *bias);
        if (r != 0) return r;
    }
    return 0;
}
