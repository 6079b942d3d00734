/* SPDX-License-Identifier: MIT */
/* Reads an x86-64 ELF file for analysis: what is loaded where, what it links to, where functions
 * begin.  Files are not trusted: every offset is checked, what does not make sense is left out. */
#ifndef REWRITER_ELF_IN_H
#define REWRITER_ELF_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A loaded piece of the file.  bytes may be fewer than the piece has in memory (.bss). */
struct elf_piece {
    uint64_t addr, size;
    const uint8_t *bytes;
    uint64_t nbytes;
    bool exec, write;
};

struct elf_range {
    uint64_t start, end;
};

/* A function that .eh_frame describes. */
struct elf_unwind {
    uint64_t start, end;
    uint64_t fde, cie; /* addresses of its records */
};

/* A function that exceptions may enter in the middle.  known: all of the places are. */
struct elf_pads_in {
    uint64_t start, end;
    bool known;
};

struct elf_symbol {
    const char *name;
    uint64_t addr, size;
    uint8_t type; /* STT_* */
    bool defined, exported, weak;
};

enum elf_reloc_kind {
    ELF_RELOC_BASE,    /* the word at `where` is load address + value */
    ELF_RELOC_IFUNC,   /* the word at `where` is what the function at `value` returns */
    ELF_RELOC_POINTER, /* the word at `where` is the symbol's address: a pointer in data */
    ELF_RELOC_SLOT,    /* the same, in a table that only code uses (GOT) */
};

struct elf_reloc {
    uint64_t where, value;
    const char *symbol; /* NULL: none */
    enum elf_reloc_kind kind;
};

#define ELF_LIST(type)                                                                             \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, room;                                                                        \
    }

struct elf_in {
    const uint8_t *bytes;
    size_t size;
    uint16_t type; /* ET_EXEC, ET_DYN */
    uint64_t entry;
    const char *interp; /* NULL: static */
    const char *soname, *rpath, *runpath;
    uint32_t isa_needed; /* GNU_PROPERTY_X86_ISA_1_* bits, 0: not said */
    bool is_go;          /* made by the Go compiler: registers are passed its own way */
    bool exec_stack;
    bool text_relocs;              /* ld.so writes into code */
    uint64_t init, fini;           /* functions, 0: none */
    ELF_LIST(const char *) needed; /* DT_NEEDED in order */
    ELF_LIST(struct elf_piece) segments;
    ELF_LIST(struct elf_piece) code; /* executable sections; without sections, segments */
    ELF_LIST(struct elf_symbol) symbols;
    ELF_LIST(struct elf_symbol) go_funcs; /* Go's own table, which is never stripped */
    ELF_LIST(struct elf_reloc) relocs;    /* sorted by where */
    ELF_LIST(struct elf_unwind) unwinds;  /* by start */
    uint64_t eh_frame, eh_frame_hdr;      /* addresses, 0: none */
    ELF_LIST(struct elf_pads_in) pads_in; /* by start */
    ELF_LIST(uint64_t) pads;              /* where exceptions enter those that are known */
};

/* Parses a file that the caller keeps in memory.  NULL, or what is wrong with it in a few words
 * (static); then e holds nothing.  elf_in_free frees what parsing allocated. */
const char *elf_in_parse(struct elf_in *e, const uint8_t *bytes, size_t size);
void elf_in_free(struct elf_in *e);

/* Up to `len` bytes at a virtual address; NULL if the file does not have all of them. */
const uint8_t *elf_in_at(const struct elf_in *e, uint64_t addr, uint64_t len);
/* A NUL-terminated string at a virtual address, or NULL. */
const char *elf_in_string(const struct elf_in *e, uint64_t addr);
bool elf_in_is_code(const struct elf_in *e, uint64_t addr);
/* The relocation of the word at `where`, or NULL. */
const struct elf_reloc *elf_in_reloc_at(const struct elf_in *e, uint64_t where);

#endif
