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
    uint8_t *hit;       /* a bit each */
    uint8_t *table;     /* a bit for each word that code may take the address of */
    uint64_t table_low, table_high;
    const struct code *code;
};

void refs_build(struct refs *r, const struct code *c);
void refs_free(struct refs *r);
bool refs_hit(const struct refs *r, uint64_t addr);
/* May a short branch outside of [start, end) lead there? */
bool refs_short(const struct refs *r, uint64_t addr, uint64_t start, uint64_t end);

#endif
