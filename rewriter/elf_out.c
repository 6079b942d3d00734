/* SPDX-License-Identifier: MIT */
/* See elf_out.h.  What was in the file keeps its offset; only section headers move. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include <rewriter/elf_out_parts.h>
#include <rewriter/list.h>

#define PAGE 4096u
#define PT_PAX_FLAGS 0x65041580u

static uint64_t round_up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

uint64_t elf_out_addr(const struct elf_in *e) {
    uint64_t end = 0;
    for (size_t i = 0; i < e->segments.count; i++) {
        const struct elf_piece *s = &e->segments.items[i];
        if (s->addr + s->size > end) end = s->addr + s->size;
    }
    return round_up(end, PAGE);
}

bool elf_out_is_rewritten(const struct elf_in *e) {
    for (size_t i = 0; i < e->segments.count; i++) {
        const struct elf_piece *s = &e->segments.items[i];
        if (s->exec && s->nbytes >= sizeof(struct hermit_stubs) &&
            memcmp(s->bytes, HERMIT_STUBS_MAGIC, sizeof(HERMIT_STUBS_MAGIC) - 1) == 0)
            return true;
    }
    return false;
}

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size) {
    return a_size != 0 && b_size != 0 && a < b + b_size && b < a + a_size;
}

/* Does anything but a PT_LOAD say that these bytes of the file are its own? */
static bool is_claimed(const struct writer *w, uint64_t off, uint64_t size) {
    uint64_t table = w->head.e_shnum * sizeof(Elf64_Shdr);
    for (uint16_t i = 0; i < w->head.e_phnum; i++) {
        const Elf64_Phdr *p = &w->phdrs[i];
        if (p->p_type != PT_LOAD && p->p_type != PT_PHDR &&
            overlaps(off, size, p->p_offset, p->p_filesz))
            return true;
    }
    /* Without sections nobody says what zeros are. */
    if (w->head.e_shnum == 0 || w->head.e_shoff > w->e->size ||
        table > w->e->size - w->head.e_shoff)
        return true;
    for (uint16_t i = 0; i < w->head.e_shnum; i++) {
        Elf64_Shdr s;
        memcpy(&s, w->bytes + w->head.e_shoff + i * sizeof(s), sizeof(s));
        if (s.sh_type != SHT_NOBITS && overlaps(off, size, s.sh_offset, s.sh_size)) return true;
    }
    return overlaps(off, size, w->head.e_shoff, table);
}

/* The segment that the program headers are in reaches to `end` in the file, or can. */
static bool reach(struct writer *w, uint64_t end) {
    Elf64_Phdr *holder = NULL;
    for (uint16_t i = 0; i < w->head.e_phnum && holder == NULL; i++)
        if (w->phdrs[i].p_type == PT_LOAD && w->phdrs[i].p_offset <= w->head.e_phoff &&
            w->head.e_phoff < w->phdrs[i].p_offset + w->phdrs[i].p_filesz)
            holder = &w->phdrs[i];
    if (holder == NULL) return false;
    uint64_t size = end - holder->p_offset;
    if (size <= holder->p_filesz) return true;
    if (holder->p_filesz != holder->p_memsz) return false;
    for (uint16_t i = 0; i < w->head.e_phnum; i++) {
        const Elf64_Phdr *p = &w->phdrs[i];
        if (p == holder || p->p_type != PT_LOAD) continue;
        uint64_t page = p->p_vaddr / PAGE * PAGE;
        if (overlaps(holder->p_offset, size, p->p_offset, p->p_filesz) ||
            overlaps(holder->p_vaddr, size, page, p->p_vaddr + p->p_memsz - page))
            return false;
    }
    holder->p_filesz = holder->p_memsz = size;
    return true;
}

