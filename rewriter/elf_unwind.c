/* SPDX-License-Identifier: MIT */
/* .eh_frame: which ranges of addresses are functions.  It is there in stripped files too. */
#include <elf.h>
#include <string.h>

#include <rewriter/elf_in.h>
#include <rewriter/elf_parts.h>
#include <rewriter/list.h>

/* Pointer encodings of the DWARF exception tables. */
enum {
    ENC_ABS = 0,
    ENC_ULEB = 1,
    ENC_U2 = 2,
    ENC_U4 = 3,
    ENC_U8 = 4,
    ENC_S2 = 10,
    ENC_S4 = 11,
    ENC_S8 = 12
};
#define ENC_PCREL 0x10
#define ENC_DATAREL 0x30
#define ENC_OMIT 0xff
#define RECORDS_MAX (1u << 22)

/* Reads forward in mapped memory; `bad` once anything was not there. */
struct cursor {
    const struct elf_in *e;
    uint64_t at, end;
    bool bad;
};

static uint64_t take(struct cursor *c, uint32_t bytes) {
    uint64_t value = 0;
    const uint8_t *at =
        c->end - c->at < bytes || c->at > c->end ? NULL : elf_in_at(c->e, c->at, bytes);
    if (at == NULL) {
        c->bad = true;
        return 0;
    }
    memcpy(&value, at, bytes);
    c->at += bytes;
    return value;
}

static uint64_t take_uleb(struct cursor *c) {
    uint64_t value = 0;
    for (uint32_t shift = 0; !c->bad; shift += 7) {
        uint64_t byte = take(c, 1);
        if (shift < 64) value |= (byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) break;
    }
    return value;
}

static uint64_t take_number(struct cursor *c, uint8_t encoding) {
    switch (encoding & 0x0f) {
    case ENC_ABS:
    case ENC_U8:
    case ENC_S8:
        return take(c, 8);
    case ENC_U4:
        return take(c, 4);
    case ENC_S4:
        return (uint64_t)(int64_t)(int32_t)take(c, 4);
    case ENC_U2:
        return take(c, 2);
    case ENC_S2:
        return (uint64_t)(int64_t)(int16_t)take(c, 2);
    default:
        c->bad = true;
        return 0;
    }
}

static uint64_t take_pointer(struct cursor *c, uint8_t encoding, uint64_t data) {
    uint64_t place = c->at, value = take_number(c, encoding);
    if ((encoding & 0x70) == ENC_PCREL) value += place;
    if ((encoding & 0x70) == ENC_DATAREL) value += data;
    if ((encoding & 0x80) != 0) c->bad = true; /* through a pointer: not for functions */
    return value;
}

/* How the functions that refer to a CIE write their addresses; *trampoline: they are what signal
 * handlers return to, and begin a byte late; *pads: how they say where their tables of landing
 * pads are, ENC_OMIT if they have none. */
static uint8_t cie_encoding(struct cursor c, bool *trampoline, uint8_t *pads) {
    char text[8] = "";
    uint64_t version = take(&c, 1);
    for (size_t i = 0; !c.bad; i++) {
        char letter = (char)take(&c, 1);
        if (i < sizeof(text) - 1) text[i] = letter;
        if (letter == 0) break;
    }
    if (text[0] != 'z') return ENC_ABS;
    *trampoline = strchr(text, 'S') != NULL;
    take_uleb(&c);
    take_uleb(&c); /* signed, but its length is all that counts */
    if (version == 1)
        take(&c, 1);
    else
        take_uleb(&c);
    take_uleb(&c);
    uint8_t encoding = ENC_ABS;
    for (const char *p = text + 1; *p != 0 && !c.bad; p++) {
        if (*p == 'R') encoding = (uint8_t)take(&c, 1);
        if (*p == 'L') *pads = (uint8_t)take(&c, 1);
        if (*p == 'P') take_number(&c, (uint8_t)take(&c, 1));
    }
    return encoding;
}

/* The landing pads of the function at start, as its language's personality (that of C++, and of
 * all that LLVM and GCC make) lays them out.  False: the table makes no sense. */
