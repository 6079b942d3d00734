/* SPDX-License-Identifier: MIT */
/* See cfi.h.  The rules of the function at the site are copied; those that belong to places before
 * the first moved instruction apply at once. */
#include <string.h>

#include <rewriter/cfi.h>
#include <rewriter/list.h>

#define ENC_PCREL_S4 0x1b /* of addresses in records; all compilers write it so */
#define NOP 0
#define RULES_MAX 512

struct bytes {
    const uint8_t *at, *end;
    bool bad;
};

/* A function's records, taken apart. */
struct records {
    uint64_t code_align;
    struct bytes cie_head; /* alignments and return address register */
    struct bytes initial, rules;
    uint8_t extra; /* bytes of augmentation data in the FDE */
};

static uint8_t take(struct bytes *b) {
    if (b->at >= b->end) b->bad = true;
    return b->bad ? 0 : *b->at++;
}

static uint64_t take_leb(struct bytes *b) {
    uint64_t value = 0;
    for (unsigned shift = 0; !b->bad; shift += 7) {
        uint8_t byte = take(b);
        if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) break;
    }
    return value;
}

static void skip(struct bytes *b, uint64_t len) {
    if (len > (uint64_t)(b->end - b->at)) b->bad = true;
    if (!b->bad) b->at += len;
}

static uint64_t take_fixed(struct bytes *b, unsigned len) {
    uint64_t value = 0;
    for (unsigned i = 0; i < len; i++)
        value |= (uint64_t)take(b) << 8 * i;
    return value;
}

/* The record at addr behind its length and the word that says what it is. */
static struct bytes record_at(const struct elf_in *e, uint64_t addr) {
    uint32_t len = 0;
    const uint8_t *at = elf_in_at(e, addr, 8);
    if (at != NULL) memcpy(&len, at, sizeof(len));
    if (len < 4 || len == 0xffffffff || elf_in_at(e, addr, 4ull + len) == NULL)
        return (struct bytes){.bad = true};
    return (struct bytes){at + 8, at + 4 + len, false};
}

static unsigned pointer_size(uint8_t encoding) {
    static const uint8_t sizes[16] = {8, 0, 2, 4, 8, 0, 0, 0, 0, 0, 2, 4, 8};
    return sizes[encoding & 15];
}

static bool read_cie(struct records *r, struct bytes c) {
    struct bytes letters;
    if (take(&c) != 1 || take(&c) != 'z') return false;
    letters = c;
    while (take(&c) != 0)
        ;
    r->cie_head = c;
    r->code_align = take_leb(&c);
    take_leb(&c);
    take(&c);
    r->cie_head.end = c.at;
    uint64_t len = take_leb(&c);
    r->initial = c;
    skip(&r->initial, len);
    bool known = false;
    for (uint8_t letter; !c.bad && (letter = take(&letters)) != 0;) {
        uint8_t encoding = take(&c);
        if (letter == 'R')
            known = encoding == ENC_PCREL_S4;
        else if (letter == 'L')
            r->extra = (uint8_t)pointer_size(encoding);
        else if (letter == 'P')
            skip(&c, pointer_size(encoding));
        else
            return false;
    }
    return known && !c.bad && !r->initial.bad && r->code_align != 0;
}

static bool read_records(struct records *r, const struct elf_in *e, const struct elf_unwind *u) {
    struct bytes fde = record_at(e, u->fde), cie = record_at(e, u->cie);
    *r = (struct records){0};
    if (fde.bad || cie.bad || !read_cie(r, cie)) return false;
    skip(&fde, 8);
    skip(&fde, take_leb(&fde));
    r->rules = fde;
    return !fde.bad;
}

