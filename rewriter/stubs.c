/* SPDX-License-Identifier: MIT */
/* See stubs.h.  The layout is that of hermit/rewrite.h. */
#include <stdlib.h>
#include <string.h>

#include <rewriter/list.h>
#include <rewriter/stubs.h>

#define PAGE 4096u
#define STUB_ALIGN 16u
#define ENTER_SIZE 15u /* lea site+2(%rip), %rcx; jmp *%gs:slot */
#define INT3 0xcc

static uint64_t round_up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

static bool displacement(uint64_t from, uint64_t to, uint8_t *out) {
    int64_t disp = (int64_t)(to - from);
    int32_t word = (int32_t)disp;
    memcpy(out, &word, sizeof(word));
    return word == disp;
}

static bool put_jump(uint8_t *at, uint64_t addr, uint64_t to) {
    at[0] = 0xe9;
    return displacement(addr + 5, to, at + 1);
}

/* The moved instructions, with displacements that lead where they did. */
static bool put_moved(const struct plan *p, const struct plan_site *site, uint8_t *at,
                      uint64_t addr) {
    uint64_t from = site->addr - site->moved;
    const uint8_t *bytes = elf_in_at(p->code->elf, from, site->moved);
    bool reaches = true;
    if (site->moved == 0) return true;
    memcpy(at, bytes, site->moved);
    for (uint8_t n = 0; n < site->nmoved; n++) {
        const struct plan_moved *m = &site->insns[n];
        if (m->rip_disp == 0) continue;
        int32_t disp;
        memcpy(&disp, bytes + m->off + m->rip_disp, sizeof(disp));
        uint64_t end = (uint64_t)m->off + m->len;
        reaches &= displacement(addr + end, from + end + (uint64_t)(int64_t)disp,
                                at + m->off + m->rip_disp);
    }
    return reaches;
}

static bool put_hermit(const struct plan *p, const struct plan_site *site, uint8_t *at,
                       uint64_t addr) {
    static const uint8_t lea[] = {0x48, 0x8d, 0x0d}, jmp[] = {0x65, 0xff, 0x24, 0x25};
    uint32_t slot = site->number_moved ? HERMIT_GS_CALL((uint32_t)site->number) : HERMIT_GS_DOOR;
    bool reaches = put_moved(p, site, at, addr);
    at += site->moved;
    addr += site->moved;
    memcpy(at, lea, sizeof(lea));
    reaches &= displacement(addr + 7, site->addr + 2, at + 3);
    memcpy(at + 7, jmp, sizeof(jmp));
    memcpy(at + 11, &slot, sizeof(slot));
    return reaches;
}

/* Where the site still holds `syscall`, that one is executed: what compares the program counter
 * with the site (cancellation in libc, debuggers, filters) finds what it expects. */
static bool put_linux(const struct plan *p, const struct plan_site *site, uint8_t *at,
                      uint64_t addr) {
    bool reaches = put_moved(p, site, at, addr);
    at += site->moved;
    addr += site->moved;
    if (site->moved > 0) return reaches & put_jump(at, addr, site->addr);
    at[0] = 0x0f;
    at[1] = 0x05;
    return reaches & put_jump(at + 2, addr + 2, site->addr + 2);
}

static struct stubs_patch *add_patch(struct stubs *s, uint64_t addr, uint8_t len) {
    LIST_PUSH(&s->patches, (struct stubs_patch){.addr = addr, .len = len});
    struct stubs_patch *patch = &s->patches.items[s->patches.count - 1];
    memset(patch->bytes, INT3, len);
    return patch;
}

static bool patch_site(struct stubs *s, const struct plan_site *site, uint64_t stub) {
    if (site->moved > 0) {
        uint64_t from = site->addr - site->moved;
        return put_jump(add_patch(s, from, site->patched)->bytes, from, stub);
    }
    struct stubs_patch *patch = add_patch(s, site->addr, 2);
    patch->bytes[0] = 0xeb;
    patch->bytes[1] = (uint8_t)(site->hole - site->addr - 2);
    if (site->nop != 0) {
        patch = add_patch(s, site->nop, 2);
        patch->bytes[0] = 0xeb;
        patch->bytes[1] = (uint8_t)(site->nop_len - 2);
    }
    return put_jump(add_patch(s, site->hole, 5)->bytes, site->hole, stub);
}

