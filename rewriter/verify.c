/* SPDX-License-Identifier: MIT */
/* Checks a rewritten object against the one that it was: every byte that differs is accounted for
 * by a site, every stub does what the bytes did that it replaces.  Knows nothing of the plan. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <rewriter/list.h>
#include <rewriter/rewrite.h>

struct verify {
    struct elf_in old, new;
    struct disasm *disasm;
    const uint8_t *linux_seg, *hermit_seg; /* hermit_seg NULL: none */
    struct hermit_stubs head;
    uint8_t *declared; /* a byte for each of the old file: may differ */
};

static uint64_t jump_target(const uint8_t *at, uint64_t addr) {
    int32_t disp;
    memcpy(&disp, at + 1, sizeof(disp));
    return addr + 5 + (uint64_t)(int64_t)disp;
}

static void declare(struct verify *v, uint64_t addr, uint64_t len) {
    const uint8_t *at = elf_in_at(&v->old, addr, len);
    if (at != NULL) memset(v->declared + (at - v->old.bytes), 1, len);
}

static struct hermit_site site_at(const struct verify *v, uint32_t i) {
    struct hermit_site s;
    memcpy(&s, v->linux_seg + v->head.sites + i * sizeof(s), sizeof(s));
    return s;
}

static const char *find_segment(struct verify *v) {
    const struct elf_piece *last = NULL;
    for (size_t i = 0; i < v->new.segments.count; i++)
        if (last == NULL || v->new.segments.items[i].addr > last->addr)
            last = &v->new.segments.items[i];
    if (last == NULL || last->nbytes < sizeof(v->head)) return "verify: no stub segment";
    memcpy(&v->head, last->bytes, sizeof(v->head));
    const struct hermit_stubs *h = &v->head;
    if (memcmp(h->magic, HERMIT_STUBS_MAGIC, sizeof(h->magic)) != 0 ||
        h->version != HERMIT_STUBS_VERSION || h->addr != last->addr || h->size != last->nbytes ||
        h->size != last->size || !last->exec || last->write)
        return "verify: the stub segment's header";
    if (h->sites > h->size || h->nsites > (h->size - h->sites) / sizeof(struct hermit_site) ||
        h->by_site > h->size || h->nsites > (h->size - h->by_site) / sizeof(uint32_t))
        return "verify: the stub segment's tables";
    v->linux_seg = last->bytes;
    if (h->hermit_offset == 0) return NULL;
    if (h->hermit_offset % 4096 != 0 || h->hermit_offset > v->new.size ||
        h->size > v->new.size - h->hermit_offset)
        return "verify: hermit_offset";
    v->hermit_seg = v->new.bytes + h->hermit_offset;
    uint64_t code = v->head.nsites > 0 ? site_at(v, 0).stub : h->size;
    return code > h->size || memcmp(v->linux_seg, v->hermit_seg, code) != 0
               ? "verify: the two versions differ before the stubs"
               : NULL;
}

static const char *check_order(const struct verify *v) {
    uint64_t end = v->head.by_site + v->head.nsites * sizeof(uint32_t), last = UINT64_MAX;
    for (uint32_t i = 0; i < v->head.nsites; i++) {
        struct hermit_site s = site_at(v, i);
        uint32_t index;
        if (s.stub < end || s.stub + (uint64_t)s.length > v->head.size)
            return "verify: stubs overlap";
        end = s.stub + (uint64_t)s.length;
        memcpy(&index, v->linux_seg + v->head.by_site + i * sizeof(index), sizeof(index));
        if (index >= v->head.nsites) return "verify: index by site";
        uint64_t distance = site_at(v, index).site; /* falls as addresses rise */
        if (distance >= last) return "verify: order by site";
        last = distance;
    }
    return NULL;
}

/* The instruction is the same at its new place; *nr: what eax is known to be afterwards, or -1. */
static bool same_insn(struct verify *v, const uint8_t *old, uint64_t old_addr, const uint8_t *now,
                      uint64_t now_addr, uint64_t left, uint8_t *len, int64_t *nr) {
    struct insn a, b;
    if (!disasm_next(v->disasm, old, left, old_addr, true, &a) ||
        !disasm_next(v->disasm, now, left, now_addr, true, &b))
        return false;
    if (a.kind == INSN_BAD || a.len != b.len || a.kind != b.kind || a.direct || !a.movable ||
        a.mem != b.mem)
        return false;
    for (uint8_t i = 0; i < a.len; i++)
        if (old[i] != now[i] && (a.rip_disp == 0 || i < a.rip_disp || i >= a.rip_disp + 4))
            return false;
    if (a.effect == EFFECT_CONST && a.dst == GPR_AX)
        *nr = (int64_t)a.imm;
    else if (a.clobbers >> GPR_AX & 1)
        *nr = -1;
    *len = a.len;
    return true;
}

