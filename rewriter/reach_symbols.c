/* SPDX-License-Identifier: MIT */
/* Where an edge leads: linkage stubs, words that the linker fills in, symbols across libraries.
 * Owns the table of exported symbols. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <rewriter/list.h>
#include <rewriter/reach_parts.h>

struct exported {
    const char *name;
    uint32_t object;
    uint64_t addr;
};
struct reach_symbols {
    struct exported *items;
    size_t count, room;
};

static int by_name(const void *a, const void *b) {
    const struct exported *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (order != 0) return order;
    return x->object < y->object ? -1 : x->object > y->object;
}

void reach_symbols_build(struct reach *r) {
    r->symbols = list_must(calloc(1, sizeof(*r->symbols)));
    for (uint32_t o = 0; o < reach_objects(r); o++) {
        const struct elf_in *e = &r->libs->objects.items[o]->elf;
        for (size_t i = 0; i < e->symbols.count; i++) {
            const struct elf_symbol *s = &e->symbols.items[i];
            if (s->exported && s->type != STT_TLS)
                LIST_PUSH(r->symbols, (struct exported){s->name, o, s->addr});
        }
    }
    if (r->symbols->count > 0)
        qsort(r->symbols->items, r->symbols->count, sizeof(r->symbols->items[0]), by_name);
}

/* All versions that the first object with the name has. */
void reach_symbol(const struct reach *r, const char *name, reach_visit_fn *visit, void *ctx) {
    const struct exported *items = r->symbols->items;
    size_t low = 0, high = r->symbols->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(items[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i < r->symbols->count && strcmp(items[i].name, name) == 0; i++) {
        if (items[i].object != items[low].object) break;
        uint32_t func = code_func_at(reach_code(r, items[i].object), items[i].addr);
        if (func != FUNC_NONE) visit(ctx, (struct func_ref){items[i].object, func});
    }
}

/* Through the word at `slot`: what the linker will have put there. */
static void through_word(const struct reach *r, uint32_t object, uint64_t slot,
                         reach_visit_fn *visit, void *ctx) {
    const struct code *c = reach_code(r, object);
    const struct elf_reloc *reloc = elf_in_reloc_at(c->elf, slot);
    uint64_t value = reloc != NULL ? reloc->value : 0;
    if (reloc != NULL && reloc->symbol != NULL) return reach_symbol(r, reloc->symbol, visit, ctx);
    if (reloc == NULL) {
        const uint8_t *at = elf_in_at(c->elf, slot, sizeof(value));
        if (at == NULL || c->elf->type != ET_EXEC) return;
        memcpy(&value, at, sizeof(value));
    }
    uint32_t func = code_func_at(c, value);
    if (func != FUNC_NONE) visit(ctx, (struct func_ref){object, func});
}

void reach_targets(const struct reach *r, uint32_t object, const struct code_edge *edge,
                   reach_visit_fn *visit, void *ctx) {
    const struct code *c = reach_code(r, object);
    if (edge->kind == EDGE_SLOT || edge->kind == EDGE_LOAD)
        return through_word(r, object, edge->target, visit, ctx);
    uint64_t slot = code_stub_slot(c, edge->target);
    if (slot != 0) return through_word(r, object, slot, visit, ctx);
    /* An immediate that looks like an address must be the very begin of a function. */
    bool exact = edge->kind == EDGE_REF && c->elf->type == ET_EXEC;
    uint32_t func = exact ? code_func_starting(c, edge->target) : code_func_at(c, edge->target);
    if (func != FUNC_NONE) visit(ctx, (struct func_ref){object, func});
}

void reach_symbols_free(struct reach *r) {
    LIST_FREE(r->symbols);
    free(r->symbols);
}
