/* SPDX-License-Identifier: MIT */
/* Headers, segments, sections and the symbol table, by way of libelf. */
#include <gelf.h>
#include <string.h>

#include <rewriter/elf_in.h>
#include <rewriter/elf_parts.h>
#include <rewriter/list.h>

#define SYMBOLS_MAX (1u << 22)
#define PIECES_MAX 256 /* segments, and sections with code */

const uint8_t *elf_in_at(const struct elf_in *e, uint64_t addr, uint64_t len) {
    for (size_t i = 0; i < e->segments.count; i++) {
        const struct elf_piece *s = &e->segments.items[i];
        uint64_t off = addr - s->addr;
        if (addr >= s->addr && off < s->nbytes && len <= s->nbytes - off) return s->bytes + off;
    }
    return NULL;
}

const char *elf_in_string(const struct elf_in *e, uint64_t addr) {
    for (size_t i = 0; i < e->segments.count; i++) {
        const struct elf_piece *s = &e->segments.items[i];
        uint64_t off = addr - s->addr;
        if (addr < s->addr || off >= s->nbytes) continue;
        if (memchr(s->bytes + off, 0, s->nbytes - off) != NULL) return (const char *)s->bytes + off;
    }
    return NULL;
}

bool elf_in_is_code(const struct elf_in *e, uint64_t addr) {
    for (size_t i = 0; i < e->code.count; i++)
        if (addr - e->code.items[i].addr < e->code.items[i].nbytes) return true;
    return false;
}

const struct elf_reloc *elf_in_reloc_at(const struct elf_in *e, uint64_t where) {
    size_t low = 0, high = e->relocs.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (e->relocs.items[middle].where < where)
            low = middle + 1;
        else
            high = middle;
    }
    return low < e->relocs.count && e->relocs.items[low].where == where ? &e->relocs.items[low]
                                                                        : NULL;
}

static const char *file_string(const struct elf_in *e, uint64_t off, uint64_t len) {
    if (off >= e->size || len > e->size - off) return NULL;
    return memchr(e->bytes + off, 0, len) != NULL ? (const char *)e->bytes + off : NULL;
}

static const char *add_segment(struct elf_in *e, const GElf_Phdr *p) {
    if (p->p_offset > e->size || p->p_filesz > e->size - p->p_offset) return "truncated";
    if (p->p_memsz < p->p_filesz || p->p_vaddr + p->p_memsz < p->p_vaddr) return "segment sizes";
    if (p->p_memsz == 0) return NULL; /* nowhere in memory */
    if (e->segments.count == PIECES_MAX) return "too many segments";
    LIST_PUSH(&e->segments, (struct elf_piece){.addr = p->p_vaddr,
                                               .size = p->p_memsz,
                                               .bytes = e->bytes + p->p_offset,
                                               .nbytes = p->p_filesz,
                                               .exec = (p->p_flags & PF_X) != 0,
                                               .write = (p->p_flags & PF_W) != 0});
    return NULL;
}

static const char *read_segments(struct elf_in *e, Elf *elf, GElf_Phdr *dynamic, GElf_Phdr *eh,
                                 GElf_Phdr *property) {
    size_t count;
    if (elf_getphdrnum(elf, &count) != 0) return "program headers";
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr p;
        if (gelf_getphdr(elf, (int)i, &p) == NULL) return "program headers";
        const char *problem = NULL;
        if (p.p_type == PT_LOAD) problem = add_segment(e, &p);
        if (p.p_type == PT_INTERP) {
            e->interp = file_string(e, p.p_offset, p.p_filesz);
            if (e->interp == NULL) problem = "interpreter's name";
        }
        if (p.p_type == PT_DYNAMIC) *dynamic = p;
        if (p.p_type == PT_GNU_EH_FRAME) *eh = p;
        if (p.p_type == PT_GNU_PROPERTY) *property = p;
        if (p.p_type == PT_GNU_STACK) e->exec_stack = (p.p_flags & PF_X) != 0;
        if (problem != NULL) return problem;
    }
    return e->segments.count == 0 ? "nothing to load" : NULL;
}

