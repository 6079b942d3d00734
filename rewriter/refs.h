/* SPDX-License-Identifier: MIT */
/* Which addresses of code something may lead to, for proofs that nothing does: it errs on the safe
 * side.  Every place in the code is read as if a branch or an operand lay there, whether or not an
 * instruction is known to; so are relocations, symbols, tables of offsets and, at fixed addresses,
 * all words of the file.  Not here: short branches (two bytes, up to 128 bytes away). */
#ifndef REWRITER_REFS_H
#define REWRITER_REFS_H

#include <rewriter/sites.h>

struct refs {
    uint64_t low, high; /* addresses of code */
    uint8_t *hit;       /* a bit each: code may lead there */
    uint8_t *firm;      /* likewise: data does, or it is a function's start */
    uint8_t *table;     /* a bit for each word that code may take the address of */
    uint64_t table_low, table_high;
    const struct code *code;
};

void refs_build(struct refs *r, const struct code *c);
void refs_free(struct refs *r);
/* Does anything but code lead there? */
bool refs_firm(const struct refs *r, uint64_t addr);
/* The places from where code may lead there, one after the other: *at from 0 on, the displacement's
 * address.  False: there are no more. */
bool refs_next(const struct refs *r, uint64_t addr, uint64_t *at);
/* The places outside of [start, end) from where a short branch may lead to addr, one after the
 * other: *at from 0 on.  False: there are no more. */
bool refs_short(const struct refs *r, uint64_t addr, uint64_t start, uint64_t end, uint64_t *at);

#endif
