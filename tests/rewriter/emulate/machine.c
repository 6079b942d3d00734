/* SPDX-License-Identifier: MIT */
/* See emulate.h: one version of an object in Unicorn. */
#include <inttypes.h>
#include <string.h>

#include <rewriter/list.h>
#include <tests/rewriter/emulate/emulate.h>

#define PAGE 4096ull

const char *const emu_version_names[EMU_VERSIONS] = {"old", "for Linux", "for Hermit"};

static const int gprs[16] = {UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX,
                             UC_X86_REG_RSP, UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI,
                             UC_X86_REG_R8,  UC_X86_REG_R9,  UC_X86_REG_R10, UC_X86_REG_R11,
                             UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14, UC_X86_REG_R15};

static void must(uc_err e, const char *what) {
    if (e == UC_ERR_OK) return;
    fprintf(stderr, "unicorn: %s: %s\n", what, uc_strerror(e));
    exit(1);
}

static void get_state(const struct emu_machine *m, struct emu_state *s) {
    for (int i = 0; i < 16; i++) {
        must(uc_reg_read(m->uc, gprs[i], &s->regs[i]), "registers");
        must(uc_reg_read(m->uc, UC_X86_REG_XMM0 + i, s->xmm[i]), "registers");
    }
    must(uc_reg_read(m->uc, UC_X86_REG_EFLAGS, &s->flags), "flags");
}

static void set_state(const struct emu_machine *m, const struct emu_state *s) {
    for (int i = 0; i < 16; i++) {
        must(uc_reg_write(m->uc, gprs[i], &s->regs[i]), "registers");
        must(uc_reg_write(m->uc, UC_X86_REG_XMM0 + i, s->xmm[i]), "registers");
    }
    must(uc_reg_write(m->uc, UC_X86_REG_EFLAGS, &s->flags), "flags");
}

/* The site whose stub has pc in it; false: none. */
static bool find_stub(const struct emu_machine *m, uint64_t pc, struct hermit_site *site) {
    uint64_t off = pc - m->bias - m->head.addr;
    if (m->stubs == NULL || off >= m->head.size) return false;
    for (uint32_t i = 0; i < m->head.nsites; i++) {
        memcpy(site, m->stubs + m->head.sites + i * sizeof(*site), sizeof(*site));
        if (off >= site->stub && off < (uint64_t)site->stub + site->length) return true;
    }
    return false;
}

/* The place in the old object that pc stands for. */
static uint64_t old_pc(const struct emu_machine *m, uint64_t pc) {
    struct hermit_site s;
    if (!find_stub(m, pc, &s)) return pc - m->bias;
    uint64_t into = pc - m->bias - m->head.addr - s.stub, site = m->head.addr - s.site;
    return into < s.moved ? site - s.moved + into : site;
}

static void on_code(uc_engine *uc, uint64_t pc, uint32_t size, void *arg) {
    struct emu_machine *m = arg;
    (void)size;
    m->pc = pc;
    if (++m->steps > m->limit) uc_emu_stop(uc);
}

static void mix(struct emu_machine *m, uint64_t value) {
    m->accesses = (m->accesses ^ value) * 0x9e3779b97f4a7c15ull;
    m->accesses ^= m->accesses >> 29;
}

static void on_access(uc_engine *uc, uc_mem_type type, uint64_t addr, int size, int64_t value,
                      void *arg) {
    struct emu_machine *m = arg;
    if (addr - EMU_GS < 2 * PAGE) return; /* the stub's own jump */
    bool write = type == UC_MEM_WRITE;
    mix(m, addr);
    mix(m, (uint64_t)size << 1 | write);
    if (!write) return;
    uint64_t mask = size >= 8 ? UINT64_MAX : (1ull << 8 * size) - 1;
    mix(m, (uint64_t)value & mask);
    m->undo = list_room(m->undo, m->undos, &m->undo_room, sizeof(*m->undo));
    m->undo[m->undos].addr = addr & ~7ull;
    if (uc_mem_read(uc, addr & ~7ull, m->undo[m->undos].bytes, 8) == UC_ERR_OK) m->undos++;
    if (addr % 8 + (unsigned)size <= 8) return;
    m->undo = list_room(m->undo, m->undos, &m->undo_room, sizeof(*m->undo));
    m->undo[m->undos].addr = (addr & ~7ull) + 8;
    if (uc_mem_read(uc, (addr & ~7ull) + 8, m->undo[m->undos].bytes, 8) == UC_ERR_OK) m->undos++;
}

static struct emu_event *add_event(struct emu_machine *m, uint64_t pc) {
    struct emu_event *e = &m->trace->events[m->trace->count++];
    *e = (struct emu_event){.pc = old_pc(m, pc), .accesses = m->accesses};
    get_state(m, &e->state);
    return e;
}

