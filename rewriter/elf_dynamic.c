/* SPDX-License-Identifier: MIT */
/* The dynamic section, read as ld.so reads it: by addresses, without section headers. */
#include <elf.h>
#include <string.h>

#include <rewriter/elf_in.h>
#include <rewriter/elf_parts.h>
#include <rewriter/list.h>

#define SYMBOLS_MAX (1u << 22)
#define WORDS_MAX (1u << 26)

struct dynamic {
    uint64_t strtab, symtab, hash, gnu_hash;
    uint64_t rela, rela_size, jmprel, jmprel_size, relr, relr_size;
    uint64_t soname, rpath, runpath; /* offsets, UINT64_MAX: none */
    uint64_t init_array, init_size, fini_array, fini_size;
};

static uint64_t word_at(const struct elf_in *e, uint64_t addr) {
    uint64_t word = 0;
    const uint8_t *at = elf_in_at(e, addr, sizeof(word));
    if (at != NULL) memcpy(&word, at, sizeof(word));
    return word;
}

static uint32_t half_at(const struct elf_in *e, uint64_t addr) {
    uint32_t half = 0;
    const uint8_t *at = elf_in_at(e, addr, sizeof(half));
    if (at != NULL) memcpy(&half, at, sizeof(half));
    return half;
}

static void note_entry(struct dynamic *d, const Elf64_Dyn *dyn) {
    const struct {
        int64_t tag;
        uint64_t *value;
    } wanted[] = {{DT_STRTAB, &d->strtab},
                  {DT_SYMTAB, &d->symtab},
                  {DT_HASH, &d->hash},
                  {DT_GNU_HASH, &d->gnu_hash},
                  {DT_RELA, &d->rela},
                  {DT_RELASZ, &d->rela_size},
                  {DT_JMPREL, &d->jmprel},
                  {DT_PLTRELSZ, &d->jmprel_size},
                  {DT_RELR, &d->relr},
                  {DT_RELRSZ, &d->relr_size},
                  {DT_SONAME, &d->soname},
                  {DT_RPATH, &d->rpath},
                  {DT_RUNPATH, &d->runpath},
                  {DT_INIT_ARRAY, &d->init_array},
                  {DT_INIT_ARRAYSZ, &d->init_size},
                  {DT_FINI_ARRAY, &d->fini_array},
                  {DT_FINI_ARRAYSZ, &d->fini_size}};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (wanted[i].tag == dyn->d_tag) *wanted[i].value = dyn->d_un.d_val;
}

/* Number of dynamic symbols: only the hash tables know it. */
static uint32_t count_symbols(const struct elf_in *e, const struct dynamic *d) {
    if (d->hash != 0) {
        uint32_t chains = half_at(e, d->hash + 4);
        return chains < SYMBOLS_MAX ? chains : SYMBOLS_MAX;
    }
    if (d->gnu_hash == 0) return 0;
    uint32_t buckets = half_at(e, d->gnu_hash), first = half_at(e, d->gnu_hash + 4);
    uint32_t bloom = half_at(e, d->gnu_hash + 8), last = 0;
    uint64_t table = d->gnu_hash + 16 + (uint64_t)bloom * 8;
    uint64_t chains = table + (uint64_t)buckets * 4;
    if (buckets > SYMBOLS_MAX || elf_in_at(e, table, (uint64_t)buckets * 4) == NULL) return first;
    for (uint32_t i = 0; i < buckets; i++) {
        uint32_t bucket = half_at(e, table + i * 4ULL);
        if (bucket > last) last = bucket;
    }
    if (last < first) return first < SYMBOLS_MAX ? first : 0;
    while (last < SYMBOLS_MAX) {
        uint64_t at = chains + (uint64_t)(last - first) * 4;
        if (elf_in_at(e, at, 4) == NULL) break;
        last++;
        if (half_at(e, at) & 1) break;
    }
    return last;
}

static bool symbol_at(const struct elf_in *e, const struct dynamic *d, uint32_t i, Elf64_Sym *sym) {
    const uint8_t *at = elf_in_at(e, d->symtab + (uint64_t)i * sizeof(*sym), sizeof(*sym));
    if (at == NULL || d->symtab == 0) return false;
    memcpy(sym, at, sizeof(*sym));
    return true;
}

static void read_symbols(struct elf_in *e, const struct dynamic *d) {
    uint32_t count = count_symbols(e, d);
    for (uint32_t i = 1; i < count; i++) {
        Elf64_Sym sym;
        if (!symbol_at(e, d, i, &sym)) return;
        const char *name = elf_in_string(e, d->strtab + sym.st_name);
        uint8_t type = ELF64_ST_TYPE(sym.st_info), bind = ELF64_ST_BIND(sym.st_info);
        if (name == NULL || *name == 0 || bind == STB_LOCAL) continue;
        LIST_PUSH(&e->symbols, (struct elf_symbol){.name = name,
                                                   .addr = sym.st_value,
                                                   .size = sym.st_size,
                                                   .type = type,
                                                   .defined = sym.st_shndx != SHN_UNDEF,
                                                   .exported = sym.st_shndx != SHN_UNDEF,
                                                   .weak = bind == STB_WEAK});
    }
}

