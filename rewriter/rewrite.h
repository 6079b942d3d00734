/* SPDX-License-Identifier: MIT */
/* Rewrites one ELF object: its `syscall` instructions become jumps to stubs (hermit/rewrite.h,
 * docs/REWRITING.md).  Reentrant: calls in several threads do not meet. */
#ifndef REWRITER_REWRITE_H
#define REWRITER_REWRITE_H

#include <stdio.h>

#include <rewriter/elf_out.h>

struct rewrite_options {
    unsigned tiers; /* PLAN_TIER bits, 0: all */
    bool hermit;    /* both versions of the stubs; else the one for Linux only */
    bool verify;    /* check the result once more, without the plan's help */
    bool dry_run;   /* no result, only the report (and what verify finds) */
};

enum rewrite_status {
    REWRITE_DONE,    /* every proven site that may be rewritten is (there may be none at all) */
    REWRITE_PARTIAL, /* some are left: they still work */
    REWRITE_ALREADY, /* the object has stubs: out is as it was */
    REWRITE_REFUSED, /* why says why; no result */
};

struct rewrite {
    enum rewrite_status status;
    const char *why; /* static; NULL unless refused */
    uint8_t *bytes;  /* the new object, malloc'ed; NULL: none, the old one stays as it is */
    size_t size;
    /* What the report is about: valid until rewrite_free, while the input is. */
    struct elf_in elf;
    struct code code;
    struct plan plan;
    struct stubs stubs;
    bool parsed, planned;
};

/* bytes: the object, which must stay as it is until rewrite_free.  Anything may be in it. */
enum rewrite_status rewrite_file(struct rewrite *r, const uint8_t *bytes, size_t size,
                                 const struct rewrite_options *o);
void rewrite_free(struct rewrite *r);

struct rewrite_totals {
    unsigned sites, proven; /* of `syscall` */
    unsigned kept;          /* meant to stay: rt_sigreturn, Hermit's own libc */
    unsigned tiers[HERMIT_TIER_WINDOW + 1];
};
struct rewrite_totals rewrite_count(const struct rewrite *r);
/* One JSON object; name: of the file. */
void rewrite_report(const struct rewrite *r, const char *name, FILE *out);

/* verify.c: NULL, or what is wrong with a rewritten object (static), found from the two files. */
const char *rewrite_verify(const uint8_t *old, size_t old_size, const uint8_t *new_bytes,
                           size_t new_size);

#endif
