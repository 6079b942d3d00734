/* SPDX-License-Identifier: MIT */
/* ELF validation; see elf_check.h.  All arithmetic is on values that were bounded first. */
#include "elf_check.h"

#include <linux/elf.h>

#define PAGE 4096ULL
#define MAX_PHDR_SPAN 65536u
#define MAX_PATH_BYTES 4096u

static bool magic_ok(const Elf64_Ehdr *e) {
    return e->e_ident[0] == 0x7f && e->e_ident[1] == 'E' && e->e_ident[2] == 'L' &&
           e->e_ident[3] == 'F';
}

static const char *check_header(const Elf64_Ehdr *e, size_t len) {
    if (len < sizeof(Elf32_Ehdr)) {
        return len < 4 || !magic_ok(e) ? "not an ELF program (and no #! line)"
                                       : "truncated: the ELF header is cut";
    }
    if (!magic_ok(e)) return "not an ELF program (and no #! line)";
    if (e->e_ident[EI_CLASS] == ELFCLASS32) return "a 32-bit program; only x86-64 programs run";
    if (e->e_ident[EI_CLASS] != ELFCLASS64) return "invalid ELF class";
    if (e->e_ident[EI_DATA] != ELFDATA2LSB) return "a big-endian program; only x86-64 programs run";
    if (len < sizeof(*e)) return "truncated: the ELF header is cut";
    if (e->e_machine != EM_X86_64) return "a program for another machine; only x86-64 programs run";
    if (e->e_type == ET_REL) return "an object file, not a linked program";
    if (e->e_type == ET_CORE) return "a core dump, not a program";
    if (e->e_type != ET_EXEC && e->e_type != ET_DYN) return "not an executable ELF file";
    if (e->e_version != EV_CURRENT) return "unknown ELF version";
    if (e->e_phentsize != sizeof(Elf64_Phdr)) return "invalid size of program headers";
    if (e->e_phnum == 0) return "no program headers";
    return NULL;
}

size_t elf_header_span(const void *image, size_t len) {
    const Elf64_Ehdr *e = image;
    if (len < sizeof(*e) || check_header(e, len) != NULL) return 0;
    uint64_t span = (uint64_t)e->e_phnum * sizeof(Elf64_Phdr);
    if (e->e_phoff > MAX_PHDR_SPAN || e->e_phoff + span > MAX_PHDR_SPAN) return 0;
    return (size_t)(e->e_phoff + span);
}

static const char *add_segment(struct elf_plan *plan, const Elf64_Phdr *p, uint64_t file_size,
                               uint64_t user_top) {
    if (p->p_filesz > p->p_memsz) return "a segment's file size exceeds its memory size";
    if (p->p_offset > file_size || p->p_filesz > file_size - p->p_offset) {
        return "truncated: a segment lies outside the file";
    }
    if (p->p_memsz == 0) return NULL;
    if (p->p_vaddr >= user_top || p->p_memsz > user_top - p->p_vaddr) {
        return "a segment lies outside the address space of programs";
    }
    if ((p->p_vaddr ^ p->p_offset) & (PAGE - 1))
        return "a segment is not congruent with its file offset";
    if (p->p_align & (p->p_align - 1)) return "a segment's alignment is not a power of two";
    if (plan->count == ELF_MAX_SEGMENTS) return "too many segments";
    uint64_t low = p->p_vaddr & ~(PAGE - 1);
    if (plan->count > 0 && low < plan->high) return "segments overlap or are not in order";
    if (plan->count == 0) plan->low = low;
    plan->high = (p->p_vaddr + p->p_memsz + PAGE - 1) & ~(PAGE - 1);
    if (p->p_align > plan->align) plan->align = p->p_align;
    plan->segments[plan->count++] =
        (struct elf_segment){p->p_vaddr, p->p_memsz, p->p_offset, p->p_filesz, p->p_flags};
    return NULL;
}

static const char *add_interp(struct elf_plan *plan, const Elf64_Phdr *p, uint64_t file_size) {
    if (p->p_filesz < 2 || p->p_filesz > MAX_PATH_BYTES) return "invalid interpreter path";
    if (p->p_offset > file_size || p->p_filesz > file_size - p->p_offset) {
        return "truncated: the interpreter path lies outside the file";
    }
    plan->interp_offset = p->p_offset;
    plan->interp_len = p->p_filesz;
    return NULL;
}

/* The address of the program headers: from PT_PHDR or the segment that holds them. */
static void find_phdr(struct elf_plan *plan, const Elf64_Ehdr *e) {
    uint64_t span = (uint64_t)e->e_phnum * sizeof(Elf64_Phdr);
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct elf_segment *s = &plan->segments[i];
        if (e->e_phoff >= s->offset && e->e_phoff + span <= s->offset + s->filesz) {
            plan->phdr = s->vaddr + (e->e_phoff - s->offset);
            return;
        }
    }
}

static const char *check_extent(const struct elf_plan *plan, uint64_t user_min, uint64_t user_top) {
    if (plan->count == 0) return "no loadable segment";
    if (!plan->dynamic && plan->low < user_min) {
        return "linked at an address that programs may not use (too low)";
    }
    if (plan->align > 1ULL << 30 || plan->high - plan->low > user_top / 4) {
        return "a segment's size or alignment is too large";
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct elf_segment *s = &plan->segments[i];
        bool inside = plan->entry >= s->vaddr && plan->entry - s->vaddr < s->memsz;
        if (inside && (s->flags & PF_X)) return NULL;
    }
    return "the entry point is not in an executable segment";
}

const char *elf_check(const void *image, size_t len, uint64_t file_size, uint64_t user_min,
                      uint64_t user_top, struct elf_plan *plan) {
    const Elf64_Ehdr *e = image;
    const char *error = check_header(e, len);
    if (error != NULL) return error;
    size_t span = elf_header_span(image, len);
    if (span == 0) return "program headers lie too far into the file";
    if (span > file_size || span > len) return "truncated: program headers lie outside the file";
    *plan = (struct elf_plan){
        .entry = e->e_entry, .phnum = e->e_phnum, .dynamic = e->e_type == ET_DYN, .align = PAGE};
    const Elf64_Phdr *headers = (const void *)((const char *)image + e->e_phoff);
    if (e->e_phoff % 8 != 0) return "program headers are not aligned";
    for (uint32_t i = 0; i < e->e_phnum && error == NULL; i++) {
        const Elf64_Phdr *p = &headers[i];
        if (p->p_type == PT_LOAD)
            error = add_segment(plan, p, file_size, user_top);
        else if (p->p_type == PT_INTERP)
            error = add_interp(plan, p, file_size);
        else if (p->p_type == PT_GNU_STACK)
            plan->exec_stack = p->p_flags & PF_X;
    }
    if (error == NULL) error = check_extent(plan, user_min, user_top);
    if (error == NULL) find_phdr(plan, e);
    return error;
}