/* Skips the operands of a rule; false: not known. */
static bool skip_operands(struct bytes *b, uint8_t op) {
    /* By operation: n(umber), b(lock). */
    static const char *const operands[] = {
        [0x00] = "",   [0x05] = "nn", [0x06] = "n",  [0x07] = "n", [0x08] = "n",  [0x09] = "nn",
        [0x0a] = "",   [0x0b] = "",   [0x0c] = "nn", [0x0d] = "n", [0x0e] = "n",  [0x0f] = "b",
        [0x10] = "nb", [0x11] = "nn", [0x12] = "nn", [0x13] = "n", [0x14] = "nn", [0x15] = "nn",
        [0x16] = "nb", [0x2e] = "n",  [0x2f] = "nn"};
    if (op >= 0xc0) return true;
    if (op >= 0x80) {
        take_leb(b);
        return !b->bad;
    }
    if (op >= sizeof(operands) / sizeof(operands[0]) || operands[op] == NULL) return false;
    for (const char *p = operands[op]; *p != 0; p++) {
        uint64_t value = take_leb(b);
        if (*p == 'b') skip(b, value);
    }
    return !b->bad;
}

/* Writes the rules of the function from `start` on for a stub whose instructions stand for those
 * from `first` to `site`.  Number of bytes, 0: it cannot be said. */
static size_t write_rules(const struct records *r, uint64_t start, uint64_t first, uint64_t site,
                          uint8_t out[RULES_MAX]) {
    struct bytes b = r->rules;
    uint64_t loc = start, told = first;
    size_t len = 0;
    while (b.at < b.end) {
        const uint8_t *begin = b.at;
        uint8_t op = take(&b);
        bool advance = op >> 6 == 1 || (op >= 2 && op <= 4);
        if (advance) {
            uint64_t delta = op >> 6 == 1 ? op & 0x3f : take_fixed(&b, 1u << (op - 2));
            loc += delta * r->code_align;
            if (loc > site) break;
            continue;
        }
        if (!skip_operands(&b, op) || len + 2 + (size_t)(b.at - begin) > RULES_MAX) return 0;
        if (op == NOP) continue;
        uint64_t step = loc > told ? (loc - told) / r->code_align : 0;
        if (step > 0x3f) return 0;
        if (step > 0) out[len++] = (uint8_t)(0x40 | step);
        if (loc > told) told = loc;
        memcpy(out + len, begin, (size_t)(b.at - begin));
        len += (size_t)(b.at - begin);
    }
    if (len == 0) out[len++] = NOP;
    return b.bad ? 0 : len;
}

#define PUT(list, pointer, size)                                                                   \
    do {                                                                                           \
        const uint8_t *put_from = (const uint8_t *)(pointer);                                      \
        for (size_t put_i = 0; put_i < (size); put_i++)                                            \
            LIST_PUSH(list, put_from[put_i]);                                                      \
    } while (0)

static void put_debug(struct cfi *c, uint64_t value, size_t size) { PUT(&c->debug, &value, size); }
static void put_loaded(struct cfi *c, uint64_t value, size_t size) {
    PUT(&c->loaded, &value, size);
}

static void end_debug(struct cfi *c, size_t begin) {
    while ((c->debug.count - begin) % 8 != 4)
        put_debug(c, NOP, 1);
    uint32_t len = (uint32_t)(c->debug.count - begin - 4);
    memcpy(c->debug.items + begin, &len, sizeof(len));
}

static void add_debug(struct cfi *c, const struct records *r, uint64_t stub, uint64_t len,
                      const uint8_t *rules, size_t size) {
    size_t cie = c->debug.count;
    put_debug(c, 0, 4);
    put_debug(c, UINT32_MAX, 4);
    put_debug(c, 1, 2); /* version, no augmentation */
    PUT(&c->debug, r->cie_head.at, (size_t)(r->cie_head.end - r->cie_head.at));
    PUT(&c->debug, r->initial.at, (size_t)(r->initial.end - r->initial.at));
    end_debug(c, cie);
    size_t fde = c->debug.count;
    put_debug(c, 0, 4);
    put_debug(c, cie, 4);
    put_debug(c, stub, 8);
    put_debug(c, len, 8);
    PUT(&c->debug, rules, size);
    end_debug(c, fde);
}

