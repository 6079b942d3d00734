/* SPDX-License-Identifier: MIT */
/* Shared by exec.c, exec_map.c and exec_stack.c. */
#ifndef KERNEL_EXEC_INTERNAL_H
#define KERNEL_EXEC_INTERNAL_H

#include <kernel/mm.h>
#include <kernel/process.h>

#include "elf_check.h"

/* A program on its way into a new address space. */
struct exec {
    struct file *file;
    struct file *interp; /* NULL: static */
    const char *path;    /* as AT_EXECFN shows it */
    char *const *argv;
    char *const *envp;
    uint32_t argc, envc;
    struct elf_plan plan, interp_plan;
    uint64_t base, interp_base; /* load biases */
    uint64_t entry;
    bool randomize;
};

/* Random multiple of the page size below limit (a power of two), 0 where !e->randomize. */
uint64_t exec_random(const struct exec *e, uint64_t limit);
/* Maps one image; *bias receives its load bias.  mm is active. 0 or -errno. */
int exec_map_image(struct mm *mm, struct exec *e, struct file *f, const struct elf_plan *plan,
                   bool is_interp, uint64_t *bias);
/* Lays out the address space and maps the stack and the vDSO. 0 or -errno. */
int exec_map_stack(struct mm *mm, struct exec *e);
/* Writes arguments, environment and auxiliary vector: the initial stack pointer or -errno. */
int64_t exec_build_stack(struct mm *mm, const struct exec *e);

#endif
