/* SPDX-License-Identifier: MIT */
/* See reach.h: which functions are reached. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <rewriter/list.h>
#include <rewriter/reach_parts.h>

struct walk {
    struct reach *r;
    enum reach_how how; /* of what is found now */
    struct reach_from from;
    ELF_LIST(struct func_ref) open;
};

static void visit(void *ctx, struct func_ref to) {
    struct walk *w = ctx;
    uint8_t *how = &w->r->how[to.object][to.func];
    if (*how >= w->how) return;
    if (*how == REACH_NOT) w->r->from[to.object][to.func] = w->from;
    *how = (uint8_t)w->how;
    LIST_PUSH(&w->open, to);
}

static void visit_addr(struct walk *w, uint32_t object, uint64_t addr) {
    uint32_t func = addr != 0 ? code_func_at(reach_code(w->r, object), addr) : FUNC_NONE;
    if (func != FUNC_NONE) visit(w, (struct func_ref){object, func});
}

/* Follows everything that the open functions lead to. */
static void drain(struct walk *w) {
    while (w->open.count > 0) {
        struct func_ref from = w->open.items[--w->open.count];
        const struct code *c = reach_code(w->r, from.object);
        const struct code_func *f = &c->funcs.items[from.func];
        w->from = (struct reach_from){from.object, from.func};
        for (uint32_t i = f->edges; i < f[1].edges; i++) {
            const struct code_edge *edge = &c->edges.items[i];
            bool call = edge->kind == EDGE_CALL || edge->kind == EDGE_SLOT;
            if (call || w->how < REACH_CALLED) reach_targets(w->r, from.object, edge, visit, w);
        }
        if (f->falls_through && f[1].start == f->end)
            visit(w, (struct func_ref){from.object, from.func + 1});
    }
    w->from = (struct reach_from){FUNC_NONE, FUNC_NONE};
}

/* What an entry point takes the address of is main(), which libc calls. */
static void visit_main(struct walk *w) {
    const struct code *c = reach_code(w->r, 0);
    uint32_t entry = code_func_at(c, c->elf->entry);
    if (entry == FUNC_NONE) return;
    const struct code_func *f = &c->funcs.items[entry];
    for (uint32_t i = f->edges; i < f[1].edges; i++)
        reach_targets(w->r, 0, &c->edges.items[i], visit, w);
}

/* Functions that words of initialised data point to. */
static void visit_data(struct walk *w, uint32_t object) {
    const struct code *c = reach_code(w->r, object);
    const struct elf_in *e = c->elf;
    for (size_t i = 0; i < e->relocs.count; i++) {
        const struct elf_reloc *reloc = &e->relocs.items[i];
        if (reloc->kind == ELF_RELOC_POINTER && reloc->symbol != NULL)
            reach_symbol(w->r, reloc->symbol, visit, w);
        else if (reloc->kind == ELF_RELOC_BASE || reloc->kind == ELF_RELOC_IFUNC)
            visit_addr(w, object, reloc->value);
    }
    visit_addr(w, object, e->init);
    visit_addr(w, object, e->fini);
    /* At fixed addresses the linker has nothing to do, and the words must speak for themselves. */
    uint64_t word;
    for (struct code_words words = {0}; code_next_word(c, &words, &word);) {
        uint32_t func = code_func_starting(c, word);
        if (func != FUNC_NONE) visit(w, (struct func_ref){object, func});
    }
    /* Methods are found by offsets in tables; Go's linker has left out what nothing can reach. */
    for (size_t i = 0; i < e->go_funcs.count; i++)
        visit_addr(w, object, e->go_funcs.items[i].addr);
}

/* Static programs fill such words themselves, from tables of relocations that only they know. */
static void visit_static_ifuncs(struct walk *w) {
    const struct code *c = reach_code(w->r, 0);
    if (c->elf->interp != NULL) return;
    for (size_t i = 0; i < c->elf->symbols.count; i++)
        if (c->elf->symbols.items[i].type == STT_GNU_IFUNC)
            visit_addr(w, 0, c->elf->symbols.items[i].addr);
}

