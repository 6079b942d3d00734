/* SPDX-License-Identifier: MIT */
/* Constants through one function: what registers and the stack words near rsp may hold.  Owns
 * the analysis of the function that was asked about last. */
#include <stdlib.h>
#include <string.h>

#include <rewriter/list.h>
#include <rewriter/sites.h>

#define SLOTS 8         /* stack words followed at a time */
#define INSNS_MAX 60000 /* of a function; a larger one gets no answer */
#define ROUNDS_MAX 40   /* over the function, until nothing changes */
#define CALLER_SAVED                                                                               \
    (1u << GPR_AX | 1u << GPR_CX | 1u << GPR_DX | 1u << GPR_SI | 1u << GPR_DI | 0xf00u)

struct state {
    bool reached;
    bool stack_known;
    int64_t sp; /* rsp minus its value at the function's entry */
    struct values regs[GPR_COUNT];
    struct {
        int64_t at; /* relative to rsp at entry */
        struct values value;
    } slots[SLOTS];
};

struct flow {
    const struct code *code;
    uint32_t func;
    bool known;
    struct insn *insns;
    size_t count;
    struct state *in; /* at the begin of each block */
    uint32_t *block;  /* instruction -> block */
    uint32_t blocks;
};

static const struct values any = {.kind = VALUES_ANY};

static struct values one(uint64_t value) {
    return value > UINT32_MAX && value < (uint64_t)INT32_MIN
               ? any
               : (struct values){.kind = VALUES_SET, .n = 1, .v = {(uint32_t)value}};
}

static bool equal(const struct values *a, const struct values *b) {
    if (a->kind != b->kind) return false;
    if (a->kind == VALUES_ENTRY) return a->entry == b->entry;
    if (a->kind != VALUES_SET) return true;
    return a->n == b->n && a->more == b->more && memcmp(a->v, b->v, a->n * sizeof(a->v[0])) == 0;
}

static struct values merge(const struct values *a, const struct values *b) {
    if (a->kind == VALUES_NONE) return *b;
    if (b->kind == VALUES_NONE || equal(a, b)) return *a;
    if (a->kind != VALUES_SET && b->kind != VALUES_SET) return any;
    struct values all = a->kind == VALUES_SET ? *a : *b;
    if (a->kind != b->kind) {
        all.more = true;
        return all;
    }
    all.more |= b->more;
    for (uint8_t i = 0; i < b->n; i++) {
        uint8_t j = 0;
        while (j < all.n && all.v[j] != b->v[i])
            j++;
        if (j < all.n) continue;
        if (all.n == VALUES_MAX) return any;
        all.v[all.n++] = b->v[i];
    }
    return all;
}

/* The value with its lowest byte replaced. */
static struct values with_byte(const struct values *value, uint64_t byte) {
    struct values v = *value;
    if (v.kind != VALUES_SET) return any;
    for (uint8_t i = 0; i < v.n; i++)
        v.v[i] = (v.v[i] & ~0xffu) | (uint32_t)(byte & 0xff);
    return v;
}

static struct values read_slot(const struct state *s, int64_t at) {
    if (!s->stack_known) return any;
    for (int i = 0; i < SLOTS; i++)
        if (s->slots[i].value.kind != VALUES_NONE && s->slots[i].at == at) return s->slots[i].value;
    return at == 8 ? (struct values){.kind = VALUES_ENTRY, .entry = WORD_ARGUMENT} : any;
}

static void write_slot(struct state *s, int64_t at, struct values value) {
    int place = -1;
    if (!s->stack_known) return;
    for (int i = 0; i < SLOTS; i++) {
        if (s->slots[i].value.kind == VALUES_NONE && place < 0) place = i;
        if (s->slots[i].value.kind != VALUES_NONE && s->slots[i].at == at) {
            place = i;
            break;
        }
    }
    /* Full: the word that is farthest from the top is forgotten. */
    for (int i = 0; place < 0 && i < SLOTS; i++)
        if (place < 0 || s->slots[i].at > s->slots[place].at) place = i;
    s->slots[place].at = at;
    s->slots[place].value = value;
}

static void forget_slots(struct state *s) { memset(s->slots, 0, sizeof(s->slots)); }

