/* SPDX-License-Identifier: MIT */
/* See refs.h. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <rewriter/list.h>
#include <rewriter/refs.h>

#define STRAY_MAX 16 /* entries of a table in a row that lead nowhere */
#define SPAN_MAX (1ull << 32)

static void mark(const struct refs *r, uint8_t *bits, uint64_t addr) {
    uint64_t off = addr - r->low;
    if (addr >= r->low && addr < r->high) bits[off / 8] |= (uint8_t)(1u << off % 8);
}

static bool is_marked(const struct refs *r, const uint8_t *bits, uint64_t addr) {
    uint64_t off = addr - r->low;
    return addr < r->low || addr >= r->high || (bits[off / 8] >> off % 8 & 1) != 0;
}

bool refs_firm(const struct refs *r, uint64_t addr) { return is_marked(r, r->firm, addr); }

static void note_table(struct refs *r, uint64_t addr) {
    uint64_t off = (addr - r->table_low) / 4;
    if (addr >= r->table_low && addr < r->table_high && addr % 4 == 0)
        r->table[off / 8] |= (uint8_t)(1u << off % 8);
}

static int32_t word_at(const uint8_t *bytes) {
    int32_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* Does a displacement of a branch begin behind these bytes? */
static bool is_branch(const uint8_t *p) {
    return p[-1] == 0xe8 || p[-1] == 0xe9 || (p[-2] == 0x0f && (p[-1] & 0xf0) == 0x80) ||
           (p[-2] == 0xc7 && p[-1] == 0xf8);
}

static bool is_operand(const uint8_t *p) { return (p[-1] & 0xc7) == 0x05; }

static uint64_t target_of(const struct elf_piece *piece, uint64_t off) {
    return piece->addr + off + 4 + (uint64_t)(int64_t)word_at(piece->bytes + off);
}

static void scan_code(struct refs *r, const struct elf_piece *piece) {
    for (uint64_t off = 2; off + 4 <= piece->nbytes; off++) {
        const uint8_t *p = piece->bytes + off;
        bool operand = is_operand(p);
        if (!operand && !is_branch(p)) continue;
        uint64_t to = target_of(piece, off);
        mark(r, r->hit, to);
        if (!operand) continue;
        /* An immediate operand may follow. */
        mark(r, r->hit, to + 1);
        mark(r, r->hit, to + 2);
        mark(r, r->hit, to + 4);
        note_table(r, to);
    }
}

static bool leads_to(const struct elf_piece *piece, uint64_t off, uint64_t addr) {
    const uint8_t *p = piece->bytes + off;
    uint64_t past = addr - target_of(piece, off);
    if (past != 0 && past != 1 && past != 2 && past != 4) return false;
    return is_operand(p) || (past == 0 && is_branch(p));
}

bool refs_next(const struct refs *r, uint64_t addr, uint64_t *at) {
    if (!is_marked(r, r->hit, addr)) return false;
    for (size_t i = 0; i < r->code->elf->code.count; i++) {
        const struct elf_piece *piece = &r->code->elf->code.items[i];
        uint64_t off = *at >= piece->addr ? *at - piece->addr + 1 : 2;
        for (; off + 4 <= piece->nbytes; off++) {
            if (!leads_to(piece, off, addr)) continue;
            *at = piece->addr + off;
            return true;
        }
    }
    return false;
}

/* At fixed addresses every word may be one. */
static void scan_words(struct refs *r, const struct elf_piece *piece) {
    for (uint64_t off = 0; off + 4 <= piece->nbytes; off++) {
        uint64_t word = (uint32_t)word_at(piece->bytes + off);
        mark(r, r->firm, word);
        note_table(r, word);
    }
}

static void scan_table(struct refs *r, uint64_t table) {
    unsigned stray = 0;
    for (uint64_t at = table; stray < STRAY_MAX; at += 4) {
        const uint8_t *p = elf_in_at(r->code->elf, at, 4);
        if (p == NULL) return;
        uint64_t to = table + (uint64_t)(int64_t)word_at(p);
        stray = to >= r->low && to < r->high ? 0 : stray + 1;
        mark(r, r->firm, to);
    }
}

static void scan_tables(struct refs *r) {
    for (uint64_t off = 0; off < (r->table_high - r->table_low) / 4; off++) {
        if (r->table[off / 8] == 0)
            off |= 7;
        else if (r->table[off / 8] >> off % 8 & 1)
            scan_table(r, r->table_low + 4 * off);
    }
}

static void note_starts(struct refs *r) {
    const struct elf_in *e = r->code->elf;
    for (size_t i = 0; i < e->relocs.count; i++)
        mark(r, r->firm, e->relocs.items[i].value);
    for (size_t i = 0; i < e->symbols.count; i++)
        if (e->symbols.items[i].defined) mark(r, r->firm, e->symbols.items[i].addr);
    for (size_t i = 0; i < e->unwinds.count; i++)
        mark(r, r->firm, e->unwinds.items[i].start);
    for (size_t i = 0; i < e->pads.count; i++)
        mark(r, r->firm, e->pads.items[i]);
    for (uint32_t i = 0; i < code_count(r->code); i++)
        if (r->code->funcs.items[i].is_start) mark(r, r->firm, r->code->funcs.items[i].start);
    mark(r, r->firm, e->entry);
}

static void span(struct refs *r) {
    const struct elf_in *e = r->code->elf;
    r->low = r->table_low = UINT64_MAX;
    for (size_t i = 0; i < e->code.count; i++) {
        const struct elf_piece *p = &e->code.items[i];
        if (p->addr < r->low) r->low = p->addr;
        if (p->addr + p->nbytes > r->high) r->high = p->addr + p->nbytes;
    }
    for (size_t i = 0; i < e->segments.count; i++) {
        const struct elf_piece *p = &e->segments.items[i];
        if (p->addr < r->table_low) r->table_low = p->addr & ~3ull;
        if (p->addr + p->nbytes > r->table_high) r->table_high = p->addr + p->nbytes;
    }
}

void refs_build(struct refs *r, const struct code *c) {
    *r = (struct refs){.code = c};
    span(r);
    /* Nothing is proven about a file that spreads over more than code can reach. */
    if (r->high <= r->low || r->table_high - r->table_low > SPAN_MAX ||
        r->high - r->low > SPAN_MAX) {
        r->high = r->low;
        return;
    }
    r->hit = list_must(calloc((r->high - r->low) / 8 + 1, 1));
    r->firm = list_must(calloc((r->high - r->low) / 8 + 1, 1));
    r->table = list_must(calloc((r->table_high - r->table_low) / 32 + 1, 1));
    for (size_t i = 0; i < c->elf->code.count; i++)
        scan_code(r, &c->elf->code.items[i]);
    for (size_t i = 0; c->elf->type == ET_EXEC && i < c->elf->segments.count; i++)
        scan_words(r, &c->elf->segments.items[i]);
    scan_tables(r);
    note_starts(r);
}

void refs_free(struct refs *r) {
    free(r->hit);
    free(r->firm);
    free(r->table);
    *r = (struct refs){0};
}

bool refs_short(const struct refs *r, uint64_t addr, uint64_t start, uint64_t end, uint64_t *at) {
    for (uint64_t p = *at != 0 ? *at + 1 : addr - 130; p != addr + 128; p++) {
        if (p >= start && p < end) continue;
        const uint8_t *b = elf_in_at(r->code->elf, p, 2);
        if (b == NULL || p + 2 + (uint64_t)(int64_t)(int8_t)b[1] != addr) continue;
        *at = p;
        if (b[0] == 0xeb || (b[0] & 0xf0) == 0x70 || (b[0] & 0xfc) == 0xe0) return true;
    }
    return false;
}
