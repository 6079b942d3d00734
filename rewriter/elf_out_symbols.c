/* SPDX-License-Identifier: MIT */
/* Symbols for stubs: debuggers and profilers show `read@hermit` for the stub of read's site.  The
 * table and its strings are copied to the end of the file; what was there stays. */
#include <stdlib.h>
#include <string.h>

#include <rewriter/elf_out_parts.h>
#include <rewriter/list.h>

#define SUFFIX "@hermit"
#define UNKNOWN "stub" /* the function has no name */

static bool lies_in_file(const struct writer *w, const Elf64_Shdr *s) {
    return s->sh_offset <= w->size && s->sh_size <= w->size - s->sh_offset;
}

/* Does section s name symbols of the table by an index that would change? */
static bool names_symbols(const struct writer *w, const Elf64_Shdr *s, uint64_t locals) {
    Elf64_Rela r;
    if (s->sh_type != SHT_RELA || s->sh_entsize != sizeof(r) || !lies_in_file(w, s))
        return s->sh_size != 0;
    for (uint64_t at = 0; at + sizeof(r) <= s->sh_size; at += sizeof(r)) {
        memcpy(&r, w->bytes + s->sh_offset + at, sizeof(r));
        if (ELF64_R_SYM(r.r_info) >= locals && ELF64_R_SYM(r.r_info) != 0) return true;
    }
    return false;
}

/* The table that strip(1) removes, if it can be added to; 0: none. */
static uint16_t find_table(const struct writer *w, const Elf64_Shdr *sections, uint16_t count) {
    uint16_t found = 0;
    for (uint16_t i = 1; i < count; i++)
        if (sections[i].sh_type == SHT_SYMTAB) found = i;
    const Elf64_Shdr *table = &sections[found];
    if (found == 0 || table->sh_link == 0 || table->sh_link >= count) return 0;
    const Elf64_Shdr *strings = &sections[table->sh_link];
    if (table->sh_entsize != sizeof(Elf64_Sym) || table->sh_size % sizeof(Elf64_Sym) != 0 ||
        table->sh_info > table->sh_size / sizeof(Elf64_Sym) || strings->sh_size > UINT32_MAX / 2 ||
        table->sh_link == w->head.e_shstrndx || !lies_in_file(w, table) ||
        !lies_in_file(w, strings) || strings->sh_size == 0)
        return 0;
    for (uint16_t i = 1; i < count; i++)
        if (sections[i].sh_link == found && names_symbols(w, &sections[i], table->sh_info))
            return 0;
    return found;
}

static const char *name_of(const struct writer *w, size_t i) {
    return w->s->names.items[i] != NULL ? w->s->names.items[i] : UNKNOWN;
}

static uint64_t names_size(const struct writer *w) {
    uint64_t size = 0;
    for (size_t i = 0; i < w->s->names.count; i++)
        size += strlen(name_of(w, i)) + sizeof(SUFFIX);
    return size;
}

void elf_out_symbols(struct writer *w, Elf64_Shdr *sections, uint16_t count, uint16_t section) {
    uint16_t index = find_table(w, sections, count);
    if (index == 0) return;
    Elf64_Shdr *table = &sections[index], *strings = &sections[table->sh_link];
    size_t added = w->s->sites.count, bytes = added * sizeof(Elf64_Sym);
    uint64_t locals = table->sh_info * sizeof(Elf64_Sym);
    uint8_t *symbols = list_must(malloc(table->sh_size + bytes));
    char *names = list_must(malloc(strings->sh_size + names_size(w)));
    uint64_t end = strings->sh_size;
    memcpy(names, w->bytes + strings->sh_offset, end);
    /* Local symbols come before all others. */
    memcpy(symbols, w->bytes + table->sh_offset, locals);
    memcpy(symbols + locals + bytes, w->bytes + table->sh_offset + locals, table->sh_size - locals);
    for (size_t i = 0; i < added; i++) {
        const struct hermit_site *site = &w->s->sites.items[i];
        Elf64_Sym s = {.st_name = (Elf64_Word)end,
                       .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
                       .st_shndx = section,
                       .st_value = w->s->addr + site->stub,
                       .st_size = site->length};
        memcpy(symbols + locals + i * sizeof(s), &s, sizeof(s));
        end = (uint64_t)(stpcpy(stpcpy(names + end, name_of(w, i)), SUFFIX) + 1 - names);
    }
    table->sh_offset = elf_out_append(w, symbols, table->sh_size + bytes, 8);
    table->sh_size += bytes;
    table->sh_info += (Elf64_Word)added;
    strings->sh_offset = elf_out_append(w, names, end, 1);
    strings->sh_size = end;
    free(symbols);
    free(names);
}