/* Is the space behind the program headers unused, and loaded as they are? */
static bool has_room(struct writer *w) {
    uint64_t end = w->head.e_phoff + w->head.e_phnum * sizeof(Elf64_Phdr);
    if (end + sizeof(Elf64_Phdr) > w->e->size) return false;
    for (size_t i = 0; i < sizeof(Elf64_Phdr); i++)
        if (w->bytes[end + i] != 0) return false;
    return !is_claimed(w, end, sizeof(Elf64_Phdr)) && reach(w, end + sizeof(Elf64_Phdr));
}

/* How little a program header is missed: 0 not at all, 4 very. */
static int worth(const struct writer *w, const Elf64_Phdr *p) {
    if (p->p_type == PT_NULL || p->p_type == PT_PAX_FLAGS) return 0;
    if (p->p_type != PT_NOTE) return 4;
    for (uint16_t i = 0; i < w->head.e_phnum; i++)
        if (w->phdrs[i].p_type == PT_GNU_PROPERTY && w->phdrs[i].p_offset == p->p_offset &&
            w->phdrs[i].p_filesz == p->p_filesz)
            return 1; /* said twice */
    /* The header's word: it may end beyond the file, or beyond all addresses. */
    if (p->p_offset > w->e->size || p->p_filesz > w->e->size - p->p_offset) return 2;
    for (uint64_t off = p->p_offset; off + 16 <= p->p_offset + p->p_filesz; off += 4)
        if (memcmp(w->bytes + off, "\3\0\0\0GNU", 8) == 0) return 3; /* a build id */
    return 2;
}

/* Drops the program header that is missed least; its bytes and its section stay. */
static bool spare_one(struct writer *w) {
    uint16_t best = 0;
    for (uint16_t i = 1; i < w->head.e_phnum; i++)
        if (worth(w, &w->phdrs[i]) < worth(w, &w->phdrs[best])) best = i;
    if (worth(w, &w->phdrs[best]) == 4) return false;
    w->head.e_phnum--;
    memmove(w->phdrs + best, w->phdrs + best + 1, (w->head.e_phnum - best) * sizeof(w->phdrs[0]));
    return true;
}

/* Behind the last PT_LOAD, because they must be in the order of addresses. */
static void insert_load(struct writer *w) {
    uint16_t at = 0;
    for (uint16_t i = 0; i < w->head.e_phnum; i++)
        if (w->phdrs[i].p_type == PT_LOAD) at = (uint16_t)(i + 1);
    memmove(w->phdrs + at + 1, w->phdrs + at, (w->head.e_phnum - at) * sizeof(w->phdrs[0]));
    w->phdrs[at] = (Elf64_Phdr){.p_type = PT_LOAD,
                                .p_flags = PF_R | PF_X,
                                .p_offset = w->linux_off,
                                .p_vaddr = w->s->addr,
                                .p_paddr = w->s->addr,
                                .p_filesz = w->s->size,
                                .p_memsz = w->s->size,
                                .p_align = PAGE};
    w->head.e_phnum++;
    for (uint16_t i = 0; i < w->head.e_phnum; i++)
        if (w->phdrs[i].p_type == PT_PHDR)
            w->phdrs[i].p_filesz = w->phdrs[i].p_memsz = w->head.e_phnum * sizeof(w->phdrs[0]);
}

static uint64_t table_off(const struct writer *w) {
    return w->s->cfi.addr + w->s->cfi.table - w->s->addr;
}

/* Unwinders look in the table that knows the stubs too. */
static void put_unwinding(struct writer *w) {
    for (uint16_t i = 0; w->s->cfi.table != 0 && i < w->head.e_phnum; i++) {
        Elf64_Phdr *p = &w->phdrs[i];
        if (p->p_type != PT_GNU_EH_FRAME) continue;
        p->p_vaddr = p->p_paddr = w->s->addr + table_off(w);
        p->p_offset = w->linux_off + table_off(w);
        p->p_filesz = p->p_memsz = w->s->cfi.loaded.count - w->s->cfi.table;
        p->p_align = 4;
    }
}

