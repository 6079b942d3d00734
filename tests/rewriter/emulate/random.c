/* SPDX-License-Identifier: MIT */
/* See emulate.h: objects of random code around `syscall`, with branches, tables of offsets and
 * pointers that lead to random instructions of it. */
#include <elf.h>
#include <string.h>

#include <tests/rewriter/emulate/emulate.h>

#define BASE 0x400000ull
#define CODE 0x200u      /* of the file */
#define DATA 0x2000u     /* of the file, and of memory */
#define TABLES 0x800u    /* of the data: what refers to code */
#define SECTIONS 0x3000u /* of the file: what describes the functions */
#define PIECES 220
#define FUNCTIONS 4

uint64_t emu_random(uint64_t *seed) {
    uint64_t z = (*seed += 0x9e3779b97f4a7c15ull);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

void emu_random_state(struct emu_state *s, uint64_t *seed) {
    for (int i = 0; i < 16; i++) {
        uint64_t r = emu_random(seed), kind = r % 4;
        s->regs[i] = kind == 0   ? emu_random(seed)
                     : kind == 1 ? r >> 4 & 0xff
                     : kind == 2 ? EMU_STACK + 0x100 + (r >> 8) % (EMU_STACK_SIZE - 0x200) / 16 * 16
                                 : EMU_DATA + 0x100 + (r >> 8) % (EMU_DATA_SIZE - 0x200) / 16 * 16;
        s->xmm[i][0] = emu_random(seed);
        s->xmm[i][1] = emu_random(seed);
    }
    s->regs[GPR_SP] = EMU_STACK + EMU_STACK_SIZE / 2;
    s->flags = 0x202 | (emu_random(seed) & 0x8d5); /* carry, parity, adjust, zero, sign, overflow */
}

struct piece {
    uint32_t off;
    uint8_t len;
    uint8_t width; /* of the displacement at the end that leads to a piece, 0: none */
};

struct writer {
    struct emu_object *o;
    struct disasm *disasm;
    uint64_t seed;
    uint32_t at;  /* of the file */
    uint32_t end; /* of the last function */
    struct piece pieces[PIECES];
    unsigned count;
    bool uses_table;
    Elf64_Sym symbols[FUNCTIONS + 1];
    unsigned functions;
};

static uint32_t below(struct writer *w, uint32_t n) {
    return (uint32_t)(emu_random(&w->seed) >> 11) % n;
}

static void put(struct writer *w, const void *bytes, uint8_t len, uint8_t width) {
    if (w->count == PIECES) return;
    memcpy(w->o->bytes + w->at, bytes, len);
    w->pieces[w->count++] = (struct piece){w->at, len, width};
    w->at += len;
}

#define PUT(w, width, ...)                                                                         \
    put(w, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), width)

static bool touches_sp(const struct insn *i) { return (i->clobbers >> GPR_SP & 1) != 0; }

/* What QEMU does not always do as processors do: a REX prefix counts directly before the opcode
 * only; a shift by cl, which may be none, leaves the flags; bt and its kin leave some undefined. */
static bool is_emulated_wrongly(const uint8_t *bytes, uint8_t len) {
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                       0x66, 0x67, 0xf0, 0xf2, 0xf3};
    bool rex = false;
    uint8_t i = 0;
    for (; i + 1 < len; i++) {
        bool now = (bytes[i] & 0xf0) == 0x40;
        if (!now && memchr(prefixes, bytes[i], sizeof(prefixes)) == NULL) break;
        if (rex) return true;
        rex = now;
    }
    if (bytes[i] != 0x0f) return (bytes[i] & 0xfe) == 0xd2;
    return bytes[i + 1] == 0xba || (bytes[i + 1] & 0xe7) == 0xa3;
}

/* Any instruction that may move, as the decoder sees it, its operands where memory is. */
static void put_any(struct writer *w) {
    for (int tries = 0; tries < 200; tries++) {
        uint8_t bytes[16];
        struct insn i;
        uint8_t len = 0;
        if (below(w, 3) == 0) bytes[len++] = (const uint8_t[]){0x66, 0x64, 0x48, 0x66}[below(w, 4)];
        if (below(w, 2) == 0) bytes[len++] = (uint8_t)(0x40 + below(w, 16));
        if (below(w, 3) == 0) bytes[len++] = 0x0f;
        while (len < 16)
            bytes[len++] = (uint8_t)below(w, 256);
        uint64_t addr = BASE + w->at;
        disasm_next(w->disasm, bytes, sizeof(bytes), addr, true, &i);
        if (!i.movable || is_emulated_wrongly(bytes, i.len) || (touches_sp(&i) && below(w, 8) != 0))
            continue;
        if (i.rip_disp != 0) {
            int32_t disp = (int32_t)(DATA + below(w, 0x7f0) - w->at - i.len);
            memcpy(bytes + i.rip_disp, &disp, sizeof(disp));
        }
        put(w, bytes, i.len, 0);
        return;
    }
}

