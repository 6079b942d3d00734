/* SPDX-License-Identifier: MIT */
/* Which system calls a program and its libraries can get to.
 *
 * From the program's and the linker's entry points along direct calls, through linkage tables into
 * the libraries by symbol name: what is found so is `called`.  Every function whose address is
 * taken by code that is reached, or that data points to, may be called as well, from anywhere:
 * what is found only with these is `possible`, and `remote` if it takes the tables of the C library
 * or of the linker, which every program has.  Not seen at all: code loaded with dlopen() or made
 * at run time. */
#ifndef REWRITER_REACH_H
#define REWRITER_REACH_H

#include <rewriter/libs.h>

enum reach_how {
    REACH_NOT,
    REACH_REMOTE,
    REACH_POSSIBLE,
    REACH_CALLED,
    REACH_ALWAYS, /* on the way that every run takes before it can decide anything */
};

struct reach_call {
    uint32_t number; /* REACH_UNKNOWN: computed at run time */
    uint8_t how;     /* enum reach_how */
    bool int80;
    uint32_t object, func; /* where the number is known */
    uint64_t addr;         /* of the instruction that enters the kernel or leads there */
};
#define REACH_UNKNOWN UINT32_MAX

struct reach_from {
    uint32_t object, func;
};

struct reach {
    const struct libs *libs;
    uint8_t **how;                     /* by object and function: enum reach_how */
    struct reach_from **from;          /* likewise: from where it was reached first */
    ELF_LIST(struct reach_call) calls; /* by number, then the surest first */
    bool loads_libraries;              /* dlopen() is reached */
    uint32_t functions;                /* reached */
    struct reach_symbols *symbols;
};

/* Decodes all objects and follows the calls.  false: no decoder. */
bool reach_run(struct reach *r, struct libs *libs);
void reach_free(struct reach *r);
/* A name for the place of a call: its function's or, where that has none, that of the nearest
 * named one in the same object on the way there; NULL: none has a name. */
const char *reach_place(const struct reach *r, const struct reach_call *call);

#endif