static const char *put_phdrs(struct writer *w) {
    if (w->head.e_phentsize != sizeof(Elf64_Phdr) || w->head.e_phnum > ELF_OUT_PHDRS_MAX ||
        w->head.e_phoff > w->e->size ||
        w->head.e_phnum * sizeof(Elf64_Phdr) > w->e->size - w->head.e_phoff)
        return "program headers that cannot be changed";
    memcpy(w->phdrs, w->bytes + w->head.e_phoff, w->head.e_phnum * sizeof(Elf64_Phdr));
    if (!has_room(w) && !spare_one(w)) return "no room for a program header";
    insert_load(w);
    put_unwinding(w);
    memcpy(w->bytes + w->head.e_phoff, w->phdrs, w->head.e_phnum * sizeof(Elf64_Phdr));
    return NULL;
}

uint64_t elf_out_append(struct writer *w, const void *bytes, uint64_t size, uint64_t align) {
    uint64_t off = round_up(w->size, align);
    while (off + size > w->room) {
        w->room += w->room / 2 + PAGE;
        w->bytes = list_must(realloc(w->bytes, w->room));
    }
    memset(w->bytes + w->size, 0, off - w->size);
    if (size > 0) memcpy(w->bytes + off, bytes, size);
    w->size = off + size;
    return off;
}

static bool has_section(const struct writer *w, const Elf64_Shdr *sections,
                        const Elf64_Shdr *strings, const char *name) {
    size_t len = strlen(name) + 1;
    for (uint16_t i = 0; i < w->head.e_shnum; i++)
        if (sections[i].sh_name < strings->sh_size &&
            len <= strings->sh_size - sections[i].sh_name &&
            memcmp(w->bytes + strings->sh_offset + sections[i].sh_name, name, len) == 0)
            return true;
    return false;
}

#define SECTIONS_NEW 4
static const char new_names[] =
    ".hermit.stubs\0.hermit.stubs.fast\0.hermit.eh_frame_hdr\0.debug_frame";
enum { NAME_STUBS = 0, NAME_FAST = 14, NAME_TABLE = 33, NAME_DEBUG = 54 };

/* name: offset of the first new name. */
static uint16_t new_sections(struct writer *w, Elf64_Shdr *out, uint32_t name, bool debug) {
    const struct stubs *s = w->s;
    uint64_t table = s->cfi.table != 0 ? table_off(w) : s->size;
    uint16_t n = 0;
    Elf64_Shdr part = {.sh_name = name + NAME_STUBS,
                       .sh_type = SHT_PROGBITS,
                       .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                       .sh_addr = s->addr,
                       .sh_offset = w->linux_off,
                       .sh_size = table,
                       .sh_addralign = PAGE};
    out[n++] = part;
    if (table != s->size) {
        part.sh_name = name + NAME_TABLE;
        part.sh_flags = SHF_ALLOC;
        part.sh_addr += table;
        part.sh_offset += table;
        part.sh_size = s->size - table;
        part.sh_addralign = 4;
        out[n++] = part;
    }
    part = (Elf64_Shdr){.sh_type = SHT_PROGBITS, .sh_size = s->size, .sh_addralign = PAGE};
    part.sh_name = name + NAME_FAST;
    part.sh_offset = w->hermit_off;
    if (w->hermit_off != 0) out[n++] = part;
    if (!debug || s->cfi.debug.count == 0) return n;
    part.sh_name = name + NAME_DEBUG;
    part.sh_offset = elf_out_append(w, s->cfi.debug.items, s->cfi.debug.count, 8);
    part.sh_size = s->cfi.debug.count;
    part.sh_addralign = 8;
    out[n++] = part;
    return n;
}