/* Of 64 bits or 32, with registers but rsp. */
static void put_register(struct writer *w) {
    static const uint8_t ops[] = {0x01, 0x11, 0x19, 0x21, 0x29, 0x31, 0x39, 0x85, 0x87, 0x89, 0x63};
    uint8_t a = (uint8_t)below(w, 8), b = (uint8_t)below(w, 8);
    if (a == GPR_SP) a = GPR_DI;
    uint8_t op = ops[below(w, sizeof(ops))], modrm = (uint8_t)(0xc0 | b << 3 | a);
    if (b == GPR_SP) modrm = (uint8_t)(modrm & ~0x38);
    if (below(w, 2) == 0)
        PUT(w, 0, 0x48, op, modrm);
    else
        PUT(w, 0, op, modrm);
}

/* The red zone, the frame and data. */
static void put_memory(struct writer *w) {
    uint8_t reg = (uint8_t)(below(w, 8) << 3), disp = (uint8_t)below(w, 256);
    uint8_t op = (const uint8_t[]){0x89, 0x8b, 0x03, 0x31, 0x8d}[below(w, 5)];
    if (reg == GPR_SP << 3) reg = 0;
    uint32_t far = DATA + below(w, 0x7f0) / 8 * 8;
    uint8_t value = (uint8_t)below(w, 256);
    switch (below(w, 6)) {
    case 0:
    case 1:
        PUT(w, 0, 0x48, op, (uint8_t)(0x44 | reg), 0x24, disp);
        return;
    case 2: /* the same with an immediate operand behind the displacement */
        far -= w->at + 11;
        PUT(w, 0, 0x48, 0xc7, 0x05, (uint8_t)far, (uint8_t)(far >> 8), (uint8_t)(far >> 16),
            (uint8_t)(far >> 24), value, 0, 0, 0);
        return;
    case 3:
        far -= w->at + 7;
        PUT(w, 0, 0x83, (uint8_t)(0x05 | reg), (uint8_t)far, (uint8_t)(far >> 8),
            (uint8_t)(far >> 16), (uint8_t)(far >> 24), value);
        return;
    case 4:
        far -= w->at + 7;
        PUT(w, 0, 0x48, op, (uint8_t)(0x05 | reg), (uint8_t)far, (uint8_t)(far >> 8),
            (uint8_t)(far >> 16), (uint8_t)(far >> 24));
        return;
    default:
        PUT(w, 0, 0x64, 0x48, 0x8b, (uint8_t)(0x04 | reg), 0x25, (uint8_t)(disp & 0xf8), 0, 0, 0);
    }
}

static void put_branch(struct writer *w) {
    uint8_t condition = (uint8_t)below(w, 16);
    switch (below(w, 6)) {
    case 0:
    case 1:
        PUT(w, 4, 0x0f, (uint8_t)(0x80 | condition), 0, 0, 0, 0);
        return;
    case 2:
        PUT(w, 1, 0xe3, 0);
        return;
    case 3:
        PUT(w, 1, (uint8_t)(0xe0 | below(w, 3)), 0);
        return;
    default:
        PUT(w, 1, (uint8_t)(0x70 | condition), 0);
    }
}

static void put_number(struct writer *w) {
    uint8_t nr = (uint8_t)below(w, 256);
    switch (below(w, 6)) {
    case 0:
        PUT(w, 0, 0x31, 0xc0);
        return;
    case 1:
        PUT(w, 0, 0x48, 0xc7, 0xc0, nr, 0, 0, 0);
        return;
    case 2:
        PUT(w, 0, 0x48, 0xb8, nr, 1, 0, 0, 0, 0, 0, 0);
        return;
    case 3:
        PUT(w, 0, 0x44, 0x89, 0xc0);
        return;
    default:
        PUT(w, 0, 0xb8, nr, (uint8_t)(below(w, 3) == 0), 0, 0);
    }
}

