/* SPDX-License-Identifier: MIT */
/* Stub segments of rewritten objects (hermit/rewrite.h): finding them when they are mapped, and the
 * way between addresses in stubs and those that the program knows.  Owns VMA_STUBS.
 *
 * Everything in the segment is the file's or the program's word: it is checked where it is used,
 * and what does not fit is no stub. */
#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <hermit/rewrite.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/rewrite.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>
#include <linux/elf.h>

#include "mm_internal.h"

#define STUBS_MAX (64ULL << 20) /* bytes of a segment */
#define SECTIONS_MAX 256u       /* that are looked at */
#define OBJECT_VMAS 16          /* a stub segment is that near to the object's other mappings */

bool rewrite_enabled(void) { return !(boot_info()->flags & HERMIT_BOOT_NO_REWRITE); }

static bool header_fits(const struct hermit_stubs *h, uint64_t len) {
    if (memcmp(h->magic, HERMIT_STUBS_MAGIC, sizeof(h->magic)) != 0) return false;
    if (h->version != HERMIT_STUBS_VERSION || h->size != len || len > STUBS_MAX) return false;
    if ((h->addr | h->size | h->hermit_offset) & PAGE_MASK) return false;
    if (h->sites % 8 != 0 || h->sites < sizeof(*h) || h->sites > len) return false;
    return h->nsites <= (len - h->sites) / sizeof(struct hermit_site) && h->by_site % 4 == 0 &&
           h->by_site <= len && h->nsites <= (len - h->by_site) / sizeof(uint32_t);
}

/* n bytes of f from offset on, all in one page. */
static bool peek(struct file *f, uint64_t offset, void *bytes, uint64_t n) {
    gpa_t gpa;
    if (f->ops->page == NULL || f->ops->page(f, page_down(offset), false, &gpa) != 0) return false;
    bool ok = user_copy(bytes, frame_ptr(gpa + (offset & PAGE_MASK)), n) == 0;
    if (frame_is_ram(gpa)) frame_put(gpa); /* the reference just taken */
    return ok;
}

/* Both versions say the same of themselves, or something was cut off or replaced. */
static bool is_version_of(const struct hermit_stubs *h, struct file *f, uint64_t offset,
                          uint64_t file_size) {
    struct hermit_stubs other;
    if (file_size < h->size || offset > file_size - h->size || offset & PAGE_MASK) return false;
    return peek(f, offset, &other, sizeof(other)) && memcmp(h, &other, sizeof(other)) == 0;
}

/* Where strip(1) has moved Hermit's version: it is a section of its own.  0: nowhere. */
static uint64_t find_moved(const struct hermit_stubs *h, struct file *f, uint64_t loaded,
                           uint64_t file_size) {
    Elf64_Ehdr e;
    Elf64_Shdr s;
    if (!peek(f, 0, &e, sizeof(e)) || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0) return 0;
    if (e.e_shentsize != sizeof(s) || e.e_shoff >= file_size) return 0;
    for (uint32_t n = min((uint32_t)e.e_shnum, SECTIONS_MAX), i = n; i-- > 0;) {
        uint64_t at = e.e_shoff + i * sizeof(s), in_page = PAGE_SIZE - (at & PAGE_MASK);
        uint64_t first = min(in_page, sizeof(s));
        if (!peek(f, at, &s, first)) return 0;
        if (first < sizeof(s) && !peek(f, at + first, (char *)&s + first, sizeof(s) - first))
            return 0;
        if (s.sh_type == SHT_PROGBITS && s.sh_size == h->size && s.sh_offset != loaded &&
            is_version_of(h, f, s.sh_offset, file_size))
            return s.sh_offset;
    }
    return 0;
}

bool rewrite_find_stubs(struct file *f, uint64_t offset, uint64_t len, uint64_t *hermit_offset) {
    struct hermit_stubs h;
    struct hc_attr attr;
    len = page_up(len);
    if (!rewrite_enabled() || (boot_info()->flags & HERMIT_BOOT_NO_STUBS)) return false;
    if (offset & PAGE_MASK) return false;
    if (!peek(f, offset, &h, sizeof(h)) || !header_fits(&h, len)) return false;
    if (h.hermit_offset == 0 || file_getattr(f, &attr) != 0) return false;
    uint64_t at = h.hermit_offset;
    if (at == offset || !is_version_of(&h, f, at, attr.size))
        at = find_moved(&h, f, offset, attr.size);
    if (at == 0) return false;
    *hermit_offset = at;
    return true;
}

void rewrite_stubs_mapped(struct mm *mm, gva_t at, uint64_t len) {
    struct vma *v = mm_find(mm, at);
    if (v == NULL || v->start != at || v->end != at + page_up(len)) return;
    v->state |= VMA_STUBS;
    mm->has_stubs = true;
}