static bool read_pads(struct elf_in *e, uint64_t table, uint64_t start, uint64_t end) {
    struct cursor c = {.e = e, .at = table, .end = UINT64_MAX};
    uint64_t base = start;
    uint8_t encoding = (uint8_t)take(&c, 1);
    if (encoding != ENC_OMIT) base = take_pointer(&c, encoding, 0);
    if ((uint8_t)take(&c, 1) != ENC_OMIT) take_uleb(&c);
    encoding = (uint8_t)take(&c, 1);
    uint64_t size = take_uleb(&c);
    if (c.bad || size > e->size) return false;
    c.end = c.at + size;
    while (c.at < c.end && !c.bad) {
        uint64_t pad = 0;
        for (int field = 0; field < 3; field++) /* start, length, landing pad */
            pad = encoding == ENC_ULEB ? take_uleb(&c) : take_number(&c, encoding);
        take_uleb(&c);
        if (c.bad || pad == 0) continue;
        if (base + pad < start || base + pad >= end) return false;
        LIST_PUSH(&e->pads, base + pad);
    }
    return !c.bad;
}

/* c: at the augmentation data of the function's record. */
static void note_pads(struct elf_in *e, struct cursor c, uint8_t encoding, uint64_t start,
                      uint64_t end) {
    struct elf_pads_in in = {.start = start, .end = end};
    if (encoding == ENC_OMIT) return;
    take_uleb(&c);
    struct cursor raw = c;
    if (take_number(&raw, encoding) == 0 && !raw.bad) return;
    uint64_t table = take_pointer(&c, encoding, 0);
    in.known = !c.bad && read_pads(e, table, start, end);
    LIST_PUSH(&e->pads_in, in);
}

static void read_fde(struct elf_in *e, struct cursor c, uint64_t fde, uint64_t cie) {
    struct cursor head = {.e = e, .at = cie, .end = UINT64_MAX};
    uint64_t size = take(&head, 4);
    if (size == 0xffffffff) size = take(&head, 8);
    if (head.bad || size < 4 || size > c.e->size) return;
    head.end = head.at + size;
    if (take(&head, 4) != 0 || head.bad) return;
    bool trampoline = false;
    uint8_t pads = ENC_OMIT;
    uint8_t encoding = cie_encoding(head, &trampoline, &pads);
    if (encoding == ENC_OMIT) return;
    uint64_t start = take_pointer(&c, encoding, 0), length = take_number(&c, encoding & 0x0f);
    if (trampoline && length > 1) {
        start++;
        length--;
    }
    if (c.bad || length == 0 || start + length < start) return;
    if (!elf_in_is_code(e, start) || !elf_in_is_code(e, start + length - 1)) return;
    LIST_PUSH(&e->unwinds, (struct elf_unwind){start, start + length, fde, cie});
    note_pads(e, c, pads, start, start + length);
}

static void read_frames(struct elf_in *e, uint64_t at) {
    struct cursor c = {.e = e, .at = at, .end = UINT64_MAX};
    for (uint32_t n = 0; n < RECORDS_MAX; n++) {
        uint64_t begin = c.at, size = take(&c, 4);
        if (size == 0xffffffff) size = take(&c, 8);
        if (c.bad || size < 4 || size > e->size) return;
        struct cursor record = {.e = e, .at = c.at, .end = c.at + size};
        uint64_t place = record.at, id = take(&record, 4);
        if (record.bad) return;
        if (id != 0) read_fde(e, record, begin, place - id);
        c.at = record.end;
    }
}

static int by_start(const void *a, const void *b) {
    const struct elf_unwind *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

static int by_pads(const void *a, const void *b) {
    const struct elf_pads_in *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

void elf_in_read_unwinds(struct elf_in *e, uint64_t hdr, uint64_t eh_frame) {
    struct cursor c = {.e = e, .at = hdr, .end = UINT64_MAX};
    if (hdr != 0 && eh_frame == 0 && take(&c, 1) == 1) {
        uint8_t encoding = (uint8_t)take(&c, 1);
        take(&c, 2);
        eh_frame = take_pointer(&c, encoding, hdr);
        if (c.bad) eh_frame = 0;
    }
    e->eh_frame = eh_frame;
    e->eh_frame_hdr = hdr;
    if (eh_frame == 0) return;
    read_frames(e, eh_frame);
    if (e->pads_in.count > 0)
        qsort(e->pads_in.items, e->pads_in.count, sizeof(e->pads_in.items[0]), by_pads);
    if (e->unwinds.count == 0) return;
    qsort(e->unwinds.items, e->unwinds.count, sizeof(e->unwinds.items[0]), by_start);
}
