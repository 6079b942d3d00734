/* SPDX-License-Identifier: MIT */
/* Tier hole: room for a jmp rel32 that the two bytes of a site can jump to.  Padding behind an
 * instruction that does not go on, padding between functions, and the inside of long NOPs. */
#include <rewriter/body.h>
#include <rewriter/plan.h>

#define HOLE_SIZE 5
#define NOP_MIN 7 /* jmp rel8 over a jmp rel32 */

/* Nothing leads to any byte of it. */
static bool is_dead(struct plan *p, const struct body *b, uint64_t start, uint64_t end) {
    for (uint64_t at = start; at < end; at++)
        if (plan_may_enter(p, b, at)) return false;
    return true;
}

static bool take(struct plan *p, struct plan_site *s, uint64_t hole, uint64_t nop,
                 uint8_t nop_len) {
    int64_t distance = (int64_t)(hole - s->addr - 2);
    if (distance < INT8_MIN || distance > INT8_MAX) return false;
    uint64_t start = nop != 0 ? nop : hole, end = nop != 0 ? nop + nop_len : hole + HOLE_SIZE;
    if (!plan_is_free(p, start, end)) return false;
    s->hole = hole;
    s->nop = nop;
    s->nop_len = nop_len;
    plan_lock(p, start, end);
    return true;
}

/* Takes the first five bytes of [start, end) that are within reach and dead.  What is dead ends at
 * the first byte that something leads to, because that goes on. */
static bool take_dead(struct plan *p, struct plan_site *s, const struct body *b, uint64_t start,
                      uint64_t end) {
    for (uint64_t at = start; at + HOLE_SIZE <= end; at++) {
        if (!is_dead(p, b, at, at + 1)) return false;
        if (is_dead(p, b, at, at + HOLE_SIZE) && take(p, s, at, 0, 0)) return true;
    }
    return false;
}

static bool ends_flow(const struct insn *i) {
    return i->kind == INSN_JUMP || i->kind == INSN_RETURN || i->kind == INSN_STOP;
}

static bool in_body(struct plan *p, struct plan_site *s, const struct body *b) {
    for (uint64_t at = b->start; at < b->end;) {
        const struct body_insn *it = body_at(b, at);
        uint64_t start = at;
        at += it != NULL ? it->i.len : 1;
        if (it == NULL || at + 150 < s->addr || start > s->addr + 150) continue;
        if (it->i.kind == INSN_PADDING && it->i.len >= NOP_MIN && it->i.movable) {
            if (is_dead(p, b, start + 1, at) && take(p, s, start + 2, start, it->i.len))
                return true;
        }
        if (!ends_flow(&it->i)) continue;
        uint64_t end = at;
        const struct body_insn *pad;
        while ((pad = body_at(b, end)) != NULL && pad->i.kind == INSN_PADDING && !pad->reached)
            end += pad->i.len;
        if (take_dead(p, s, b, at, end)) return true;
    }
    return false;
}

/* A gap between functions that holds padding only. */
static bool in_gap(struct plan *p, struct plan_site *s, uint32_t func) {
    const struct code_func *f = &p->code->funcs.items[func];
    const struct body *gap = plan_body(p, func);
    if (func == 0 || f[-1].end != f->start || gap == NULL) return false;
    const struct body *before = plan_body(p, func - 1);
    if (before == NULL || body_falls_through(before)) return false;
    for (uint64_t at = f->start; at < f->end;) {
        struct insn i;
        if (!disasm_next(p->code->disasm, gap->bytes + (at - f->start), f->end - at, at, false, &i))
            return false;
        if (i.kind != INSN_PADDING) return false;
        at += i.len;
    }
    return take_dead(p, s, gap, f->start, f->end);
}

bool plan_hole(struct plan *p, struct plan_site *s) {
    const struct code *c = p->code;
    for (uint32_t func = s->func; func != FUNC_NONE; func--) {
        const struct code_func *f = &c->funcs.items[func];
        if (f->end + 130 < s->addr) break;
        bool gap = f->is_gap && !f->is_start;
        const struct body *b = gap ? NULL : plan_body(p, func);
        if (gap ? in_gap(p, s, func) : b != NULL && in_body(p, s, b)) return true;
    }
    for (uint32_t func = s->func + 1; func < code_count(c); func++) {
        const struct code_func *f = &c->funcs.items[func];
        if (f->start > s->addr + 130) break;
        bool gap = f->is_gap && !f->is_start;
        const struct body *b = gap ? NULL : plan_body(p, func);
        if (gap ? in_gap(p, s, func) : b != NULL && in_body(p, s, b)) return true;
    }
    return false;
}
