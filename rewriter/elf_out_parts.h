/* SPDX-License-Identifier: MIT */
/* What the files of elf_out share. */
#ifndef REWRITER_ELF_OUT_PARTS_H
#define REWRITER_ELF_OUT_PARTS_H

#include <elf.h>

#include <rewriter/elf_out.h>

#define ELF_OUT_PHDRS_MAX 128

/* The file being written, with its headers at hand. */
struct writer {
    const struct elf_in *e;
    const struct stubs *s;
    uint8_t *bytes;
    uint64_t size, room;
    Elf64_Ehdr head;
    Elf64_Phdr phdrs[ELF_OUT_PHDRS_MAX + 1];
    uint64_t linux_off, hermit_off; /* hermit_off 0: none */
};

/* Adds to the end of the file; where in it. */
uint64_t elf_out_append(struct writer *w, const void *bytes, uint64_t size, uint64_t align);

/* elf_out_symbols.c: names for the stubs in the symbol table, if there is one; section: the index
 * of the stubs'. */
void elf_out_symbols(struct writer *w, Elf64_Shdr *sections, uint16_t count, uint16_t section);

#endif
