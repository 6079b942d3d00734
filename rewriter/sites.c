/* SPDX-License-Identifier: MIT */
/* See sites.h: where functions begin, and one pass over all of their instructions. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <rewriter/list.h>
#include <rewriter/sites.h>

#define SPLITS_MAX 4 /* rounds of finding functions in code that nothing describes */

/* A place where a function begins.  end: 0 if nothing says. */
struct start {
    uint64_t addr, end;
    const char *name;
    bool guess;
};
struct starts {
    struct start *items;
    size_t count, room;
};

static void add_start(const struct code *c, struct starts *s, uint64_t addr, uint64_t end,
                      const char *name) {
    if (!elf_in_is_code(c->elf, addr)) return;
    LIST_PUSH(s, (struct start){.addr = addr, .end = end, .name = name});
}

static int by_addr(const void *a, const void *b) {
    const struct start *x = a, *y = b;
    if (x->addr != y->addr) return x->addr < y->addr ? -1 : 1;
    /* The shortest name last, so that it stays: fork before __libc_fork. */
    size_t p = x->name ? strlen(x->name) : SIZE_MAX, q = y->name ? strlen(y->name) : SIZE_MAX;
    return p > q ? -1 : p < q;
}

static void collect_starts(const struct code *c, struct starts *s) {
    const struct elf_in *e = c->elf;
    for (size_t i = 0; i < e->unwinds.count; i++)
        add_start(c, s, e->unwinds.items[i].start, e->unwinds.items[i].end, NULL);
    for (size_t i = 0; i < e->symbols.count; i++) {
        const struct elf_symbol *sym = &e->symbols.items[i];
        if (!sym->defined || (sym->type != STT_FUNC && sym->type != STT_GNU_IFUNC)) continue;
        add_start(c, s, sym->addr, sym->size != 0 ? sym->addr + sym->size : 0, sym->name);
    }
    for (size_t i = 0; i < e->go_funcs.count; i++)
        add_start(c, s, e->go_funcs.items[i].addr,
                  e->go_funcs.items[i].addr + e->go_funcs.items[i].size, e->go_funcs.items[i].name);
    add_start(c, s, e->entry, 0, NULL);
    add_start(c, s, e->init, 0, NULL);
    add_start(c, s, e->fini, 0, NULL);
}

/* One start a function, with the best name and the farthest end that was given. */
static void settle_starts(struct starts *s) {
    size_t kept = 0;
    if (s->count == 0) return;
    qsort(s->items, s->count, sizeof(s->items[0]), by_addr);
    for (size_t i = 0; i < s->count; i++) {
        struct start *last = kept > 0 ? &s->items[kept - 1] : NULL;
        if (last == NULL || last->addr != s->items[i].addr) {
            s->items[kept++] = s->items[i];
            continue;
        }
        last->guess &= s->items[i].guess;
        if (s->items[i].name != NULL) last->name = s->items[i].name;
        if (s->items[i].end > last->end) last->end = s->items[i].end;
    }
    s->count = kept;
}

static void add_gap(struct code *c, uint64_t start, uint64_t end) {
    if (start < end)
        LIST_PUSH(&c->funcs, (struct code_func){.start = start, .end = end, .is_gap = true});
}

/* Cuts a section into functions; what lies between them is one too. */
static size_t cut_section(struct code *c, const struct starts *s, size_t next,
                          const struct elf_piece *piece) {
    uint64_t at = piece->addr, limit = piece->addr + piece->nbytes;
    while (next < s->count && s->items[next].addr < at)
        next++;
    for (; next < s->count && s->items[next].addr < limit; next++) {
        const struct start *f = &s->items[next];
        uint64_t bound = next + 1 < s->count && s->items[next + 1].addr < limit
                             ? s->items[next + 1].addr
                             : limit;
        add_gap(c, at, f->addr);
        at = f->end > f->addr && f->end < bound ? f->end : bound;
        LIST_PUSH(&c->funcs, (struct code_func){.start = f->addr,
                                                .end = at,
                                                .name = f->name,
                                                .is_start = true,
                                                .is_guess = f->guess,
                                                .is_gap = f->end == 0});
    }
    add_gap(c, at, limit);
    return next;
}

