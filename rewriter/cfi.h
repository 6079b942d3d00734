/* SPDX-License-Identifier: MIT */
/* How to unwind from a stub: at each of its instructions as at the one that it stands for. */
#ifndef REWRITER_CFI_H
#define REWRITER_CFI_H

#include <hermit/rewrite.h>
#include <rewriter/elf_in.h>

#define ELF_BYTES ELF_LIST(uint8_t)

struct cfi {
    uint64_t addr;    /* where `loaded` lies */
    ELF_BYTES loaded; /* records for .eh_frame, then a table of all of the object's records */
    uint64_t table;   /* offset of the table in `loaded`, as .eh_frame_hdr; 0: there is none */
    ELF_BYTES debug;  /* the same records as a .debug_frame, for debuggers */
};

/* sites: of the stub segment at `segment`, in the order of their stubs. */
void cfi_build(struct cfi *c, const struct elf_in *e, uint64_t segment,
               const struct hermit_site *sites, size_t count, uint64_t addr);
void cfi_free(struct cfi *c);

#endif