/* A call by `syscall`, which the doors execute as well, and what EMU_END has. */
static void on_syscall(uc_engine *uc, void *arg) {
    struct emu_machine *m = arg;
    uint64_t slot = (m->pc - EMU_DOOR) / 16;
    bool door = m->pc - EMU_DOOR < 16 * 512;
    if (m->over) return;
    if (m->pc == EMU_END || m->trace->count == EMU_EVENTS_MAX - 1 || m->steps > m->limit) {
        if (m->pc != EMU_END) m->steps = m->limit + 1; /* enough */
        m->over = true;
        uc_emu_stop(uc);
        return;
    }
    struct emu_event *e = add_event(m, m->pc);
    struct emu_state s = e->state;
    if (door) {
        e->pc = s.regs[GPR_CX] - 2 - m->bias;
        must(uc_mem_write(uc, EMU_GS, &s.regs[GPR_CX], 8), "where to go on");
        if (slot != HERMIT_GS_CALLS_COUNT && (uint32_t)s.regs[GPR_AX] != slot)
            m->trace->wrong_slot = true;
    }
    e->call = true;
    /* No address: random code would take it for one to compute others from. */
    s.regs[GPR_CX] = (e->pc + 2) * 0x9e3779b97f4a7c15ull;
    s.regs[11] = s.flags;
    s.regs[GPR_AX] = (e->pc * 0x9e3779b97f4a7c15ull) >> 17 ^ s.regs[GPR_DI] ^ e->accesses;
    for (int i = 0; i < 3; i++) {
        int reg = i == 0 ? GPR_CX : i == 1 ? 11 : GPR_AX;
        must(uc_reg_write(m->uc, gprs[reg], &s.regs[reg]), "result");
    }
}

static void map(struct emu_machine *m, uint64_t addr, uint64_t size, uint32_t prot) {
    uint64_t start = addr / PAGE * PAGE, end = (addr + size + PAGE - 1) / PAGE * PAGE;
    for (uint64_t at = start; at < end; at += PAGE)
        if (uc_mem_map(m->uc, at, PAGE, prot) != UC_ERR_OK)
            must(uc_mem_protect(m->uc, at, PAGE, prot), "mapping");
}

void emu_open(struct emu_machine *m, enum emu_version version) {
    static const uint8_t enter[] = {0x0f, 0x05, 0x65, 0xff, 0x24,
                                    0x25, 0,    0,    0,    0}; /* syscall; jmp *%gs:0 */
    uc_hook hook;
    *m = (struct emu_machine){.version = version};
    must(uc_open(UC_ARCH_X86, UC_MODE_64, &m->uc), "open");
    must(uc_hook_add(m->uc, &hook, UC_HOOK_CODE, (void *)(uintptr_t)on_code, m, 1, 0), "hook");
    must(uc_hook_add(m->uc, &hook, UC_HOOK_INSN, (void *)(uintptr_t)on_syscall, m, 1, 0,
                     UC_X86_INS_SYSCALL),
         "hook");
    must(uc_hook_add(m->uc, &hook, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE,
                     (void *)(uintptr_t)on_access, m, 1, 0),
         "hook");
    map(m, EMU_STACK, EMU_STACK_SIZE, UC_PROT_READ | UC_PROT_WRITE);
    map(m, EMU_DATA, EMU_DATA_SIZE, UC_PROT_READ | UC_PROT_WRITE);
    map(m, EMU_GS, 2 * PAGE, UC_PROT_READ);
    map(m, EMU_DOOR, 16 * 512, UC_PROT_ALL);
    map(m, EMU_END, PAGE, UC_PROT_ALL);
    must(uc_mem_write(m->uc, EMU_END, enter, sizeof(enter)), "end");
    for (uint64_t nr = 0; nr <= HERMIT_GS_CALLS_COUNT; nr++) {
        uint64_t door = EMU_DOOR + 16 * nr;
        must(uc_mem_write(m->uc, door, enter, sizeof(enter)), "door");
        must(uc_mem_write(m->uc, EMU_GS + HERMIT_GS_CALL(nr), &door, sizeof(door)), "words");
    }
    uint64_t seed = 1, word;
    for (uint64_t at = 0; at < EMU_STACK_SIZE; at += 8) {
        word = emu_random(&seed);
        must(uc_mem_write(m->uc, EMU_STACK + at, &word, 8), "stack");
        if (at < EMU_DATA_SIZE) must(uc_mem_write(m->uc, EMU_DATA + at, &word, 8), "data");
    }
    uint64_t fs = EMU_DATA + EMU_DATA_SIZE / 2, gs = EMU_GS;
    must(uc_reg_write(m->uc, UC_X86_REG_FS_BASE, &fs), "fs");
    must(uc_reg_write(m->uc, UC_X86_REG_GS_BASE, &gs), "gs");
}