static void add_edge(struct code *c, const struct insn *i, enum edge_kind kind, uint64_t target) {
    LIST_PUSH(&c->edges,
              (struct code_edge){.at = i->addr, .target = target, .kind = (uint8_t)kind});
}

static void note_branch(struct code *c, struct code_func *f, const struct insn *i) {
    if (i->direct) {
        bool inside = i->target >= f->start && i->target < f->end;
        if (!inside && elf_in_is_code(c->elf, i->target)) add_edge(c, i, EDGE_CALL, i->target);
        return;
    }
    if (i->mem != 0) add_edge(c, i, EDGE_SLOT, i->mem);
    f->has_indirect = true;
}

static void note_operands(struct code *c, const struct code_func *f, const struct insn *i) {
    if (i->mem != 0 && i->is_address) {
        bool inside = i->mem >= f->start && i->mem < f->end;
        if (!inside && elf_in_is_code(c->elf, i->mem)) add_edge(c, i, EDGE_REF, i->mem);
    } else if (i->mem != 0 && elf_in_reloc_at(c->elf, i->mem) != NULL) {
        add_edge(c, i, EDGE_LOAD, i->mem);
    }
    bool fixed = c->elf->type == ET_EXEC;
    if (fixed && i->has_imm && elf_in_is_code(c->elf, i->imm)) add_edge(c, i, EDGE_REF, i->imm);
}

static void scan_func(struct code *c, uint32_t index) {
    struct code_func *f = &c->funcs.items[index];
    const uint8_t *bytes = elf_in_at(c->elf, f->start, f->end - f->start);
    struct insn i;
    f->edges = (uint32_t)c->edges.count;
    if (bytes == NULL) return;
    for (uint64_t at = f->start; at < f->end; at += i.len) {
        if (!disasm_next(c->disasm, bytes + (at - f->start), f->end - at, at, false, &i)) break;
        switch (i.kind) {
        case INSN_PADDING:
            continue;
        case INSN_BAD:
            c->undecoded++;
            break;
        case INSN_SYSCALL:
        case INSN_INT80:
            f->has_site = true;
            LIST_PUSH(&c->sites,
                      (struct code_site){.addr = at, .func = index, .int80 = i.kind == INSN_INT80});
            break;
        case INSN_CALL:
        case INSN_JUMP:
        case INSN_BRANCH:
            note_branch(c, f, &i);
            break;
        default:
            note_operands(c, f, &i);
        }
        f->falls_through = i.kind != INSN_RETURN && i.kind != INSN_STOP && i.kind != INSN_JUMP &&
                           i.kind != INSN_CALL && i.kind != INSN_BAD;
    }
}

/* Assembly may end its description before its code (clone3): what follows belongs to it. */
static bool goes_on(const struct code *c, uint32_t func, uint32_t next) {
    const struct code_func *f = &c->funcs.items[func], *gap = &c->funcs.items[next];
    return f->falls_through && gap->is_gap && !gap->is_start && gap->start == f->end;
}

static void drop_scan(struct code *c, uint32_t func) {
    c->edges.count = c->funcs.items[func].edges;
    while (c->sites.count > 0 && c->sites.items[c->sites.count - 1].func == func)
        c->sites.count--;
}

/* Are there bytes of a site among these? */
static bool has_pair(const struct code *c, uint64_t start, uint64_t end) {
    const uint8_t *bytes = elf_in_at(c->elf, start, end - start);
    for (uint64_t i = 0; bytes != NULL && i + 1 < end - start; i++)
        if ((bytes[i] == 0x0f && (bytes[i + 1] == 0x05 || bytes[i + 1] == 0x34)) ||
            (bytes[i] == 0xcd && bytes[i + 1] == 0x80))
            return true;
    return false;
}

