/* SPDX-License-Identifier: MIT */
/* The instructions of one function, and which of them are proven to be instructions: those that
 * execution gets to from the function's start, and the others if decoding one after the other
 * meets no contradiction anywhere in the function. */
#ifndef REWRITER_BODY_H
#define REWRITER_BODY_H

#include <rewriter/sites.h>

struct body_insn {
    struct insn i;
    bool reached;  /* by following the code from the start */
    bool overlaps; /* another instruction shares bytes with it */
};

struct body {
    uint64_t start, end;
    const uint8_t *bytes;
    ELF_LIST(struct body_insn) insns; /* in no order */
    uint32_t *at;                     /* by offset: index + 1 of the instruction there, or 0 */
    bool clean;                       /* decoding straight through agrees with what is reached */
    bool known_start;                 /* the start is a function's */
};

/* NULL: too large, or not in the file.  body_free(NULL) is fine. */
struct body *body_open(const struct code *c, uint32_t func);
void body_free(struct body *b);

/* The proven instruction at addr; the one that ends there; NULL: none. */
const struct body_insn *body_at(const struct body *b, uint64_t addr);
const struct body_insn *body_before(const struct body *b, uint64_t addr);
/* The proven instruction that the byte at addr is in the middle of; NULL: none. */
const struct body_insn *body_around(const struct body *b, uint64_t addr);
/* Does a direct branch of this function lead there? */
bool body_branches_to(const struct body *b, uint64_t addr);
/* May execution go from its last instruction on to what follows the function? */
bool body_falls_through(const struct body *b);

#endif