void emu_close(struct emu_machine *m) {
    uc_close(m->uc);
    free(m->undo);
}

void emu_reserve(struct emu_machine *m, uint64_t addr, uint64_t size) {
    map(m, m->bias + addr, size, UC_PROT_EXEC);
}

void emu_load(struct emu_machine *m, const struct elf_in *e, uint64_t bias) {
    m->bias = bias;
    m->stubs = NULL;
    for (size_t i = 0; i < e->segments.count; i++) {
        const struct elf_piece *s = &e->segments.items[i];
        const uint8_t *bytes = s->bytes;
        if (s->nbytes >= sizeof(m->head) &&
            memcmp(bytes, HERMIT_STUBS_MAGIC, sizeof(m->head.magic)) == 0) {
            memcpy(&m->head, bytes, sizeof(m->head));
            if (m->version == EMU_HERMIT) bytes = e->bytes + m->head.hermit_offset;
            m->stubs = bytes;
        }
        bool hidden = m->hidden_code || m->stubs == bytes;
        uint32_t prot = s->write ? UC_PROT_READ | UC_PROT_WRITE : UC_PROT_READ;
        if (s->exec) prot = hidden ? UC_PROT_EXEC : UC_PROT_READ | UC_PROT_EXEC;
        map(m, bias + s->addr, s->size, prot);
        if (s->nbytes > 0) must(uc_mem_write(m->uc, bias + s->addr, bytes, s->nbytes), "segment");
        if (s->exec) uc_ctl_remove_cache(m->uc, bias + s->addr, bias + s->addr + s->size);
    }
}

static void undo(struct emu_machine *m) {
    while (m->undos > 0) {
        m->undos--;
        must(uc_mem_write(m->uc, m->undo[m->undos].addr, m->undo[m->undos].bytes, 8), "undo");
    }
}

void emu_run(struct emu_machine *m, uint64_t entry, const struct emu_state *from, unsigned limit,
             struct emu_trace *t) {
    uint64_t pc = m->bias + entry, end = EMU_END;
    *t = (struct emu_trace){0};
    m->trace = t;
    m->limit = limit;
    m->steps = 0;
    m->accesses = 0;
    set_state(m, from);
    must(uc_mem_write(m->uc, from->regs[GPR_SP], &end, sizeof(end)), "return address");
    m->over = false;
    uc_err error = uc_emu_start(m->uc, pc, UINT64_MAX, 0, 0);
    add_event(m, m->pc)->error = m->steps > m->limit ? -1 : (int)error;
    undo(m);
}

static bool differs(const char *what, const char *field, int n, uint64_t was, uint64_t is) {
    if (was != is)
        printf("%s: %s %d: was 0x%" PRIx64 ", is 0x%" PRIx64 "\n", what, field, n, was, is);
    return was != is;
}

static bool same_event(const struct emu_event *was, const struct emu_event *is, const char *what) {
    bool bad = differs(what, "pc", 0, was->pc, is->pc);
    bad |= differs(what, "kind", 0, was->call, is->call);
    bad |= differs(what, "error", 0, (uint64_t)was->error, (uint64_t)is->error);
    bad |= differs(what, "accesses", 0, was->accesses, is->accesses);
    /* Where an instruction faults Unicorn has lost the flags. */
    if (was->error == 0) bad |= differs(what, "flags", 0, was->state.flags, is->state.flags);
    for (int i = 0; i < 16; i++) {
        /* rcx is lost by the call; Hermit's stubs have its new value already. */
        if (!(was->call && i == GPR_CX))
            bad |= differs(what, "register", i, was->state.regs[i], is->state.regs[i]);
        bad |= differs(what, "xmm low", i, was->state.xmm[i][0], is->state.xmm[i][0]);
        bad |= differs(what, "xmm high", i, was->state.xmm[i][1], is->state.xmm[i][1]);
    }
    return !bad;
}

bool emu_same(const struct emu_trace *was, const struct emu_trace *is, const char *what) {
    char text[256];
    bool good = !is->wrong_slot;
    if (!good) printf("%s: a slot for another call\n", what);
    for (unsigned i = 0; i < was->count; i++) {
        if (!was->events[i].call && was->events[i].error == -1) break; /* too long to compare */
        snprintf(text, sizeof(text), "%s: event %u", what, i);
        if (i >= is->count) {
            printf("%s: missing\n", text);
            return false;
        }
        if (!same_event(&was->events[i], &is->events[i], text)) return false;
    }
    return good;
}
