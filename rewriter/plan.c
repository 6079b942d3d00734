/* SPDX-License-Identifier: MIT */
/* See plan.h: tiers previous and window, and which sites to leave alone. */
#include <stdlib.h>
#include <string.h>

#include <rewriter/body.h>
#include <rewriter/list.h>
#include <rewriter/plan.h>

#define JUMP_SIZE 5
#define SITE_SIZE 2
#define NR_RT_SIGRETURN 15
#define CODE_MIN 16   /* instructions in a row that data does not look like */
#define CALLERS_MAX 8 /* calls in a row that show that something is a function */
#define VSYSCALL 0xffffffffff600000ull

const struct body *plan_body(struct plan *p, uint32_t func) {
    if (p->bodies[func] == NULL) p->bodies[func] = body_open(p->code, func);
    return p->bodies[func];
}

bool plan_is_free(const struct plan *p, uint64_t start, uint64_t end) {
    for (size_t i = 0; i < p->locked.count; i++)
        if (start < p->locked.items[i].end && end > p->locked.items[i].start) return false;
    return true;
}

void plan_lock(struct plan *p, uint64_t start, uint64_t end) {
    LIST_PUSH(&p->locked, (struct elf_range){start, end});
}

/* The function around addr, if exceptions may enter it in the middle. */
static const struct elf_pads_in *pads_around(const struct plan *p, uint64_t addr) {
    const struct elf_in *e = p->code->elf;
    size_t low = 0, high = e->pads_in.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (e->pads_in.items[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < e->pads_in.count && e->pads_in.items[low].start <= addr ? &e->pads_in.items[low]
                                                                         : NULL;
}

/* The proven instruction that has the byte at `at` in its middle. */
static const struct body_insn *around(struct plan *p, uint64_t at) {
    uint32_t func = code_func_at(p->code, at);
    const struct body *b = func != FUNC_NONE ? plan_body(p, func) : NULL;
    return b != NULL ? body_around(b, at) : NULL;
}

/* Short branches of other functions: what looks like one inside of a proven instruction is none. */
static bool short_enters(struct plan *p, const struct body *b, uint64_t addr) {
    for (uint64_t at = 0; refs_short(&p->refs, addr, b->start, b->end, &at);)
        if (around(p, at) == NULL) return true;
    return false;
}

/* Likewise, what looks like a displacement may be part of an instruction that leads elsewhere. */
static bool long_enters(struct plan *p, uint64_t addr) {
    for (uint64_t at = 0; refs_next(&p->refs, addr, &at);) {
        const struct body_insn *it = around(p, at);
        if (it == NULL || it->i.target == addr || it->i.mem == addr) return true;
    }
    return false;
}

bool plan_may_enter(struct plan *p, const struct body *b, uint64_t addr) {
    return refs_firm(&p->refs, addr) || body_branches_to(b, addr) || short_enters(p, b, addr) ||
           long_enters(p, addr);
}

static void push_front(struct plan_site *s, const struct insn *i) {
    memmove(s->insns + 1, s->insns, s->nmoved * sizeof(s->insns[0]));
    for (uint8_t n = 1; n <= s->nmoved; n++)
        s->insns[n].off = (uint8_t)(s->insns[n].off + i->len);
    s->insns[0] = (struct plan_moved){.len = i->len, .rip_disp = i->rip_disp};
    s->nmoved++;
    s->moved = (uint8_t)(s->moved + i->len);
}

/* Do the moved instructions set the call's number? */
static void find_number(struct plan_site *s, const struct body *b) {
    int64_t number = -1;
    for (uint8_t n = 0; n < s->nmoved; n++) {
        const struct insn *i = &body_at(b, s->addr - s->moved + s->insns[n].off)->i;
        if (i->effect == EFFECT_CONST && i->dst == GPR_AX)
            number = (int64_t)(uint32_t)i->imm;
        else if (i->clobbers >> GPR_AX & 1)
            number = -1;
    }
    if (number >= 0) s->number = number;
    s->number_moved = number >= 0 && number < HERMIT_GS_CALLS_COUNT;
}

/* Of the moved instructions, those that the jump overwrites at least in part must not be entered.
 * The others stay where they are: who enters them gets to the `syscall`. */
static bool is_overwritten_safely(struct plan *p, struct plan_site *s, const struct body *b) {
    uint64_t first = s->addr - s->moved;
    const struct elf_pads_in *pads = pads_around(p, s->addr);
    for (uint8_t n = 1; n < s->nmoved && s->insns[n].off < JUMP_SIZE; n++) {
        s->why = "exceptions may enter the instructions before it";
        if (pads != NULL && !pads->known) return false;
        s->why = "something may branch to the instructions before it";
        if (plan_may_enter(p, b, first + s->insns[n].off)) return false;
    }
    return true;
}

static void find_patched(struct plan_site *s) {
    s->patched = s->moved;
    for (uint8_t n = s->nmoved; n-- > 1 && s->insns[n].off >= JUMP_SIZE;)
        s->patched = s->insns[n].off;
}

static bool try_moving(struct plan *p, struct plan_site *s, const struct body *b, unsigned tiers) {
    for (uint64_t from = s->addr; s->nmoved < MOVED_MAX; from = s->addr - s->moved) {
        const struct body_insn *it = body_before(b, from);
        if (s->moved < JUMP_SIZE)
            s->why = "the instructions before it are too short or cannot be moved";
        if (it == NULL || !it->i.movable || s->moved + it->i.len > PLAN_PATCH_MAX) return false;
        push_front(s, &it->i);
        if (s->moved < JUMP_SIZE) continue;
        s->tier = s->nmoved == 1 ? HERMIT_TIER_PREVIOUS : HERMIT_TIER_WINDOW;
        if ((tiers & PLAN_TIER(s->tier)) == 0) {
            s->why = "its tier is not asked for";
            continue;
        }
        if (!is_overwritten_safely(p, s, b)) continue;
        s->why = "the instructions before it serve another site";
        if (!plan_is_free(p, s->addr - s->moved, s->addr + SITE_SIZE)) return false;
        find_number(s, b);
        find_patched(s);
        return true;
    }
    return false;
}

static void forget_moved(struct plan_site *s) {
    s->tier = HERMIT_TIER_NONE;
    s->moved = s->nmoved = 0;
    s->number_moved = false;
}

/* What unwinders and debuggers recognise by its bytes. */
static bool is_sigreturn(const struct plan *p, const struct plan_site *s,
                         const struct values *number) {
    static const uint8_t mov[] = {0xc7, 0xc0, NR_RT_SIGRETURN, 0, 0, 0};
    for (uint8_t n = 0; number->kind == VALUES_SET && n < number->n; n++)
        if (number->v[n] == NR_RT_SIGRETURN) return true;
    const uint8_t *at = elf_in_at(p->code->elf, s->addr - sizeof(mov), sizeof(mov));
    return at != NULL && (memcmp(at, mov, sizeof(mov)) == 0 ||
                          (at[1] == 0xb8 && memcmp(at + 2, mov + 2, sizeof(mov) - 2) == 0));
}

/* Hermit's libc (musl/) is there already: jmp *%gs:SLOT, and the site for other systems behind it,
 * which a branch leads to.  Its two bytes also restart the call, so they stay. */
static bool is_direct(const struct plan *p, const struct plan_site *s) {
    static const uint8_t jmp[] = {0x65, 0xff, 0x24, 0x25};
    uint32_t slot;
    const uint8_t *at = elf_in_at(p->code->elf, s->addr - 8, 8);
    if (at == NULL || memcmp(at, jmp, sizeof(jmp)) != 0) return false;
    memcpy(&slot, at + sizeof(jmp), sizeof(slot));
    return slot >= HERMIT_GS_CALLS && slot <= HERMIT_GS_DOOR;
}

/* A function begins there for certain: the file says so, or one of which that is certain calls it.
 */
static bool is_certain(struct plan *p, uint32_t func, int depth) {
    const struct code *c = p->code;
    const struct code_func *f = &c->funcs.items[func];
    if (!f->is_guess) return f->is_start || !f->is_gap;
    if (depth == CALLERS_MAX) return false;
    for (size_t i = 0; i < c->edges.count; i++) {
        const struct code_edge *edge = &c->edges.items[i];
        if (edge->kind != EDGE_CALL || edge->target != f->start) continue;
        uint32_t caller = code_func_at(c, edge->at);
        const struct body *b = caller != FUNC_NONE ? plan_body(p, caller) : NULL;
        const struct body_insn *it = b != NULL ? body_at(b, edge->at) : NULL;
        if (it != NULL && it->reached && is_certain(p, caller, depth + 1)) return true;
    }
    return false;
}

/* Does code that is certain take the function's address? */
static bool is_referred(struct plan *p, uint32_t func) {
    const struct code *c = p->code;
    for (size_t i = 0; i < c->edges.count; i++) {
        const struct code_edge *edge = &c->edges.items[i];
        if (edge->kind != EDGE_REF || edge->target != c->funcs.items[func].start) continue;
        uint32_t caller = code_func_at(c, edge->at);
        if (caller != FUNC_NONE && is_certain(p, caller, 0)) return true;
    }
    return false;
}

/* What only an address leads to may be data; but data is not code from end to end, nor does it set
 * the number of a system call. */
static bool is_proven(struct plan *p, const struct plan_site *s, const struct body *b) {
    const struct body_insn *it = b != NULL ? body_at(b, s->addr) : NULL;
    if (it == NULL || it->i.kind != INSN_SYSCALL) return false;
    if (is_certain(p, s->func, 0)) return true;
    if (!b->clean || !it->reached) return false;
    return (s->number >= 0 && s->number < HERMIT_GS_CALLS_COUNT) ||
           (b->insns.count >= CODE_MIN && !body_falls_through(b) && is_referred(p, s->func));
}

static bool is_writable(const struct plan *p, uint64_t addr) {
    const struct elf_in *e = p->code->elf;
    for (size_t i = 0; i < e->segments.count; i++)
        if (addr - e->segments.items[i].addr < e->segments.items[i].size &&
            e->segments.items[i].write)
            return true;
    return false;
}

static void plan_one(struct plan *p, struct plan_site *s, const struct values *number,
                     unsigned tiers) {
    const struct body *b = plan_body(p, s->func);
    bool one = number->kind == VALUES_SET && number->n == 1 && !number->more;
    s->number = one ? (int64_t)number->v[0] : -1;
    s->proven = is_proven(p, s, b);
    s->why = "not proven to be an instruction";
    if (!s->proven) return;
    s->why = "in memory that the program may write to";
    if (is_writable(p, s->addr)) return;
    s->why = "rt_sigreturn: unwinders recognise the bytes";
    s->keep = is_sigreturn(p, s, number);
    if (s->keep) return;
    s->why = "enters Hermit's kernel already";
    s->keep = is_direct(p, s);
    if (s->keep) return;
    if (!try_moving(p, s, b, tiers)) {
        const char *why = s->why;
        forget_moved(s);
        /* During a call through a hole the program counter is in the stub on Linux, and landing
         * pads are found by the function's own. */
        if ((tiers & PLAN_TIER(HERMIT_TIER_HOLE)) == 0 || pads_around(p, s->addr) != NULL ||
            !plan_hole(p, s)) {
            s->why = why;
            return;
        }
        s->tier = HERMIT_TIER_HOLE;
    }
    s->why = NULL;
    plan_lock(p, s->addr - s->moved, s->addr + SITE_SIZE);
}

static bool is_site(const struct plan *p, uint64_t addr) {
    const struct code *c = p->code;
    size_t low = 0, high = c->sites.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->sites.items[middle].addr < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->sites.count && c->sites.items[low].addr == addr && !c->sites.items[low].int80;
}

/* One of the page's three entries. */
static bool is_vsyscall(uint64_t word) {
    return word == VSYSCALL || word == VSYSCALL + 0x400 || word == VSYSCALL + 0x800;
}

/* Bytes that look like a way into the kernel. */
static void note_bytes(struct plan *p) {
    for (size_t i = 0; i < p->code->elf->code.count; i++) {
        const struct elf_piece *piece = &p->code->elf->code.items[i];
        for (uint64_t off = 0; off + 2 <= piece->nbytes; off++) {
            const uint8_t *b = piece->bytes + off;
            uint64_t addr = piece->addr + off;
            if (b[0] == 0x0f && b[1] == 0x05 && !is_site(p, addr)) LIST_PUSH(&p->rejected, addr);
            uint32_t func = b[0] == 0x0f && b[1] == 0x34 ? code_func_at(p->code, addr) : FUNC_NONE;
            const struct body *body = func != FUNC_NONE ? plan_body(p, func) : NULL;
            if (body != NULL && body_at(body, addr) != NULL) LIST_PUSH(&p->sysenter, addr);
            int32_t word;
            if (off + 4 > piece->nbytes) continue;
            memcpy(&word, b, sizeof(word));
            if (is_vsyscall((uint64_t)(int64_t)word)) LIST_PUSH(&p->vsys, addr);
        }
    }
}

void plan_build(struct plan *p, struct code *c, unsigned tiers) {
    *p = (struct plan){.code = c};
    refs_build(&p->refs, c);
    p->bodies = list_must(calloc((size_t)code_count(c) + 1, sizeof(struct body *)));
    for (size_t i = 0; i < c->sites.count; i++) {
        const struct code_site *site = &c->sites.items[i];
        if (site->int80) {
            const struct body *b = plan_body(p, site->func);
            if (b != NULL && body_at(b, site->addr) != NULL) LIST_PUSH(&p->int80, site->addr);
            continue;
        }
        LIST_PUSH(&p->sites, (struct plan_site){.addr = site->addr, .func = site->func});
    }
    for (size_t i = 0, n = 0; i < c->sites.count; i++)
        if (!c->sites.items[i].int80)
            plan_one(p, &p->sites.items[n++], &c->sites.items[i].number, tiers);
    note_bytes(p);
}

void plan_free(struct plan *p) {
    for (uint32_t i = 0; i < code_count(p->code); i++)
        body_free(p->bodies[i]);
    free(p->bodies);
    refs_free(&p->refs);
    LIST_FREE(&p->sites);
    LIST_FREE(&p->locked);
    LIST_FREE(&p->rejected);
    LIST_FREE(&p->int80);
    LIST_FREE(&p->sysenter);
    LIST_FREE(&p->vsys);
}
