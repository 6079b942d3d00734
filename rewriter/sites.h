/* SPDX-License-Identifier: MIT */
/* The code of one ELF file: its functions, what they call and refer to, and where they enter the
 * kernel.  Every byte of every executable section belongs to one function; code that is decoded
 * wrongly at one place is decoded rightly again from the next function on. */
#ifndef REWRITER_SITES_H
#define REWRITER_SITES_H

#include <rewriter/disasm.h>
#include <rewriter/elf_in.h>

#define VALUES_MAX 6
#define WORD_ARGUMENT GPR_COUNT /* the first word of arguments on the stack */
#define TRACKED (GPR_COUNT + 1)

/* What a register may hold. */
enum values_kind {
    VALUES_NONE,  /* never computed: the code is not reached */
    VALUES_SET,   /* one of v[0..n-1] */
    VALUES_ENTRY, /* what register `entry` held when the function was called */
    VALUES_ANY
};
struct values {
    uint8_t kind, n, entry;
    bool more; /* VALUES_SET: on some path something else, as after a call that may not return */
    uint32_t v[VALUES_MAX];
};

struct code_func {
    uint64_t start, end;
    const char *name; /* NULL: nobody knows */
    uint32_t edges;   /* its first edge; the next function's is the end */
    bool has_site;
    bool has_indirect; /* calls or jumps where a register or memory says */
    bool falls_through;
    bool is_gap;   /* nothing says where it ends: it may be several functions */
    bool is_start; /* something says that a function begins here */
    bool is_guess; /* only code or data that leads here says so */
};

enum edge_kind {
    EDGE_CALL, /* direct call or jump out of the function */
    EDGE_SLOT, /* call or jump through the word at target */
    EDGE_REF,  /* takes the address */
    EDGE_LOAD, /* uses the word at target */
};
struct code_edge {
    uint64_t at, target;
    uint8_t kind; /* enum edge_kind */
};

/* A `syscall` instruction. */
struct code_site {
    uint64_t addr;
    uint32_t func;
    bool int80;
    struct values number;
};

struct code {
    const struct elf_in *elf;
    struct disasm *disasm;
    ELF_LIST(struct code_func) funcs; /* by address; a last one marks the end of the edges */
    ELF_LIST(struct code_edge) edges; /* by function, then by address */
    ELF_LIST(struct code_site) sites; /* by address */
    struct flow *flow;                /* flow.c */
    uint64_t undecoded;               /* bytes that are no instruction */
    bool only_sites;
};

#define FUNC_NONE UINT32_MAX

/* Decodes everything and finds the numbers of the calls.  elf stays in use; false: no memory or no
 * decoder. */
bool code_build(struct code *c, const struct elf_in *elf);
/* The same for the rewriter: decodes, where that is enough, only the functions that have the bytes
 * of a site; the edges of others, has_indirect and falls_through are not there. */
bool code_build_sites(struct code *c, const struct elf_in *elf);
void code_free(struct code *c);

/* Number of functions; index of the function that has addr in it, or FUNC_NONE. */
uint32_t code_count(const struct code *c);
uint32_t code_func_at(const struct code *c, uint64_t addr);
/* The function that begins at addr, or FUNC_NONE. */
uint32_t code_func_starting(const struct code *c, uint64_t addr);
/* If a linkage stub (jump through a word) is at addr: the word's address, else 0. */
uint64_t code_stub_slot(const struct code *c, uint64_t addr);

/* The words of data of a program at fixed addresses, whose pointers no relocation announces: from
 * w = {0} on; false: there are no more. */
struct code_words {
    size_t segment;
    uint64_t off;
};
bool code_next_word(const struct code *c, struct code_words *w, uint64_t *word);

/* The values of register `reg` (or WORD_ARGUMENT, as the callee of a call there will see it) just
 * before the instruction at addr, flow.c. */
struct values code_values_at(struct code *c, uint32_t func, uint64_t addr, uint8_t reg);
void code_forget_flow(struct code *c);

#endif