/* Refers to the function's own CIE, which lies below. */
static void add_loaded(struct cfi *c, const struct records *r, uint64_t cie, uint64_t stub,
                       uint64_t len, const uint8_t *rules, size_t size) {
    size_t begin = c->loaded.count;
    put_loaded(c, 0, 4);
    put_loaded(c, c->addr + c->loaded.count - cie, 4);
    put_loaded(c, stub - (c->addr + c->loaded.count), 4);
    put_loaded(c, len, 4);
    put_loaded(c, r->extra, 1);
    put_loaded(c, 0, r->extra);
    PUT(&c->loaded, rules, size);
    while ((c->loaded.count - begin) % 8 != 0)
        put_loaded(c, NOP, 1);
    uint32_t bytes = (uint32_t)(c->loaded.count - begin - 4);
    memcpy(c->loaded.items + begin, &bytes, sizeof(bytes));
}

static const struct elf_unwind *unwind_at(const struct elf_in *e, uint64_t addr) {
    size_t low = 0, high = e->unwinds.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (e->unwinds.items[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < e->unwinds.count && e->unwinds.items[low].start <= addr ? &e->unwinds.items[low]
                                                                         : NULL;
}

/* An .eh_frame_hdr is sorted by address, and stubs lie above all functions: the old entries, then
 * one for each of the records in `at`.  Nothing, if the old one is of another kind. */
static void add_table(struct cfi *c, const struct elf_in *e, const uint64_t *stubs,
                      const uint64_t *records, uint32_t count) {
    static const uint8_t kind[] = {1, 0x1b, 0x03, 0x3b};
    uint32_t old = 0;
    uint64_t hdr = e->eh_frame_hdr;
    const uint8_t *head = hdr != 0 ? elf_in_at(e, hdr, 12) : NULL;
    if (count == 0 || head == NULL || memcmp(head, kind, sizeof(kind)) != 0) return;
    memcpy(&old, head + 8, sizeof(old));
    const uint8_t *entries = elf_in_at(e, hdr + 12, 8ull * old);
    if (entries == NULL && old != 0) return;
    c->table = c->loaded.count;
    uint64_t here = c->addr + c->table;
    PUT(&c->loaded, kind, sizeof(kind));
    put_loaded(c, e->eh_frame - (here + 4), 4);
    put_loaded(c, old + count, 4);
    for (uint64_t i = 0; i < 2ull * old; i++) {
        int32_t value;
        memcpy(&value, entries + 4 * i, sizeof(value));
        put_loaded(c, hdr + (uint64_t)(int64_t)value - here, 4);
    }
    for (uint32_t i = 0; i < count; i++) {
        put_loaded(c, stubs[i] - here, 4);
        put_loaded(c, records[i] - here, 4);
    }
}

void cfi_build(struct cfi *c, const struct elf_in *e, uint64_t segment,
               const struct hermit_site *sites, size_t count, uint64_t addr) {
    uint64_t *stubs = list_must(calloc(count + 1, sizeof(*stubs)));
    uint64_t *records = list_must(calloc(count + 1, sizeof(*records)));
    uint32_t n = 0;
    *c = (struct cfi){.addr = addr};
    for (size_t i = 0; i < count; i++) {
        struct records r;
        uint8_t rules[RULES_MAX];
        uint64_t site = segment - sites[i].site, stub = segment + sites[i].stub;
        const struct elf_unwind *u = unwind_at(e, site);
        if (u == NULL || site - u->start < sites[i].moved || !read_records(&r, e, u)) continue;
        size_t size = write_rules(&r, u->start, site - sites[i].moved, site, rules);
        if (size == 0) continue;
        stubs[n] = stub;
        records[n++] = addr + c->loaded.count;
        add_loaded(c, &r, u->cie, stub, sites[i].length, rules, size);
        add_debug(c, &r, stub, sites[i].length, rules, size);
    }
    if (n > 0) put_loaded(c, 0, 8); /* the end of the records */
    add_table(c, e, stubs, records, n);
    free(stubs);
    free(records);
}

void cfi_free(struct cfi *c) {
    LIST_FREE(&c->loaded);
    LIST_FREE(&c->debug);
    *c = (struct cfi){0};
}