static void add_reloc(struct elf_in *e, const struct dynamic *d, const Elf64_Rela *r) {
    struct elf_reloc reloc = {.where = r->r_offset, .value = (uint64_t)r->r_addend};
    Elf64_Sym sym;
    switch (ELF64_R_TYPE(r->r_info)) {
    case R_X86_64_RELATIVE:
        reloc.kind = ELF_RELOC_BASE;
        break;
    case R_X86_64_IRELATIVE:
        reloc.kind = ELF_RELOC_IFUNC;
        break;
    case R_X86_64_64:
        reloc.kind = ELF_RELOC_POINTER;
        break;
    case R_X86_64_GLOB_DAT:
    case R_X86_64_JUMP_SLOT:
        reloc.kind = ELF_RELOC_SLOT;
        break;
    default:
        return;
    }
    if (reloc.kind == ELF_RELOC_POINTER || reloc.kind == ELF_RELOC_SLOT) {
        if (!symbol_at(e, d, (uint32_t)ELF64_R_SYM(r->r_info), &sym)) return;
        reloc.symbol = elf_in_string(e, d->strtab + sym.st_name);
        if (reloc.symbol == NULL || *reloc.symbol == 0) return;
        if (sym.st_shndx != SHN_UNDEF) reloc.value += sym.st_value;
    }
    LIST_PUSH(&e->relocs, reloc);
}

static void read_rela(struct elf_in *e, const struct dynamic *d, uint64_t addr, uint64_t size) {
    for (uint64_t off = 0; addr != 0 && off + sizeof(Elf64_Rela) <= size;
         off += sizeof(Elf64_Rela)) {
        Elf64_Rela r;
        const uint8_t *at = elf_in_at(e, addr + off, sizeof(r));
        if (at == NULL) return;
        memcpy(&r, at, sizeof(r));
        add_reloc(e, d, &r);
    }
}

static void add_base(struct elf_in *e, uint64_t where) {
    if (elf_in_at(e, where, 8) == NULL) return;
    LIST_PUSH(&e->relocs, (struct elf_reloc){
                              .where = where, .value = word_at(e, where), .kind = ELF_RELOC_BASE});
}

/* DT_RELR: an address, then bitmaps of the 63 words that follow. */
static void read_relr(struct elf_in *e, const struct dynamic *d) {
    uint64_t where = 0;
    for (uint64_t off = 0; d->relr != 0 && off + 8 <= d->relr_size; off += 8) {
        if (elf_in_at(e, d->relr + off, 8) == NULL || e->relocs.count > WORDS_MAX) return;
        uint64_t word = word_at(e, d->relr + off);
        if ((word & 1) == 0) {
            add_base(e, word);
            where = word + 8;
            continue;
        }
        for (int bit = 1; bit < 64; bit++)
            if (word >> bit & 1) add_base(e, where + (uint64_t)(bit - 1) * 8);
        where += 63 * 8;
    }
}

/* A program at fixed addresses has no relocations for the pointers in these arrays. */
static void add_array(struct elf_in *e, uint64_t addr, uint64_t size) {
    for (uint64_t off = 0; e->type == ET_EXEC && addr != 0 && off + 8 <= size; off += 8) {
        if (elf_in_at(e, addr + off, 8) == NULL) return;
        add_base(e, addr + off);
    }
}

static int by_place(const void *a, const void *b) {
    const struct elf_reloc *x = a, *y = b;
    return x->where < y->where ? -1 : x->where > y->where;
}

void elf_in_read_dynamic(struct elf_in *e, uint64_t addr, uint64_t size) {
    struct dynamic d = {.soname = UINT64_MAX, .rpath = UINT64_MAX, .runpath = UINT64_MAX};
    ELF_LIST(uint64_t) needed = {0};
    for (uint64_t off = 0; off + sizeof(Elf64_Dyn) <= size; off += sizeof(Elf64_Dyn)) {
        Elf64_Dyn dyn;
        const uint8_t *at = elf_in_at(e, addr + off, sizeof(dyn));
        if (at == NULL) break;
        memcpy(&dyn, at, sizeof(dyn));
        if (dyn.d_tag == DT_NULL) break;
        if (dyn.d_tag == DT_NEEDED) LIST_PUSH(&needed, dyn.d_un.d_val);
        if (dyn.d_tag == DT_INIT) e->init = dyn.d_un.d_ptr;
        if (dyn.d_tag == DT_FINI) e->fini = dyn.d_un.d_ptr;
        if (dyn.d_tag == DT_TEXTREL || (dyn.d_tag == DT_FLAGS && dyn.d_un.d_val & DF_TEXTREL))
            e->text_relocs = true;
        note_entry(&d, &dyn);
    }
    for (size_t i = 0; i < needed.count; i++) {
        const char *name = elf_in_string(e, d.strtab + needed.items[i]);
        if (name != NULL && *name != 0) LIST_PUSH(&e->needed, name);
    }
    LIST_FREE(&needed);
    if (d.soname != UINT64_MAX) e->soname = elf_in_string(e, d.strtab + d.soname);
    if (d.rpath != UINT64_MAX) e->rpath = elf_in_string(e, d.strtab + d.rpath);
    if (d.runpath != UINT64_MAX) e->runpath = elf_in_string(e, d.strtab + d.runpath);
    read_symbols(e, &d);
    read_rela(e, &d, d.rela, d.rela_size);
    read_rela(e, &d, d.jmprel, d.jmprel_size);
    read_relr(e, &d);
    add_array(e, d.init_array, d.init_size);
    add_array(e, d.fini_array, d.fini_size);
    if (e->relocs.count > 0)
        qsort(e->relocs.items, e->relocs.count, sizeof(e->relocs.items[0]), by_place);
}
