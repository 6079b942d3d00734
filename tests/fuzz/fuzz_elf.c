/* SPDX-License-Identifier: MIT */
/* libFuzzer target: the ELF validator neither crashes nor accepts what it must refuse. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <hermit/layout.h>
#include <kernel/elf_check.h>

#define PF_EXECUTE 1

static void must(int condition) {
    if (!condition) abort();
}

/* What the loader relies on once a plan was accepted. */
static void check_plan(const struct elf_plan *p, uint64_t file_size) {
    uint64_t mask = HERMIT_PAGE_SIZE - 1, last = 0;
    int entry_found = 0;
    must(p->count > 0 && p->count <= ELF_MAX_SEGMENTS);
    must(((p->low | p->high) & mask) == 0 && p->low < p->high && p->high <= HERMIT_USER_TOP);
    must(p->dynamic || p->low >= HERMIT_USER_MIN);
    must(p->align >= HERMIT_PAGE_SIZE && (p->align & (p->align - 1)) == 0);
    for (uint32_t i = 0; i < p->count; i++) {
        const struct elf_segment *s = &p->segments[i];
        must(s->filesz <= s->memsz && s->memsz > 0);
        must(s->offset <= file_size && s->filesz <= file_size - s->offset);
        must(s->vaddr + s->memsz > s->vaddr && s->vaddr >= p->low);
        must(s->vaddr + s->memsz <= p->high);
        must(((s->vaddr ^ s->offset) & mask) == 0);
        /* No two segments share a page. */
        must(i == 0 || (s->vaddr & ~mask) >= ((last + mask) & ~mask));
        last = s->vaddr + s->memsz;
        if ((s->flags & PF_EXECUTE) && p->entry >= s->vaddr && p->entry - s->vaddr < s->memsz)
            entry_found = 1;
    }
    must(entry_found);
    if (p->interp_len != 0) {
        must(p->interp_len >= 2 && p->interp_len <= 4096);
        must(p->interp_offset <= file_size && p->interp_len <= file_size - p->interp_offset);
    }
    if (p->phdr != 0) must(p->phdr >= p->low && p->phdr < p->high);
}

static void try(const void *image, size_t len, uint64_t file_size) {
    struct elf_plan plan;
    size_t span = elf_header_span(image, len);
    const char *error = elf_check(image, len, file_size, HERMIT_USER_MIN, HERMIT_USER_TOP, &plan);
    if (error == NULL) {
        must(span > 0 && span <= len);
        check_plan(&plan, file_size);
    } else {
        must(error[0] != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    /* An exact copy on the heap: AddressSanitizer sees every byte read too many. */
    void *image = malloc(size ? size : 1);
    must(image != NULL);
    if (size) memcpy(image, data, size);
    try(image, size, size);
    try(image, size, (uint64_t)size + (1 << 20)); /* only the beginning was read */
    try(image, size < 4096 ? size : 4096, size);
    free(image);
    return 0;
}
