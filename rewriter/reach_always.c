/* SPDX-License-Identifier: MIT */
/* What every run does: from the entry point and from main() on, up to the first instruction that
 * can go two ways, and so into every function that is called until then. */
#include <stdlib.h>
#include <string.h>

#include <rewriter/list.h>
#include <rewriter/reach_parts.h>

#define DEPTH_MAX 200

struct path {
    struct reach *r;
    uint8_t **seen;
    int depth;
    uint32_t targets; /* that an edge led to */
    struct func_ref target;
    bool ends; /* the program ended, for all we know */
};

static void note_target(void *ctx, struct func_ref to) {
    struct path *p = ctx;
    p->targets++;
    p->target = to;
}

static bool never_returns(const struct reach *r, struct func_ref f) {
    static const char *const names[] = {"exit",
                                        "_exit",
                                        "_Exit",
                                        "abort",
                                        "__assert_fail",
                                        "__stack_chk_fail",
                                        "__libc_start_main",
                                        "longjmp"};
    const char *name = reach_code(r, f.object)->funcs.items[f.func].name;
    for (size_t i = 0; name != NULL && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static void walk(struct path *p, struct func_ref at);

/* Goes where a call or jump leads; false: nobody knows where. */
static void enter(struct path *p, uint32_t object, const struct insn *i) {
    struct code_edge edge = {.at = i->addr,
                             .target = i->direct ? i->target : i->mem,
                             .kind = i->direct ? EDGE_CALL : EDGE_SLOT};
    p->targets = 0;
    if (edge.target != 0) reach_targets(p->r, object, &edge, note_target, p);
    if (p->targets != 1) return;
    struct func_ref to = p->target;
    walk(p, to);
    if (never_returns(p->r, to)) p->ends = true;
}

static void note_site(struct path *p, uint32_t object, uint64_t addr) {
    const struct code *c = reach_code(p->r, object);
    for (size_t i = 0; i < c->sites.count; i++) {
        const struct code_site *site = &c->sites.items[i];
        bool sure = site->number.kind == VALUES_SET && site->number.n == 1 && !site->number.more;
        if (site->addr != addr || !sure) continue;
        for (size_t k = 0; k < p->r->calls.count; k++) {
            struct reach_call *call = &p->r->calls.items[k];
            if (call->object == object && call->addr == addr) call->how = REACH_ALWAYS;
        }
    }
}

static void walk(struct path *p, struct func_ref at) {
    const struct code *c = reach_code(p->r, at.object);
    const struct code_func *f = &c->funcs.items[at.func];
    if (p->depth >= DEPTH_MAX || p->seen[at.object][at.func]) return;
    p->seen[at.object][at.func] = 1;
    p->depth++;
    struct insn i;
    for (uint64_t addr = f->start; addr < f->end && !p->ends; addr += i.len) {
        const uint8_t *bytes = elf_in_at(c->elf, addr, f->end - addr);
        if (bytes == NULL || !disasm_next(c->disasm, bytes, f->end - addr, addr, false, &i)) break;
        if (i.kind == INSN_CALL) enter(p, at.object, &i);
        if (i.kind == INSN_SYSCALL) note_site(p, at.object, addr);
        bool inside = i.direct && i.target > addr && i.target < f->end;
        if (i.kind == INSN_JUMP && inside)
            addr = i.target - i.len;
        else if (i.kind == INSN_JUMP) {
            enter(p, at.object, &i);
            break;
        }
        if (i.kind == INSN_BRANCH || i.kind == INSN_RETURN || i.kind == INSN_STOP ||
            i.kind == INSN_BAD)
            break;
    }
    p->depth--;
}

void reach_find_always(struct reach *r) {
    struct path p = {.r = r};
    const struct code *c = reach_code(r, 0);
    uint32_t entry = code_func_at(c, c->elf->entry);
    if (entry == FUNC_NONE) return;
    p.seen = list_must(calloc(reach_objects(r), sizeof(*p.seen)));
    for (uint32_t o = 0; o < reach_objects(r); o++)
        p.seen[o] = list_must(calloc(code_count(reach_code(r, o)) + 1, 1));
    walk(&p, (struct func_ref){0, entry});
    const struct code_func *f = &c->funcs.items[entry];
    for (uint32_t i = f->edges; i < f[1].edges; i++) {
        const struct code_edge *edge = &c->edges.items[i];
        if (edge->kind != EDGE_REF && edge->kind != EDGE_LOAD) continue;
        p.targets = 0;
        p.ends = false;
        reach_targets(r, 0, edge, note_target, &p);
        /* The first is main; older libraries take the addresses of two more. */
        if (p.targets == 1) walk(&p, p.target);
    }
    for (uint32_t o = 0; o < reach_objects(r); o++)
        free(p.seen[o]);
    free(p.seen);
}