static void scan(struct code *c, const struct starts *s) {
    size_t next = 0;
    c->funcs.count = c->edges.count = c->sites.count = 0;
    c->undecoded = 0;
    for (size_t i = 0; i < c->elf->code.count; i++)
        next = cut_section(c, s, next, &c->elf->code.items[i]);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->funcs.count; i++) {
        struct code_func *f = &c->funcs.items[kept];
        *f = c->funcs.items[i];
        f->edges = (uint32_t)c->edges.count;
        /* With what may belong to it. */
        uint64_t end = i + 1 < c->funcs.count && f[0].end == c->funcs.items[i + 1].start
                           ? c->funcs.items[i + 1].end
                           : f->end;
        if (!c->only_sites || has_pair(c, f->start, end)) scan_func(c, kept);
        while (i + 1 < c->funcs.count && goes_on(c, kept, i + 1)) {
            c->funcs.items[kept].end = c->funcs.items[++i].end;
            drop_scan(c, kept);
            scan_func(c, kept);
        }
        kept++;
    }
    c->funcs.count = kept;
    LIST_PUSH(&c->funcs,
              (struct code_func){.start = UINT64_MAX, .edges = (uint32_t)c->edges.count});
}

/* Something leads to addr: if that is in the middle of code that nothing describes, a function
 * begins there. */
static void propose(const struct code *c, struct starts *s, uint64_t addr) {
    uint32_t f = elf_in_is_code(c->elf, addr) ? code_func_at(c, addr) : FUNC_NONE;
    if (f == FUNC_NONE || !c->funcs.items[f].is_gap) return;
    if (c->funcs.items[f].start != addr || !c->funcs.items[f].is_start)
        LIST_PUSH(s, (struct start){.addr = addr, .guess = true});
}

static void propose_data(const struct code *c, struct starts *s) {
    const struct elf_in *e = c->elf;
    uint64_t word;
    for (size_t i = 0; i < e->relocs.count; i++)
        if (e->relocs.items[i].symbol == NULL) propose(c, s, e->relocs.items[i].value);
    for (struct code_words w = {0}; code_next_word(c, &w, &word);)
        propose(c, s, word);
}

static void propose_calls_within(const struct code *c, struct starts *s,
                                 const struct code_func *f) {
    const uint8_t *bytes = elf_in_at(c->elf, f->start, f->end - f->start);
    struct insn i;
    for (uint64_t at = f->start; bytes != NULL && at < f->end; at += i.len) {
        if (!disasm_next(c->disasm, bytes + (at - f->start), f->end - at, at, false, &i)) break;
        if (i.direct && i.kind == INSN_CALL) propose(c, s, i.target);
        if (i.is_address && i.mem != 0) propose(c, s, i.mem);
    }
}

/* Code that nothing describes (assembly, programs without unwind tables) has functions where
 * calls and pointers lead to. */
static bool split_gaps(struct code *c, struct starts *s) {
    size_t before = s->count;
    for (size_t i = 0; i < c->edges.count; i++) {
        const struct code_edge *edge = &c->edges.items[i];
        if (edge->kind == EDGE_CALL || edge->kind == EDGE_REF) propose(c, s, edge->target);
    }
    for (uint32_t f = 0; f < code_count(c); f++)
        if (c->funcs.items[f].is_gap) propose_calls_within(c, s, &c->funcs.items[f]);
    propose_data(c, s);
    if (s->count == before) return false;
    settle_starts(s);
    return s->count > before;
}

/* Each round decodes everything again: more than one only where much is not described. */
static int split_rounds(const struct code *c) {
    uint64_t gaps = 0, all = 0;
    for (uint32_t f = 0; f < code_count(c); f++) {
        uint64_t size = c->funcs.items[f].end - c->funcs.items[f].start;
        all += size;
        if (c->funcs.items[f].is_gap) gaps += size;
    }
    return gaps > all / 8 ? SPLITS_MAX : 1;
}

