/* SPDX-License-Identifier: MIT */
/* Private to the files elf_*.c. */
#ifndef REWRITER_ELF_PARTS_H
#define REWRITER_ELF_PARTS_H

#include <rewriter/elf_in.h>

/* elf_dynamic.c: the dynamic section: libraries, dynamic symbols, relocations. */
void elf_in_read_dynamic(struct elf_in *e, uint64_t addr, uint64_t size);
/* elf_go.c: addr, size: of section .gopclntab. */
void elf_in_read_go(struct elf_in *e, uint64_t addr, uint64_t size);
/* elf_unwind.c: hdr: address of .eh_frame_hdr, or 0; eh_frame: of .eh_frame, or 0. */
void elf_in_read_unwinds(struct elf_in *e, uint64_t hdr, uint64_t eh_frame);

#endif
