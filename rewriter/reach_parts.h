/* SPDX-License-Identifier: MIT */
/* Private to the files reach*.c. */
#ifndef REWRITER_REACH_PARTS_H
#define REWRITER_REACH_PARTS_H

#include <rewriter/reach.h>

struct func_ref {
    uint32_t object, func;
};

/* Calls visit for every function that an edge can lead to. */
typedef void reach_visit_fn(void *ctx, struct func_ref to);
/* kind: an edge of `object` to a code address, or through a word, as enum edge_kind says. */
void reach_targets(const struct reach *r, uint32_t object, const struct code_edge *edge,
                   reach_visit_fn *visit, void *ctx);
void reach_symbol(const struct reach *r, const char *name, reach_visit_fn *visit, void *ctx);
void reach_symbols_build(struct reach *r);
void reach_symbols_free(struct reach *r);

/* reach_calls.c: the numbers of the calls, through wrappers such as syscall(2). */
void reach_find_calls(struct reach *r);
/* reach_always.c: raises what every run does to REACH_ALWAYS. */
void reach_find_always(struct reach *r);

static inline uint32_t reach_objects(const struct reach *r) {
    return (uint32_t)r->libs->objects.count;
}
static inline const struct code *reach_code(const struct reach *r, uint32_t object) {
    return &r->libs->objects.items[object]->code;
}

#endif