/* Strings that libelf had to unpack are gone when it is closed. */
static bool in_file(const struct elf_in *e, const char *text) {
    uint64_t off = (uint64_t)(uintptr_t)text - (uint64_t)(uintptr_t)e->bytes;
    return off < e->size;
}

/* The symbol table that strip(1) removes: names of all functions. */
static void read_symtab(struct elf_in *e, Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr) {
    Elf_Data *data = elf_getdata(scn, NULL);
    if (data == NULL || shdr->sh_entsize == 0) return;
    uint64_t count = data->d_size / sizeof(Elf64_Sym);
    for (uint64_t i = 0; i < count && i < SYMBOLS_MAX; i++) {
        GElf_Sym sym;
        if (gelf_getsym(data, (int)i, &sym) == NULL) break;
        uint8_t type = GELF_ST_TYPE(sym.st_info);
        if (sym.st_shndx == SHN_UNDEF || (type > STT_FUNC && type != STT_GNU_IFUNC)) continue;
        const char *name = elf_strptr(elf, shdr->sh_link, sym.st_name);
        if (name == NULL || *name == 0 || !in_file(e, name)) continue;
        LIST_PUSH(&e->symbols, (struct elf_symbol){.name = name,
                                                   .addr = sym.st_value,
                                                   .size = sym.st_size,
                                                   .type = type,
                                                   .defined = true,
                                                   .weak = GELF_ST_BIND(sym.st_info) == STB_WEAK});
    }
}

static void add_code(struct elf_in *e, const GElf_Shdr *shdr) {
    const uint8_t *bytes = elf_in_at(e, shdr->sh_addr, shdr->sh_size);
    if (bytes == NULL || shdr->sh_size == 0 || e->code.count == PIECES_MAX) return;
    LIST_PUSH(&e->code, (struct elf_piece){.addr = shdr->sh_addr,
                                           .size = shdr->sh_size,
                                           .bytes = bytes,
                                           .nbytes = shdr->sh_size,
                                           .exec = true});
}

static void read_sections(struct elf_in *e, Elf *elf, uint64_t *eh_frame) {
    size_t names;
    if (elf_getshdrstrndx(elf, &names) != 0) return;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
        GElf_Shdr shdr;
        if (gelf_getshdr(scn, &shdr) == NULL) continue;
        const char *name = elf_strptr(elf, names, shdr.sh_name);
        if (shdr.sh_type == SHT_SYMTAB) read_symtab(e, elf, scn, &shdr);
        if (shdr.sh_type == SHT_PROGBITS && (shdr.sh_flags & SHF_EXECINSTR) != 0)
            add_code(e, &shdr);
        if (name == NULL) continue;
        if (strcmp(name, ".note.go.buildid") == 0) e->is_go = true;
        if (strcmp(name, ".gopclntab") == 0 || strcmp(name, ".data.rel.ro.gopclntab") == 0) {
            e->is_go = true;
            elf_in_read_go(e, shdr.sh_addr, shdr.sh_size);
        }
        if (strcmp(name, ".eh_frame") == 0 && *eh_frame == 0) *eh_frame = shdr.sh_addr;
    }
}

