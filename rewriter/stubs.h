/* SPDX-License-Identifier: MIT */
/* The stub segment of a plan: both versions of it, and the bytes that change in the code. */
#ifndef REWRITER_STUBS_H
#define REWRITER_STUBS_H

#include <rewriter/cfi.h>
#include <rewriter/plan.h>

/* Bytes of the object that change. */
struct stubs_patch {
    uint64_t addr;
    uint8_t len;
    uint8_t bytes[PLAN_PATCH_MAX];
};

struct stubs {
    uint64_t addr, size; /* of the segment */
    struct cfi cfi;      /* lies behind the stubs */
    uint8_t *linux_bytes, *hermit_bytes;
    ELF_LIST(struct hermit_site) sites; /* as in the segment */
    ELF_LIST(uint32_t) planned;         /* likewise: index into plan.sites */
    ELF_LIST(const char *) names;       /* likewise: of the functions of the sites, or NULL */
    ELF_LIST(struct stubs_patch) patches;
};

/* addr: of the segment; the caller sets hermit_offset in both versions.  A site that turns out not
 * to reach its stub becomes HERMIT_TIER_NONE in the plan.  False: no site is left. */
bool stubs_build(struct stubs *s, struct plan *p, uint64_t addr);
void stubs_free(struct stubs *s);

#endif