/* The C library, whose tables every program has: where programs begin. */
static bool is_common(const struct reach *r, uint32_t object) {
    const struct elf_in *e = &r->libs->objects.items[object]->elf;
    if (object == 0) return false;
    if (r->libs->objects.items[object] == r->libs->linker) return true;
    for (size_t i = 0; i < e->symbols.count; i++)
        if (e->symbols.items[i].exported &&
            strcmp(e->symbols.items[i].name, "__libc_start_main") == 0)
            return true;
    return false;
}

static void visit_tables(struct walk *w, bool common) {
    for (uint32_t o = 0; o < reach_objects(w->r); o++)
        if (is_common(w->r, o) == common) visit_data(w, o);
    if (!common) visit_static_ifuncs(w);
}

static void find_functions(struct reach *r) {
    struct walk w = {.r = r, .how = REACH_CALLED, .from = {FUNC_NONE, FUNC_NONE}};
    visit_addr(&w, 0, reach_code(r, 0)->elf->entry);
    visit_main(&w);
    if (r->libs->linker != NULL) visit_addr(&w, reach_objects(r) - 1, r->libs->linker->elf.entry);
    drain(&w);
    w.how = REACH_POSSIBLE;
    /* All that was found is looked at once more: now the addresses that it takes count too. */
    for (uint32_t o = 0; o < reach_objects(r); o++)
        for (uint32_t f = 0; f < code_count(reach_code(r, o)); f++)
            if (r->how[o][f] != REACH_NOT) LIST_PUSH(&w.open, (struct func_ref){o, f});
    visit_tables(&w, false);
    drain(&w);
    w.how = REACH_REMOTE;
    visit_tables(&w, true);
    drain(&w);
    LIST_FREE(&w.open);
}

static void note_dlopen(void *ctx, struct func_ref to) {
    struct reach *r = ctx;
    if (r->how[to.object][to.func] >= REACH_POSSIBLE) r->loads_libraries = true;
}

bool reach_run(struct reach *r, struct libs *libs) {
    *r = (struct reach){.libs = libs};
    r->how = list_must(calloc(reach_objects(r), sizeof(*r->how)));
    r->from = list_must(calloc(reach_objects(r), sizeof(*r->from)));
    for (uint32_t o = 0; o < reach_objects(r); o++) {
        struct lib_object *object = libs->objects.items[o];
        if (!code_build(&object->code, &object->elf)) return false;
        size_t count = (size_t)code_count(&object->code) + 1;
        r->how[o] = list_must(calloc(count, sizeof(*r->how[o])));
        r->from[o] = list_must(calloc(count, sizeof(*r->from[o])));
    }
    reach_symbols_build(r);
    find_functions(r);
    for (uint32_t o = 0; o < reach_objects(r); o++)
        for (uint32_t f = 0; f < code_count(reach_code(r, o)); f++)
            r->functions += r->how[o][f] != REACH_NOT;
    reach_symbol(r, "dlopen", note_dlopen, r);
    reach_symbol(r, "dlmopen", note_dlopen, r);
    reach_find_calls(r);
    reach_find_always(r);
    return true;
}

const char *reach_place(const struct reach *r, const struct reach_call *call) {
    struct reach_from at = {call->object, call->func};
    for (uint32_t steps = 0; steps < r->functions && at.object == call->object; steps++) {
        const char *name = reach_code(r, at.object)->funcs.items[at.func].name;
        if (name != NULL) return name;
        at = r->from[at.object][at.func];
    }
    return NULL;
}

void reach_free(struct reach *r) {
    for (uint32_t o = 0; r->how != NULL && o < reach_objects(r); o++) {
        free(r->how[o]);
        free(r->from[o]);
    }
    free(r->how);
    free(r->from);
    if (r->symbols != NULL) reach_symbols_free(r);
    LIST_FREE(&r->calls);
    *r = (struct reach){0};
}
