/* SPDX-License-Identifier: MIT */
/* Validates an ELF image before anything of it is used.  Pure: also built on the host, for the
 * unit test and the fuzzer.  elf(5), System V gABI chapter 5. */
#ifndef KERNEL_ELF_CHECK_H
#define KERNEL_ELF_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_MAX_SEGMENTS 32

struct elf_segment {
    uint64_t vaddr, memsz; /* bytes */
    uint64_t offset, filesz;
    uint32_t flags; /* PF_R, PF_W, PF_X */
};

struct elf_plan {
    uint64_t entry;
    uint64_t phdr; /* address of the program headers in memory, 0: not mapped */
    uint32_t phnum;
    bool dynamic; /* ET_DYN: addresses are relative to a base of our choice */
    bool exec_stack;
    uint64_t low, high;                 /* page-aligned extent of all segments */
    uint64_t align;                     /* greatest segment alignment, bytes, at least a page */
    uint64_t interp_offset, interp_len; /* 0, 0: none; len includes the NUL */
    uint32_t count;
    struct elf_segment segments[ELF_MAX_SEGMENTS];
};

/* Bytes from the start of the file that elf_check wants to see: 0 if the header is unusable. */
size_t elf_header_span(const void *image, size_t len);

/* Checks the first len bytes of a file of file_size bytes; programs may use addresses in
 * [user_min, user_top).  NULL and *plan filled, or a message that completes "PROGRAM: ". */
const char *elf_check(const void *image, size_t len, uint64_t file_size, uint64_t user_min,
                      uint64_t user_top, struct elf_plan *plan);

#endif