static bool same_moved(struct verify *v, const struct hermit_site *s, const uint8_t *seg,
                       int64_t *nr) {
    uint64_t from = v->head.addr - s->site - s->moved, to = v->head.addr + s->stub;
    const uint8_t *old = elf_in_at(&v->old, from, s->moved + 2u);
    *nr = -1;
    if (old == NULL || s->moved + 15u > s->length) return false;
    for (uint8_t done = 0, len; done < s->moved; done = (uint8_t)(done + len))
        if (!same_insn(v, old + done, from + done, seg + s->stub + done, to + done,
                       (uint64_t)(s->moved - done), &len, nr))
            return false;
    return true;
}

static const char *check_hermit(struct verify *v, const struct hermit_site *s) {
    static const uint8_t lea[] = {0x48, 0x8d, 0x0d}, jmp[] = {0x65, 0xff, 0x24, 0x25};
    int64_t nr;
    int32_t disp, slot;
    if (v->hermit_seg == NULL) return NULL;
    if (!same_moved(v, s, v->hermit_seg, &nr)) return "verify: moved instructions (Hermit)";
    const uint8_t *at = v->hermit_seg + s->stub + s->moved;
    memcpy(&disp, at + 3, sizeof(disp));
    memcpy(&slot, at + 11, sizeof(slot));
    uint64_t end = v->head.addr + s->stub + s->moved + 7;
    if (memcmp(at, lea, sizeof(lea)) != 0 || memcmp(at + 7, jmp, sizeof(jmp)) != 0 ||
        end + (uint64_t)(int64_t)disp != v->head.addr - s->site + 2)
        return "verify: the way into the kernel";
    if (slot != HERMIT_GS_DOOR &&
        (nr < 0 || nr >= HERMIT_GS_CALLS_COUNT || slot != HERMIT_GS_CALL(nr)))
        return "verify: the call's number";
    return NULL;
}

static const char *check_linux(struct verify *v, const struct hermit_site *s) {
    int64_t nr;
    uint64_t addr = v->head.addr + s->stub + s->moved, site = v->head.addr - s->site;
    const uint8_t *at = v->linux_seg + s->stub + s->moved;
    if (!same_moved(v, s, v->linux_seg, &nr)) return "verify: moved instructions";
    if (s->moved > 0)
        return at[0] == 0xe9 && jump_target(at, addr) == site ? NULL : "verify: the way back";
    return at[0] == 0x0f && at[1] == 0x05 && at[2] == 0xe9 &&
                   jump_target(at + 2, addr + 2) == site + 2
               ? NULL
               : "verify: the system call";
}

/* The jump may differ from what was there, as far as the instruction that its end is in. */
static void declare_jump(struct verify *v, const struct hermit_site *s) {
    uint64_t from = v->head.addr - s->site - s->moved, end = from;
    struct insn i;
    while (end < from + 5) {
        uint64_t left = from + s->moved - end;
        if (!disasm_next(v->disasm, elf_in_at(&v->old, end, left), left, end, false, &i)) break;
        end += i.len;
    }
    declare(v, from, end - from);
}

