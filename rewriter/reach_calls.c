/* SPDX-License-Identifier: MIT */
/* The calls themselves: their numbers at the instruction or, where a function gets the number as
 * an argument (syscall(2), Go's Syscall6), at that function's callers. */
#include <stdlib.h>
#include <string.h>

#include <rewriter/list.h>
#include <rewriter/reach_parts.h>

#define WRAPPERS_MAX 200 /* a few are usual; each costs a look at all calls */

/* A function that makes the call whose number it is given in a register. */
struct wrapper {
    struct func_ref func;
    uint8_t reg;
    bool int80;
};
struct wrappers {
    struct wrapper *items;
    size_t count, room;
};

static void add_call(struct reach *r, struct func_ref at, uint64_t addr, uint32_t number,
                     bool int80) {
    LIST_PUSH(&r->calls, (struct reach_call){.number = number,
                                             .how = r->how[at.object][at.func],
                                             .int80 = int80,
                                             .object = at.object,
                                             .func = at.func,
                                             .addr = addr});
}

static void add_wrapper(struct wrappers *w, struct wrapper new) {
    for (size_t i = 0; i < w->count; i++)
        if (memcmp(&w->items[i].func, &new.func, sizeof(new.func)) == 0 &&
            w->items[i].reg == new.reg)
            return;
    if (w->count < WRAPPERS_MAX) LIST_PUSH(w, new);
}

static void note_values(struct reach *r, struct wrappers *w, struct func_ref at, uint64_t addr,
                        const struct values *v, bool int80) {
    if (v->kind == VALUES_ENTRY)
        add_wrapper(w, (struct wrapper){at, v->entry, int80});
    else if (v->kind == VALUES_SET)
        for (uint8_t i = 0; i < v->n; i++)
            add_call(r, at, addr, v->v[i], int80);
    else
        add_call(r, at, addr, REACH_UNKNOWN, int80);
}

struct question {
    const struct wrapper *about;
    bool leads_there;
};

static void is_wrapper(void *ctx, struct func_ref to) {
    struct question *q = ctx;
    if (to.object == q->about->func.object && to.func == q->about->func.func) q->leads_there = true;
}

static void ask_callers(struct reach *r, struct wrappers *all, struct wrapper wrapper,
                        struct func_ref from) {
    struct code *c = &r->libs->objects.items[from.object]->code;
    const struct code_func *f = &c->funcs.items[from.func];
    for (uint32_t i = f->edges; i < f[1].edges; i++) {
        const struct code_edge *edge = &c->edges.items[i];
        struct question q = {.about = &wrapper};
        reach_targets(r, from.object, edge, is_wrapper, &q);
        if (!q.leads_there) continue;
        if (edge->kind == EDGE_REF || edge->kind == EDGE_LOAD) {
            add_call(r, from, edge->at, REACH_UNKNOWN, wrapper.int80);
            continue;
        }
        struct values v = code_values_at(c, from.func, edge->at, wrapper.reg);
        note_values(r, all, from, edge->at, &v, wrapper.int80);
    }
}

static int surest_first(const void *a, const void *b) {
    const struct reach_call *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    if (x->how != y->how) return x->how > y->how ? -1 : 1;
    if (x->object != y->object) return x->object < y->object ? -1 : 1;
    return x->addr < y->addr ? -1 : x->addr > y->addr;
}

void reach_find_calls(struct reach *r) {
    struct wrappers all = {0};
    for (uint32_t o = 0; o < reach_objects(r); o++) {
        const struct code *c = reach_code(r, o);
        for (size_t i = 0; i < c->sites.count; i++) {
            const struct code_site *site = &c->sites.items[i];
            struct func_ref at = {o, site->func};
            if (r->how[o][site->func] != REACH_NOT)
                note_values(r, &all, at, site->addr, &site->number, site->int80);
        }
    }
    for (size_t i = 0; i < all.count; i++)
        for (uint32_t o = 0; o < reach_objects(r); o++)
            for (uint32_t f = 0; f < code_count(reach_code(r, o)); f++)
                if (r->how[o][f] != REACH_NOT)
                    ask_callers(r, &all, all.items[i], (struct func_ref){o, f});
    LIST_FREE(&all);
    if (r->calls.count > 0)
        qsort(r->calls.items, r->calls.count, sizeof(r->calls.items[0]), surest_first);
}