/* Has code that nothing describes sites?  Then what calls it has to be found. */
static bool has_sites_in_gaps(const struct code *c) {
    for (uint32_t i = 0; i < code_count(c); i++) {
        const struct code_func *f = &c->funcs.items[i];
        if (f->is_gap && has_pair(c, f->start, f->end)) return true;
    }
    return false;
}

static bool build(struct code *c, const struct elf_in *elf, bool only_sites) {
    struct starts starts = {0};
    *c = (struct code){.elf = elf, .disasm = disasm_open(), .only_sites = only_sites};
    if (c->disasm == NULL) return false;
    collect_starts(c, &starts);
    settle_starts(&starts);
    scan(c, &starts);
    if (only_sites && has_sites_in_gaps(c)) {
        c->only_sites = false;
        scan(c, &starts);
    }
    int rounds = c->only_sites ? 0 : split_rounds(c);
    for (int round = 0; round < rounds && split_gaps(c, &starts); round++)
        scan(c, &starts);
    LIST_FREE(&starts);
    for (size_t i = 0; i < c->sites.count; i++) {
        struct code_site *site = &c->sites.items[i];
        site->number = code_values_at(c, site->func, site->addr, GPR_AX);
    }
    return true;
}

bool code_build(struct code *c, const struct elf_in *elf) { return build(c, elf, false); }

bool code_build_sites(struct code *c, const struct elf_in *elf) { return build(c, elf, true); }

void code_free(struct code *c) {
    code_forget_flow(c);
    disasm_close(c->disasm);
    LIST_FREE(&c->funcs);
    LIST_FREE(&c->edges);
    LIST_FREE(&c->sites);
    *c = (struct code){0};
}

uint32_t code_count(const struct code *c) {
    return c->funcs.count > 0 ? (uint32_t)c->funcs.count - 1 : 0;
}

uint32_t code_func_at(const struct code *c, uint64_t addr) {
    uint32_t low = 0, high = code_count(c);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (c->funcs.items[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < code_count(c) && c->funcs.items[low].start <= addr ? low : FUNC_NONE;
}

uint32_t code_func_starting(const struct code *c, uint64_t addr) {
    uint32_t f = code_func_at(c, addr);
    return f != FUNC_NONE && c->funcs.items[f].start == addr ? f : FUNC_NONE;
}

bool code_next_word(const struct code *c, struct code_words *w, uint64_t *word) {
    for (; c->elf->type == ET_EXEC && w->segment < c->elf->segments.count; w->segment++) {
        const struct elf_piece *piece = &c->elf->segments.items[w->segment];
        if (w->off == 0) w->off = -piece->addr & 7;
        if (!piece->exec && piece->nbytes >= 8 && w->off <= piece->nbytes - 8) {
            memcpy(word, piece->bytes + w->off, sizeof(*word));
            w->off += 8;
            return true;
        }
        w->off = 0;
    }
    return false;
}

uint64_t code_stub_slot(const struct code *c, uint64_t addr) {
    static const uint8_t endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
    const uint8_t *at = elf_in_at(c->elf, addr, 12);
    uint64_t next = addr;
    int32_t disp;
    if (at == NULL)
        at = elf_in_at(c->elf, addr, 6);
    else if (memcmp(at, endbr, sizeof(endbr)) == 0) {
        at += sizeof(endbr);
        next += sizeof(endbr);
    }
    if (at == NULL) return 0;
    if (at[0] == 0xf2) { /* bnd */
        at++;
        next++;
    }
    if (at[0] != 0xff || at[1] != 0x25) return 0; /* jmp *disp(%rip) */
    memcpy(&disp, at + 2, sizeof(disp));
    uint64_t slot = next + 6 + (uint64_t)(int64_t)disp;
    return elf_in_reloc_at(c->elf, slot) != NULL ? slot : 0;
}