/* The site leads to its stub; declares the bytes for that. */
static const char *check_site(struct verify *v, const struct hermit_site *s) {
    static const char problem[] = "verify: the way to a stub";
    uint64_t site = v->head.addr - s->site, stub = v->head.addr + s->stub;
    const uint8_t *was = elf_in_at(&v->old, site, 2), *is = elf_in_at(&v->new, site, 2);
    if (was == NULL || is == NULL || was[0] != 0x0f || was[1] != 0x05) return problem;
    if (s->tier == HERMIT_TIER_PREVIOUS || s->tier == HERMIT_TIER_WINDOW) {
        const uint8_t *at = elf_in_at(&v->new, site - s->moved, s->moved);
        if (at == NULL || s->moved < 5 || at[0] != 0xe9 || memcmp(is, was, 2) != 0) return problem;
        declare_jump(v, s);
        return jump_target(at, site - s->moved) == stub ? NULL : problem;
    }
    if (s->tier != HERMIT_TIER_HOLE || s->moved != 0 || is[0] != 0xeb) return problem;
    uint64_t hole = site + 2 + (uint64_t)(int64_t)(int8_t)is[1];
    const uint8_t *at = elf_in_at(&v->new, hole, 5);
    if (at == NULL || at[0] != 0xe9 || jump_target(at, hole) != stub ||
        elf_in_at(&v->new, hole - 2, 2) == NULL)
        return problem;
    declare(v, site, 2);
    declare(v, hole, 5);
    /* In a long NOP, which is jumped over now? */
    struct insn nop;
    uint64_t left = 15;
    while (left > 0 && elf_in_at(&v->old, hole - 2, left) == NULL)
        left--;
    if (disasm_next(v->disasm, elf_in_at(&v->old, hole - 2, left), left, hole - 2, false, &nop) &&
        nop.kind == INSN_PADDING && nop.len >= 7 && at[-2] == 0xeb && at[-1] == nop.len - 2)
        declare(v, hole - 2, 2);
    return NULL;
}

/* Outside of what sites declared only headers differ. */
static const char *check_rest(struct verify *v) {
    Elf64_Ehdr was, is;
    memcpy(&was, v->old.bytes, sizeof(was));
    memcpy(&is, v->new.bytes, sizeof(is));
    uint64_t end = is.e_phoff + is.e_phnum * sizeof(Elf64_Phdr);
    if (is.e_phoff != was.e_phoff || end > v->old.size) return "verify: program headers moved";
    memset(v->declared + is.e_phoff, 1, is.e_phnum * sizeof(Elf64_Phdr));
    memset(v->declared + offsetof(Elf64_Ehdr, e_shoff), 1, sizeof(is.e_shoff));
    memset(v->declared + offsetof(Elf64_Ehdr, e_phnum), 1, sizeof(is.e_phnum));
    memset(v->declared + offsetof(Elf64_Ehdr, e_shnum), 1, sizeof(is.e_shnum));
    for (size_t i = 0; i < v->old.size; i++)
        if (v->old.bytes[i] != v->new.bytes[i] && !v->declared[i])
            return "verify: a byte differs that no site declares";
    if (v->new.segments.count != v->old.segments.count + 1) return "verify: number of segments";
    for (size_t i = 0; i < v->old.segments.count; i++) {
        const struct elf_piece *a = &v->old.segments.items[i], *b = &v->new.segments.items[i];
        uint64_t more = b->size - a->size; /* the one with the program headers may take one more */
        if (a->addr != b->addr || more > sizeof(Elf64_Phdr) || b->nbytes - a->nbytes != more ||
            a->exec != b->exec || a->write != b->write)
            return "verify: a segment differs";
    }
    return NULL;
}

static const char *run(struct verify *v) {
    const char *problem = find_segment(v);
    if (problem == NULL) problem = check_order(v);
    for (uint32_t i = 0; problem == NULL && i < v->head.nsites; i++) {
        struct hermit_site s = site_at(v, i);
        problem = check_site(v, &s);
        if (problem == NULL) problem = check_linux(v, &s);
        if (problem == NULL) problem = check_hermit(v, &s);
    }
    return problem != NULL ? problem : check_rest(v);
}

const char *rewrite_verify(const uint8_t *old, size_t old_size, const uint8_t *new_bytes,
                           size_t new_size) {
    struct verify v = {.disasm = disasm_open()};
    const char *problem = v.disasm == NULL ? "verify: no decoder" : NULL;
    if (problem == NULL) problem = elf_in_parse(&v.old, old, old_size);
    if (problem == NULL) problem = elf_in_parse(&v.new, new_bytes, new_size);
    v.declared = list_must(calloc(old_size + 1, 1));
    if (problem == NULL && new_size < old_size) problem = "verify: the object became smaller";
    if (problem == NULL) problem = run(&v);
    free(v.declared);
    elf_in_free(&v.new);
    elf_in_free(&v.old);
    disasm_close(v.disasm);
    return problem;
}
