/* SPDX-License-Identifier: MIT */
/* Writes the object that a plan leads to: the old bytes with the patches, the stub segment behind
 * them, a program header for it and sections that describe it. */
#ifndef REWRITER_ELF_OUT_H
#define REWRITER_ELF_OUT_H

#include <rewriter/stubs.h>

struct elf_out {
    uint8_t *bytes; /* malloc'ed */
    size_t size;
};

/* Where the stub segment of an object goes. */
uint64_t elf_out_addr(const struct elf_in *e);
/* hermit: both versions of the stubs.  NULL, or why not (static); then out holds nothing. */
const char *elf_out_write(struct elf_out *out, const struct elf_in *e, const struct stubs *s,
                          bool hermit);
/* Has the object stubs already? */
bool elf_out_is_rewritten(const struct elf_in *e);

#endif