static int by_address(const void *a, const void *b) {
    const struct elf_piece *x = a, *y = b;
    return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* Without sections everything executable is code; pieces that overlap lose the overlap. */
static void settle_code(struct elf_in *e) {
    for (size_t i = 0; e->code.count == 0 && i < e->segments.count; i++)
        if (e->segments.items[i].exec && e->segments.items[i].nbytes > 0)
            LIST_PUSH(&e->code, e->segments.items[i]);
    if (e->code.count == 0) return;
    qsort(e->code.items, e->code.count, sizeof(e->code.items[0]), by_address);
    size_t kept = 1;
    for (size_t i = 1; i < e->code.count; i++) {
        const struct elf_piece *last = &e->code.items[kept - 1];
        if (e->code.items[i].addr >= last->addr + last->nbytes)
            e->code.items[kept++] = e->code.items[i];
    }
    e->code.count = kept;
}

/* .note.gnu.property: which x86-64 level the file says that it needs. */
static void read_property(struct elf_in *e, const GElf_Phdr *p) {
    const uint8_t *at = elf_in_at(e, p->p_vaddr, p->p_filesz);
    uint64_t off = 16; /* note header and "GNU" */
    if (at == NULL || p->p_filesz < 16) return;
    while (p->p_filesz - off >= 8) {
        uint32_t type, size, value = 0;
        memcpy(&type, at + off, 4);
        memcpy(&size, at + off + 4, 4);
        if (size > p->p_filesz - off - 8) return;
        if (type == GNU_PROPERTY_X86_ISA_1_NEEDED && size >= 4) {
            memcpy(&value, at + off + 8, 4);
            e->isa_needed |= value;
        }
        uint64_t step = 8 + (((uint64_t)size + 7) & ~7ULL);
        if (step > p->p_filesz - off) return;
        off += step;
    }
}

static const char *check_header(struct elf_in *e, const uint8_t *bytes, size_t size) {
    Elf64_Ehdr h;
    if (size < 4 || memcmp(bytes, ELFMAG, 4) != 0) return "not an ELF file";
    if (size < sizeof(h)) return "truncated";
    memcpy(&h, bytes, sizeof(h));
    if (h.e_ident[EI_DATA] != ELFDATA2LSB) return "big-endian, for another machine";
    if (h.e_ident[EI_CLASS] == ELFCLASS32) return "a 32-bit program";
    if (h.e_ident[EI_CLASS] != ELFCLASS64) return "an unknown class of ELF";
    if (h.e_machine != EM_X86_64) return "for another machine, not x86-64";
    if (h.e_type != ET_EXEC && h.e_type != ET_DYN) return "not a program or library";
    e->type = h.e_type;
    e->entry = h.e_entry;
    return NULL;
}

static const char *parse(struct elf_in *e, Elf *elf) {
    GElf_Phdr dynamic = {0}, eh = {0}, property = {0};
    uint64_t eh_frame = 0;
    const char *problem = read_segments(e, elf, &dynamic, &eh, &property);
    if (problem != NULL) return problem;
    read_sections(e, elf, &eh_frame);
    settle_code(e);
    if (dynamic.p_filesz != 0) elf_in_read_dynamic(e, dynamic.p_vaddr, dynamic.p_filesz);
    if (property.p_filesz != 0) read_property(e, &property);
    elf_in_read_unwinds(e, eh.p_filesz != 0 ? eh.p_vaddr : 0, eh_frame);
    return NULL;
}

const char *elf_in_parse(struct elf_in *e, const uint8_t *bytes, size_t size) {
    *e = (struct elf_in){.bytes = bytes, .size = size};
    const char *problem = check_header(e, bytes, size);
    if (problem != NULL) return problem;
    if (elf_version(EV_CURRENT) == EV_NONE) return "libelf is too old";
    /* libelf does not write: the file was not opened for that. */
    Elf *elf = elf_memory((char *)(uintptr_t)bytes, size);
    if (elf == NULL) return "malformed headers";
    problem = parse(e, elf);
    elf_end(elf);
    if (problem != NULL) elf_in_free(e);
    return problem;
}

void elf_in_free(struct elf_in *e) {
    LIST_FREE(&e->needed);
    LIST_FREE(&e->segments);
    LIST_FREE(&e->code);
    LIST_FREE(&e->symbols);
    LIST_FREE(&e->relocs);
    LIST_FREE(&e->go_funcs);
    LIST_FREE(&e->unwinds);
    LIST_FREE(&e->pads_in);
    LIST_FREE(&e->pads);
    *e = (struct elf_in){0};
}