static void set(struct state *s, uint8_t reg, struct values value) {
    if (reg >= GPR_COUNT) return;
    if (reg == GPR_SP) {
        s->stack_known = false;
        forget_slots(s);
    }
    s->regs[reg] = value;
}

static struct values source(const struct state *s, const struct insn *i) {
    return i->src == GPR_NONE ? one(i->imm) : i->src == GPR_SP ? any : s->regs[i->src];
}

static void clobber(struct state *s, uint32_t mask) {
    for (uint8_t reg = 0; reg < GPR_COUNT; reg++)
        if (mask >> reg & 1) set(s, reg, any);
}

static void step(const struct flow *f, struct state *s, const struct insn *i) {
    if (i->kind == INSN_CALL) {
        /* Go saves no registers for its caller. */
        clobber(s, f->code->elf->is_go ? 0xffffu & ~(1u << GPR_SP) : CALLER_SAVED);
        return; /* the frame is ours: what was put aside there is there again */
    }
    if (i->kind == INSN_SYSCALL || i->kind == INSN_INT80) {
        clobber(s, 1u << GPR_AX | 1u << GPR_CX | 1u << 11);
        return;
    }
    switch (i->effect) {
    case EFFECT_CONST:
        return set(s, i->dst, one(i->imm));
    case EFFECT_BYTE:
        return set(s, i->dst, with_byte(&s->regs[i->dst], i->imm));
    case EFFECT_COPY:
        return set(s, i->dst, i->src == GPR_SP ? any : s->regs[i->src]);
    case EFFECT_MERGE:
        return set(s, i->dst, merge(&s->regs[i->dst], &s->regs[i->src]));
    case EFFECT_LOAD:
        return set(s, i->dst, read_slot(s, s->sp + i->disp));
    case EFFECT_STORE:
        return write_slot(s, s->sp + i->disp, source(s, i));
    case EFFECT_PUSH:
        s->sp -= 8;
        return write_slot(s, s->sp, source(s, i));
    case EFFECT_POP: {
        struct values value = read_slot(s, s->sp);
        s->sp += 8;
        return set(s, i->dst, value);
    }
    case EFFECT_STACK:
        s->sp += (int64_t)i->imm;
        return;
    default:
        clobber(s, i->clobbers);
    }
}

/* Joins b into a; true if a changed. */
static bool join(struct state *a, const struct state *b) {
    if (!a->reached) {
        *a = *b;
        a->reached = true;
        return true;
    }
    bool changed = false;
    for (int r = 0; r < GPR_COUNT; r++) {
        struct values v = merge(&a->regs[r], &b->regs[r]);
        changed |= !equal(&v, &a->regs[r]);
        a->regs[r] = v;
    }
    if (a->stack_known && (!b->stack_known || a->sp != b->sp)) {
        a->stack_known = false;
        forget_slots(a);
        return true;
    }
    for (int i = 0; a->stack_known && i < SLOTS; i++) {
        if (a->slots[i].value.kind == VALUES_NONE) continue;
        struct values there = read_slot(b, a->slots[i].at);
        struct values v = merge(&a->slots[i].value, &there);
        changed |= !equal(&v, &a->slots[i].value);
        a->slots[i].value = v;
    }
    return changed;
}