/* The header of the stub segment that v is. */
static bool get_header(const struct vma *v, struct hermit_stubs *h) {
    uint32_t prot = v->prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
    return (v->state & VMA_STUBS) && prot == (PROT_READ | PROT_EXEC) &&
           get_user(*h, v->start) == 0 && header_fits(h, v->end - v->start);
}

static bool get_site(gva_t base, const struct hermit_stubs *h, uint32_t i, struct hermit_site *s) {
    return get_user(*s, base + h->sites + i * sizeof(*s)) == 0;
}

/* The last site whose stub does not lie behind `offset`. */
static bool find_by_stub(gva_t base, const struct hermit_stubs *h, uint64_t offset,
                         struct hermit_site *s) {
    uint32_t low = 0, high = h->nsites;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (!get_site(base, h, mid, s)) return false;
        if (s->stub > offset)
            high = mid;
        else
            low = mid + 1;
    }
    return low > 0 && get_site(base, h, low - 1, s);
}

static bool get_by_site(gva_t base, const struct hermit_stubs *h, uint32_t i,
                        struct hermit_site *s) {
    uint32_t index;
    return get_user(index, base + h->by_site + i * sizeof(index)) == 0 && index < h->nsites &&
           get_site(base, h, index, s);
}

/* The first site that lies behind pc. */
static bool find_by_site(gva_t base, const struct hermit_stubs *h, gva_t pc,
                         struct hermit_site *s) {
    uint32_t low = 0, high = h->nsites;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (!get_by_site(base, h, mid, s)) return false;
        if (base - s->site > pc)
            high = mid;
        else
            low = mid + 1;
    }
    return low < h->nsites && get_by_site(base, h, low, s);
}

/* The site that a jump outside of it, in bytes that nobody else executes, belongs to; 0: there is
 * no such jump at pc. */
static gva_t site_of_hole(struct mm *mm, gva_t pc) {
    struct hermit_stubs h;
    struct hermit_site s;
    uint8_t jump[5];
    int32_t distance;
    if (copy_from_user(jump, pc, sizeof(jump)) != 0 || jump[0] != 0xe9) return 0;
    memcpy(&distance, jump + 1, sizeof(distance));
    gva_t stub = pc + sizeof(jump) + (uint64_t)(int64_t)distance;
    const struct vma *v = mm_find(mm, stub);
    if (v == NULL || !get_header(v, &h)) return 0;
    if (!find_by_stub(v->start, &h, stub - v->start, &s) || s.site > v->start) return 0;
    return s.tier == HERMIT_TIER_HOLE && s.stub == stub - v->start ? v->start - s.site : 0;
}

gva_t rewrite_original_pc(struct mm *mm, gva_t pc) {
    struct hermit_stubs h;
    struct hermit_site s;
    gva_t site = rewrite_lazy_site(mm, pc);
    if (site != 0) return site;
    if (!mm->has_stubs) return pc;
    const struct vma *v = mm_find(mm, pc);
    if (v == NULL) return pc;
    if (!(v->state & VMA_STUBS)) {
        site = (v->prot & PROT_EXEC) ? site_of_hole(mm, pc) : 0;
        return site != 0 ? site : pc;
    }
    if (!get_header(v, &h)) return pc;
    if (!find_by_stub(v->start, &h, pc - v->start, &s) || s.site > v->start) return pc;
    uint64_t into = pc - v->start - s.stub;
    if (into >= s.length) return pc;
    return v->start - s.site - s.moved + min(into, s.moved);
}

void rewrite_leave_stubs(struct mm *mm) {
    struct thread *t;
    TAILQ_FOREACH(t, &current_process()->threads, in_process) {
        if (t->process->mm != mm || t->state == THREAD_ZOMBIE) continue;
        t->regs->rip = rewrite_original_pc(mm, t->regs->rip);
    }
}

gva_t rewrite_resume_pc(struct mm *mm, gva_t pc) {
    struct hermit_stubs h;
    struct hermit_site s;
    if (!mm->has_stubs) return pc;
    const struct vma *v = mm_next(mm, pc);
    for (unsigned i = 0; v != NULL && !(v->state & VMA_STUBS); i++) {
        if (i == OBJECT_VMAS) return pc;
        v = mm_next(mm, v->end);
    }
    if (v == NULL || v->start <= pc || !get_header(v, &h)) return pc;
    if (!find_by_site(v->start, &h, pc, &s) || s.site > v->start) return pc;
    gva_t moved = v->start - s.site - s.moved;
    if (pc <= moved || s.stub + (pc - moved) >= h.size) return pc;
    return v->start + s.stub + (pc - moved);
}