static void put_nop(struct writer *w) {
    static const uint8_t nops[10][10] = {{0x90},
                                         {0x66, 0x90},
                                         {0x0f, 0x1f, 0x00},
                                         {0x0f, 0x1f, 0x40, 0},
                                         {0x0f, 0x1f, 0x44, 0, 0},
                                         {0x66, 0x0f, 0x1f, 0x44, 0, 0},
                                         {0x0f, 0x1f, 0x80, 0, 0, 0, 0},
                                         {0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0},
                                         {0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0},
                                         {0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}};
    uint8_t n = (uint8_t)below(w, 10);
    put(w, nops[n], (uint8_t)(n + 1), 0);
}

static void put_one(struct writer *w) {
    switch (below(w, 16)) {
    case 0:
        put_branch(w);
        return;
    case 1:
        put_nop(w);
        return;
    case 2:
    case 3:
        put_number(w);
        return;
    case 4:
    case 5:
        put_memory(w);
        return;
    case 6:
    case 7:
    case 8:
        put_register(w);
        return;
    case 9:
        PUT(w, 0, (uint8_t)((below(w, 2) ? 0x50 : 0x58) + (below(w, 8) & 3)));
        return;
    default:
        put_any(w);
    }
}

static void put_function(struct writer *w, bool calls) {
    PUT(w, 0, 0xf3, 0x0f, 0x1e, 0xfa);
    if (calls) PUT(w, 0, 0xe8, 0, 0, 0, 0);
    if (below(w, 3) == 0) { /* refer to the tables, as a jump table's user does */
        uint32_t disp = DATA + TABLES - w->at - 7;
        w->uses_table = true;
        PUT(w, 0, 0x4c, 0x8d, 0x1d, (uint8_t)disp, (uint8_t)(disp >> 8), (uint8_t)(disp >> 16),
            (uint8_t)(disp >> 24));
    }
    for (uint32_t sites = 1 + below(w, 4); sites > 0; sites--) {
        for (uint32_t n = below(w, 7); n > 0; n--)
            put_one(w);
        if (below(w, 3) == 0) put_number(w);
        for (uint32_t n = below(w, 3); n > 0; n--)
            put_register(w);
        PUT(w, 0, 0x0f, 0x05);
        if (below(w, 5) == 0) PUT(w, 0, 0xc3);
    }
    for (uint32_t n = below(w, 5); n > 0; n--)
        put_one(w);
    PUT(w, 0, 0xc3);
    w->end = w->at;
    for (uint32_t n = below(w, 3); n > 0; n--)
        put_nop(w);
    w->at = (w->at + 15) / 16 * 16;
}

/* One of those before a site, from piece `from` on: what a window may be made of. */
static unsigned before_site(struct writer *w, unsigned from) {
    while (from < w->count && memcmp(w->o->bytes + w->pieces[from].off, "\x0f\x05", 2) != 0)
        from++;
    return from - below(w, 4);
}

/* Branches get a piece to lead to; short ones that none is in reach of become nothing. */
static void resolve(struct writer *w) {
    for (unsigned i = 0; i < w->count; i++) {
        const struct piece *p = &w->pieces[i];
        uint8_t *end = w->o->bytes + p->off + p->len;
        if (p->width == 0) continue;
        unsigned near = p->width == 4 ? below(w, w->count) : i + below(w, 32) - 16;
        if (below(w, 4) != 0) near = before_site(w, near);
        const struct piece *to = &w->pieces[near < w->count ? near : i];
        int32_t disp = (int32_t)(to->off - p->off - p->len);
        if (p->width == 1 && disp != (int8_t)disp) {
            memcpy(w->o->bytes + p->off, "\x66\x90", 2);
            continue;
        }
        memcpy(end - p->width, &disp, p->width);
        w->o->entries[w->o->count++] = BASE + to->off;
    }
}

/* Offsets from the table's start, and pointers: what they lead to may be entered. */
static void put_tables(struct writer *w) {
    uint8_t *table = w->o->bytes + DATA + TABLES;
    for (unsigned i = 0; i < 6; i++) {
        const struct piece *to = &w->pieces[below(w, w->count)];
        int32_t off = (int32_t)(to->off - DATA - TABLES);
        if (!w->uses_table) break;
        memcpy(table + 4 * i, &off, sizeof(off));
        w->o->entries[w->o->count++] = BASE + to->off;
    }
    for (unsigned i = 0; i < 3; i++) {
        const struct piece *to = &w->pieces[below(w, w->count)];
        uint64_t addr = BASE + to->off;
        memcpy(table + 0x100 + 8 * i, &addr, sizeof(addr));
        w->o->entries[w->o->count++] = addr;
    }
}

