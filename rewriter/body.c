/* SPDX-License-Identifier: MIT */
/* See body.h. */
#include <stdlib.h>
#include <string.h>

#include <rewriter/body.h>
#include <rewriter/list.h>

#define BODY_MAX (4u << 20) /* bytes of a function */
#define TABLE_MAX 4096      /* entries of a jump table */

struct trace {
    const struct code *c;
    struct body *b;
    ELF_LIST(uint64_t) open;
    ELF_LIST(uint64_t) tables; /* data that the function takes the address of */
    bool jumps_anywhere;
};

/* Decodes the instruction at addr; NULL: outside of the function, or none. */
static struct body_insn *add(const struct code *c, struct body *b, uint64_t addr) {
    struct insn i;
    uint64_t off = addr - b->start;
    if (!disasm_next(c->disasm, b->bytes + off, b->end - addr, addr, true, &i)) return NULL;
    if (i.kind == INSN_BAD) return NULL;
    LIST_PUSH(&b->insns, (struct body_insn){.i = i});
    b->at[off] = (uint32_t)b->insns.count;
    struct body_insn *it = &b->insns.items[b->insns.count - 1];
    /* Instructions are at most 15 bytes long. */
    for (uint64_t o = off > 14 ? off - 14 : 0; o < off + i.len; o++) {
        struct body_insn *other = b->at[o] != 0 ? &b->insns.items[b->at[o] - 1] : it;
        if (other == it || other->i.addr + other->i.len <= addr) continue;
        other->overlaps = it->overlaps = true;
        b->clean = false;
    }
    return it;
}

static void follow(struct trace *t, uint64_t addr) {
    struct body *b = t->b;
    while (addr >= b->start && addr < b->end && b->at[addr - b->start] == 0) {
        struct body_insn *it = add(t->c, b, addr);
        if (it == NULL) {
            b->clean = false;
            return;
        }
        it->reached = true;
        const struct insn *i = &it->i;
        if (i->direct && i->kind != INSN_CALL) LIST_PUSH(&t->open, i->target);
        if (i->kind == INSN_JUMP && !i->direct) t->jumps_anywhere = true;
        if (i->is_address && i->mem != 0) LIST_PUSH(&t->tables, i->mem);
        if (i->kind == INSN_JUMP || i->kind == INSN_RETURN || i->kind == INSN_STOP) return;
        addr += i->len;
    }
}

/* Entries are distances from the table's start. */
static void follow_table(struct trace *t, uint64_t table) {
    for (uint64_t n = 0; n < TABLE_MAX; n++) {
        int32_t entry;
        const uint8_t *at = elf_in_at(t->c->elf, table + 4 * n, 4);
        if (at == NULL) return;
        memcpy(&entry, at, sizeof(entry));
        uint64_t to = table + (uint64_t)(int64_t)entry;
        if (to < t->b->start || to >= t->b->end) return;
        LIST_PUSH(&t->open, to);
    }
}

static void drain(struct trace *t) {
    while (t->open.count > 0)
        follow(t, t->open.items[--t->open.count]);
}

/* What is not reached is decoded from where the one before it ends. */
static void fill(const struct code *c, struct body *b) {
    for (uint64_t addr = b->start; addr < b->end;) {
        uint32_t at = b->at[addr - b->start];
        const struct body_insn *it = at != 0 ? &b->insns.items[at - 1] : add(c, b, addr);
        if (it == NULL) b->clean = false;
        addr += it != NULL ? it->i.len : 1;
    }
}

struct body *body_open(const struct code *c, uint32_t func) {
    const struct code_func *f = &c->funcs.items[func];
    uint64_t size = f->end - f->start;
    const uint8_t *bytes = elf_in_at(c->elf, f->start, size);
    if (bytes == NULL || size > BODY_MAX) return NULL;
    struct body *b = list_must(calloc(1, sizeof(*b)));
    *b = (struct body){.start = f->start, .end = f->end, .bytes = bytes, .clean = true};
    b->known_start = !f->is_gap || f->is_start;
    b->at = list_must(calloc(size, sizeof(*b->at)));
    struct trace t = {.c = c, .b = b};
    if (b->known_start) LIST_PUSH(&t.open, b->start);
    drain(&t);
    for (size_t i = 0; t.jumps_anywhere && i < t.tables.count; i++) {
        follow_table(&t, t.tables.items[i]);
        drain(&t);
    }
    LIST_FREE(&t.open);
    LIST_FREE(&t.tables);
    fill(c, b);
    return b;
}

void body_free(struct body *b) {
    if (b == NULL) return;
    LIST_FREE(&b->insns);
    free(b->at);
    free(b);
}

const struct body_insn *body_at(const struct body *b, uint64_t addr) {
    if (addr < b->start || addr >= b->end || b->at[addr - b->start] == 0) return NULL;
    const struct body_insn *it = &b->insns.items[b->at[addr - b->start] - 1];
    bool proven = it->reached || (b->clean && b->known_start);
    return proven && !it->overlaps ? it : NULL;
}

const struct body_insn *body_before(const struct body *b, uint64_t addr) {
    for (uint64_t len = 1; len <= 15 && addr - b->start >= len; len++) {
        const struct body_insn *it = body_at(b, addr - len);
        if (it != NULL) return it->i.len == len ? it : NULL;
    }
    return NULL;
}

const struct body_insn *body_around(const struct body *b, uint64_t addr) {
    for (uint64_t back = 1; back <= 14 && addr - b->start >= back; back++) {
        const struct body_insn *it = body_at(b, addr - back);
        if (it != NULL) return it->i.len > back ? it : NULL;
    }
    return NULL;
}

bool body_branches_to(const struct body *b, uint64_t addr) {
    for (size_t n = 0; n < b->insns.count; n++)
        if (b->insns.items[n].i.direct && b->insns.items[n].i.target == addr) return true;
    return false;
}

bool body_falls_through(const struct body *b) {
    const struct body_insn *last = body_before(b, b->end);
    while (last != NULL && last->i.kind == INSN_PADDING)
        last = body_before(b, last->i.addr);
    return last == NULL || (last->i.kind != INSN_JUMP && last->i.kind != INSN_RETURN &&
                            last->i.kind != INSN_STOP && last->i.kind != INSN_CALL);
}