/* Without section headers nothing is added: nobody looks for them. */
static void put_sections(struct writer *w) {
    uint16_t count = w->head.e_shnum;
    uint64_t table = (uint64_t)count * sizeof(Elf64_Shdr);
    if (count == 0 || count > SHN_LORESERVE - SECTIONS_NEW || w->head.e_shstrndx >= count ||
        w->head.e_shentsize != sizeof(Elf64_Shdr) || w->head.e_shoff > w->e->size ||
        table > w->e->size - w->head.e_shoff)
        return;
    Elf64_Shdr *sections = list_must(calloc((size_t)count + SECTIONS_NEW, sizeof(*sections)));
    memcpy(sections, w->bytes + w->head.e_shoff, table);
    Elf64_Shdr *strings = &sections[w->head.e_shstrndx];
    if (strings->sh_offset <= w->e->size && strings->sh_size <= w->e->size - strings->sh_offset &&
        strings->sh_size < UINT32_MAX / 2) {
        elf_out_symbols(w, sections, count, count);
        uint32_t first = (uint32_t)strings->sh_size;
        bool debug = !has_section(w, sections, strings, ".debug_frame");
        char *text = list_must(malloc(first + sizeof(new_names)));
        memcpy(text, w->bytes + strings->sh_offset, first);
        memcpy(text + first, new_names, sizeof(new_names));
        strings->sh_offset = elf_out_append(w, text, first + sizeof(new_names), 1);
        strings->sh_size = first + sizeof(new_names);
        free(text);
        count = (uint16_t)(count + new_sections(w, sections + count, first, debug));
        w->head.e_shoff = elf_out_append(w, sections, count * sizeof(*sections), 8);
        w->head.e_shnum = count;
    }
    free(sections);
}

/* Do len bytes at addr lie in the headers, which change too? */
static bool in_headers(const struct writer *w, uint64_t addr, uint64_t len) {
    uint64_t off = (uint64_t)(elf_in_at(w->e, addr, len) - w->e->bytes);
    uint64_t table = w->head.e_phnum * sizeof(Elf64_Phdr);
    return overlaps(off, len, 0, sizeof(w->head)) || overlaps(off, len, w->head.e_phoff, table);
}

static bool rewrites_headers(const struct writer *w) {
    bool found = false;
    for (size_t i = 0; i < w->s->patches.count; i++)
        found |= in_headers(w, w->s->patches.items[i].addr, w->s->patches.items[i].len);
    for (size_t i = 0; i < w->s->sites.count; i++) {
        const struct hermit_site *site = &w->s->sites.items[i];
        found |= in_headers(w, w->s->addr - site->site - site->moved, site->moved + 2ULL);
    }
    return found;
}

static void put_patches(struct writer *w) {
    for (size_t i = 0; i < w->s->patches.count; i++) {
        const struct stubs_patch *patch = &w->s->patches.items[i];
        const uint8_t *at = elf_in_at(w->e, patch->addr, patch->len);
        memcpy(w->bytes + (at - w->e->bytes), patch->bytes, patch->len);
    }
}

static uint64_t put_stubs(struct writer *w, const uint8_t *stubs) {
    return elf_out_append(w, stubs, w->s->size, PAGE);
}

const char *elf_out_write(struct elf_out *out, const struct elf_in *e, const struct stubs *s,
                          bool hermit) {
    struct writer w = {.e = e, .s = s, .size = e->size};
    w.room = e->size + 2 * s->size + 4 * PAGE;
    w.bytes = list_must(malloc(w.room));
    memcpy(w.bytes, e->bytes, e->size);
    memcpy(&w.head, e->bytes, sizeof(w.head));
    put_patches(&w);
    w.linux_off = put_stubs(&w, s->linux_bytes);
    if (hermit) w.hermit_off = put_stubs(&w, s->hermit_bytes);
    size_t field = offsetof(struct hermit_stubs, hermit_offset);
    memcpy(w.bytes + w.linux_off + field, &w.hermit_off, sizeof(w.hermit_off));
    if (hermit) memcpy(w.bytes + w.hermit_off + field, &w.hermit_off, sizeof(w.hermit_off));
    const char *problem = put_phdrs(&w);
    if (problem == NULL && rewrites_headers(&w)) problem = "code in its headers";
    if (problem != NULL) {
        free(w.bytes);
        return problem;
    }
    put_sections(&w);
    memcpy(w.bytes, &w.head, sizeof(w.head));
    *out = (struct elf_out){w.bytes, w.size};
    return NULL;
}