static size_t find_insn(const struct flow *f, uint64_t addr) {
    size_t low = 0, high = f->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (f->insns[middle].addr < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < f->count && f->insns[low].addr == addr ? low : f->count;
}

static bool decode(struct flow *f, const struct code_func *func) {
    size_t room = 0;
    const uint8_t *bytes = elf_in_at(f->code->elf, func->start, func->end - func->start);
    if (bytes == NULL) return false;
    for (uint64_t at = func->start; at < func->end && f->count < INSNS_MAX;) {
        f->insns = list_room(f->insns, f->count, &room, sizeof(*f->insns));
        struct insn *i = &f->insns[f->count];
        if (!disasm_next(f->code->disasm, bytes + (at - func->start), func->end - at, at, true, i))
            break;
        f->count++;
        at += i->len;
    }
    return f->count > 0 && f->count < INSNS_MAX;
}

static bool ends_block(const struct insn *i) {
    return i->kind == INSN_JUMP || i->kind == INSN_BRANCH || i->kind == INSN_RETURN ||
           i->kind == INSN_STOP;
}

static void find_blocks(struct flow *f) {
    bool *leader = list_must(calloc(f->count + 1, sizeof(*leader)));
    leader[0] = true;
    for (size_t i = 0; i < f->count; i++) {
        if (!ends_block(&f->insns[i])) continue;
        leader[i + 1] = true;
        if (f->insns[i].direct) leader[find_insn(f, f->insns[i].target)] = true;
    }
    f->block = list_must(calloc(f->count + 1, sizeof(*f->block)));
    for (size_t i = 0; i < f->count; i++) {
        f->blocks += leader[i];
        f->block[i] = f->blocks - 1;
    }
    free(leader);
    f->in = list_must(calloc(f->blocks, sizeof(*f->in)));
}

/* Blocks that nothing known leads to (jump tables, landing pads) begin with unknown values. */
static void seed(struct flow *f) {
    bool *entered = list_must(calloc(f->blocks, sizeof(*entered)));
    for (size_t i = 0; i < f->count; i++) {
        const struct insn *insn = &f->insns[i];
        size_t to = insn->direct ? find_insn(f, insn->target) : f->count;
        if (insn->kind != INSN_CALL && to < f->count) entered[f->block[to]] = true;
        bool falls = !ends_block(insn) || insn->kind == INSN_BRANCH;
        if (falls && i + 1 < f->count && f->block[i + 1] != f->block[i])
            entered[f->block[i + 1]] = true;
    }
    for (uint32_t b = 0; b < f->blocks; b++) {
        if (entered[b] && b != 0) continue;
        struct state *s = &f->in[b];
        s->reached = true;
        for (uint8_t r = 0; r < GPR_COUNT; r++)
            s->regs[r] = b == 0 ? (struct values){.kind = VALUES_ENTRY, .entry = r} : any;
        s->stack_known = b == 0;
    }
    free(entered);
}

/* One pass over the function; true if anything changed. */
static bool propagate(struct flow *f) {
    bool changed = false;
    struct state s = {0};
    for (size_t i = 0; i < f->count; i++) {
        const struct insn *insn = &f->insns[i];
        if (i == 0 || f->block[i] != f->block[i - 1]) s = f->in[f->block[i]];
        if (!s.reached) continue;
        step(f, &s, insn);
        size_t to = insn->direct && insn->kind != INSN_CALL ? find_insn(f, insn->target) : f->count;
        if (to < f->count) changed |= join(&f->in[f->block[to]], &s);
        bool falls = !ends_block(insn) || insn->kind == INSN_BRANCH;
        if (falls && i + 1 < f->count && f->block[i + 1] != f->block[i])
            changed |= join(&f->in[f->block[i + 1]], &s);
    }
    return changed;
}

static struct values value_before(const struct flow *f, size_t at, uint8_t reg) {
    size_t i = at;
    while (i > 0 && f->block[i - 1] == f->block[at])
        i--;
    struct state s = f->in[f->block[at]];
    if (!s.reached) return any;
    for (; i < at; i++)
        step(f, &s, &f->insns[i]);
    if (reg < GPR_COUNT) return s.regs[reg];
    /* A callee finds the first word above its return address; a jump passes on our own. */
    return read_slot(&s, f->insns[at].kind == INSN_CALL ? s.sp : s.sp + 8);
}

void code_forget_flow(struct code *c) {
    struct flow *f = c->flow;
    if (f == NULL) return;
    free(f->insns);
    free(f->block);
    free(f->in);
    free(f);
    c->flow = NULL;
}

/* Questions come function by function, so the answers to the last one are kept. */
static const struct flow *flow_of(struct code *c, uint32_t func) {
    struct flow *f = c->flow;
    if (f != NULL && f->func == func) return f;
    code_forget_flow(c);
    f = list_must(calloc(1, sizeof(*f)));
    f->code = c;
    f->func = func;
    c->flow = f;
    if (!decode(f, &c->funcs.items[func])) return f;
    find_blocks(f);
    seed(f);
    f->known = true;
    for (int round = 0; propagate(f); round++)
        if (round == ROUNDS_MAX) {
            f->known = false;
            break;
        }
    return f;
}

struct values code_values_at(struct code *c, uint32_t func, uint64_t addr, uint8_t reg) {
    const struct flow *f = flow_of(c, func);
    size_t at = f->known ? find_insn(f, addr) : 0;
    return f->known && at < f->count ? value_before(f, at, reg) : any;
}