static void lay_out(struct stubs *s, const struct plan *p) {
    for (uint32_t i = 0; i < p->sites.count; i++)
        if (p->sites.items[i].tier != HERMIT_TIER_NONE) LIST_PUSH(&s->planned, i);
    uint64_t at = sizeof(struct hermit_stubs);
    at += s->planned.count * (sizeof(struct hermit_site) + sizeof(uint32_t));
    for (size_t i = 0; i < s->planned.count; i++) {
        const struct plan_site *site = &p->sites.items[s->planned.items[i]];
        uint64_t length = round_up(site->moved + ENTER_SIZE, STUB_ALIGN);
        at = round_up(at, STUB_ALIGN);
        LIST_PUSH(&s->sites, (struct hermit_site){.site = s->addr - site->addr,
                                                  .stub = (uint32_t)at,
                                                  .length = (uint16_t)length,
                                                  .moved = site->moved,
                                                  .tier = site->tier});
        LIST_PUSH(&s->names, p->code->funcs.items[site->func].name);
        at += length;
    }
    at = round_up(at, STUB_ALIGN);
    cfi_build(&s->cfi, p->code->elf, s->addr, s->sites.items, s->sites.count, s->addr + at);
    s->size = round_up(at + s->cfi.loaded.count, PAGE);
}

/* The stubs are in the order of their sites, so one index is the other. */
static void put_tables(const struct stubs *s, uint8_t *bytes) {
    size_t n = s->sites.count;
    struct hermit_stubs head = {.version = HERMIT_STUBS_VERSION,
                                .nsites = (uint32_t)n,
                                .addr = s->addr,
                                .size = s->size,
                                .sites = sizeof(head),
                                .by_site = sizeof(head) + n * sizeof(struct hermit_site)};
    memcpy(head.magic, HERMIT_STUBS_MAGIC, sizeof(head.magic));
    memcpy(bytes, &head, sizeof(head));
    if (s->cfi.loaded.count > 0)
        memcpy(bytes + (s->cfi.addr - s->addr), s->cfi.loaded.items, s->cfi.loaded.count);
    memcpy(bytes + head.sites, s->sites.items, n * sizeof(struct hermit_site));
    for (uint32_t i = 0; i < n; i++)
        memcpy(bytes + head.by_site + i * sizeof(i), &i, sizeof(i));
}

/* False: some did not reach and are out of the plan now. */
static bool emit(struct stubs *s, const struct plan *p) {
    bool all = true;
    s->linux_bytes = list_must(malloc(s->size));
    s->hermit_bytes = list_must(malloc(s->size));
    memset(s->linux_bytes, INT3, s->size);
    memset(s->hermit_bytes, INT3, s->size);
    put_tables(s, s->linux_bytes);
    put_tables(s, s->hermit_bytes);
    for (size_t i = 0; i < s->sites.count; i++) {
        struct plan_site *site = &p->sites.items[s->planned.items[i]];
        uint32_t off = s->sites.items[i].stub;
        if (put_linux(p, site, s->linux_bytes + off, s->addr + off) &&
            put_hermit(p, site, s->hermit_bytes + off, s->addr + off) &&
            patch_site(s, site, s->addr + off))
            continue;
        site->tier = HERMIT_TIER_NONE;
        site->why = "too far from the end of the object";
        all = false;
    }
    return all;
}

bool stubs_build(struct stubs *s, struct plan *p, uint64_t addr) {
    for (;;) {
        *s = (struct stubs){.addr = addr};
        lay_out(s, p);
        if (s->sites.count == 0 || emit(s, p)) return s->sites.count > 0;
        stubs_free(s);
    }
}

void stubs_free(struct stubs *s) {
    free(s->linux_bytes);
    free(s->hermit_bytes);
    cfi_free(&s->cfi);
    LIST_FREE(&s->sites);
    LIST_FREE(&s->planned);
    LIST_FREE(&s->names);
    LIST_FREE(&s->patches);
    *s = (struct stubs){0};
}
