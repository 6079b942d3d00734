/* SPDX-License-Identifier: MIT */
/* Which sites of an object become jumps, and how: decides, changes nothing. */
#ifndef REWRITER_PLAN_H
#define REWRITER_PLAN_H

#include <hermit/rewrite.h>
#include <rewriter/refs.h>

#define MOVED_MAX 8       /* instructions */
#define PLAN_PATCH_MAX 32 /* bytes that change in a row */

struct plan_moved {
    uint8_t off, len; /* from the first one's start */
    uint8_t rip_disp; /* as in struct insn */
};

struct plan_site {
    uint64_t addr;
    uint32_t func;     /* index into code.funcs */
    uint8_t tier;      /* enum hermit_tier */
    const char *why;   /* HERMIT_TIER_NONE: why not (static) */
    bool proven;       /* that it is a `syscall` instruction */
    bool keep;         /* it is meant to stay: rt_sigreturn, Hermit's own libc */
    int64_t number;    /* of the call, where it is known; else -1 */
    bool number_moved; /* the moved instructions themselves set it */
    uint8_t moved;     /* bytes of moved instructions */
    uint8_t patched;   /* of those, bytes that the jump replaces; the rest stays too */
    uint8_t nmoved;
    struct plan_moved insns[MOVED_MAX];
    uint64_t hole; /* HERMIT_TIER_HOLE: where jmp rel32 goes */
    uint64_t nop;  /* the executed NOP that the hole is in, 0: none */
    uint8_t nop_len;
};

#define PLAN_TIER(tier) (1u << (tier))
#define PLAN_TIERS_ALL                                                                             \
    (PLAN_TIER(HERMIT_TIER_PREVIOUS) | PLAN_TIER(HERMIT_TIER_WINDOW) | PLAN_TIER(HERMIT_TIER_HOLE))

struct plan {
    struct code *code;
    struct refs refs;
    ELF_LIST(struct plan_site) sites;         /* by address; int $0x80 is not among them */
    ELF_LIST(struct elf_range) locked;        /* bytes that are spoken for */
    ELF_LIST(uint64_t) rejected;              /* 0f 05 that is not an instruction */
    ELF_LIST(uint64_t) int80, sysenter, vsys; /* other ways into the kernel */
    struct body **bodies;                     /* by function, opened when asked for */
};

/* tiers: PLAN_TIER bits. */
void plan_build(struct plan *p, struct code *c, unsigned tiers);
void plan_free(struct plan *p);

/* plan*.c only. */
const struct body *plan_body(struct plan *p, uint32_t func);
/* May anything but the instruction before it lead there?  b: of the function that addr is in. */
bool plan_may_enter(struct plan *p, const struct body *b, uint64_t addr);
bool plan_is_free(const struct plan *p, uint64_t start, uint64_t end);
void plan_lock(struct plan *p, uint64_t start, uint64_t end);
/* plan_hole.c: five bytes that are never executed, for a jmp rel8 at s->addr. */
bool plan_hole(struct plan *p, struct plan_site *s);

#endif