/* Half of the objects say where their functions are. */
static void put_sections(struct writer *w) {
    static const char names[] = "\0f\0.text\0.symtab\0.strtab";
    uint8_t *at = w->o->bytes + SECTIONS;
    uint64_t size = (w->functions + 1) * sizeof(w->symbols[0]);
    Elf64_Ehdr *head = (Elf64_Ehdr *)w->o->bytes;
    Elf64_Shdr sections[4] = {{0},
                              {.sh_name = 3,
                               .sh_type = SHT_PROGBITS,
                               .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                               .sh_addr = BASE + CODE,
                               .sh_offset = CODE,
                               .sh_size = w->at - CODE,
                               .sh_addralign = 16},
                              {.sh_name = 9,
                               .sh_type = SHT_SYMTAB,
                               .sh_offset = SECTIONS + sizeof(sections),
                               .sh_size = size,
                               .sh_link = 3,
                               .sh_entsize = sizeof(w->symbols[0]),
                               .sh_addralign = 8},
                              {.sh_name = 17,
                               .sh_type = SHT_STRTAB,
                               .sh_offset = SECTIONS + sizeof(sections) + size,
                               .sh_size = sizeof(names),
                               .sh_addralign = 1}};
    memcpy(at, sections, sizeof(sections));
    memcpy(at + sizeof(sections), w->symbols, size);
    memcpy(at + sizeof(sections) + size, names, sizeof(names));
    head->e_shoff = SECTIONS;
    head->e_shentsize = sizeof(sections[0]);
    head->e_shnum = 4;
    head->e_shstrndx = 3;
}

static void put_headers(struct emu_object *o) {
    Elf64_Ehdr head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                       .e_type = ET_EXEC,
                       .e_machine = EM_X86_64,
                       .e_version = EV_CURRENT,
                       .e_entry = BASE + CODE,
                       .e_phoff = sizeof(head),
                       .e_ehsize = sizeof(head),
                       .e_phentsize = sizeof(Elf64_Phdr),
                       .e_phnum = 3};
    Elf64_Phdr phdrs[3] = {{.p_type = PT_LOAD,
                            .p_flags = PF_R | PF_X,
                            .p_vaddr = BASE,
                            .p_filesz = DATA,
                            .p_memsz = DATA,
                            .p_align = 4096},
                           {.p_type = PT_LOAD,
                            .p_flags = PF_R | PF_W,
                            .p_offset = DATA,
                            .p_vaddr = BASE + DATA,
                            .p_filesz = 0x1000,
                            .p_memsz = 0x1000,
                            .p_align = 4096},
                           {.p_type = PT_NULL}};
    memcpy(o->bytes, &head, sizeof(head));
    memcpy(o->bytes + sizeof(head), phdrs, sizeof(phdrs));
}

void emu_random_object(struct emu_object *o, uint64_t seed) {
    struct writer w = {.o = o, .disasm = disasm_open(), .seed = seed, .at = CODE};
    memset(o, 0, sizeof(*o));
    memset(o->bytes + CODE, 0xcc, DATA - CODE);
    put_headers(o);
    for (uint32_t at = DATA; at < DATA + TABLES; at += 8) {
        uint64_t word = emu_random(&w.seed) >> 20; /* no pointers */
        memcpy(o->bytes + at, &word, sizeof(word));
    }
    w.functions = 1 + below(&w, FUNCTIONS);
    uint32_t call = 0;
    for (unsigned i = 0; i < w.functions; i++) {
        uint32_t start = w.at;
        o->entries[o->count++] = BASE + w.at;
        if (call != 0) {
            int32_t disp = (int32_t)(w.at - call - 5);
            memcpy(o->bytes + call + 1, &disp, sizeof(disp));
        }
        call = i + 1 < w.functions ? w.at + 4 : 0;
        put_function(&w, call != 0);
        w.symbols[i + 1] = (Elf64_Sym){.st_name = 1,
                                       .st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
                                       .st_shndx = 1,
                                       .st_value = BASE + start,
                                       .st_size = w.end - start};
    }
    resolve(&w);
    put_tables(&w);
    if (seed % 2 != 0) put_sections(&w);
    /* Who returns from a call or is restarted gets to a site. */
    for (unsigned i = 0; i < w.count; i++)
        if (memcmp(o->bytes + w.pieces[i].off, "\x0f\x05", 2) == 0 && o->count < EMU_ENTRIES_MAX)
            o->entries[o->count++] = BASE + w.pieces[i].off;
    disasm_close(w.disasm);
}
