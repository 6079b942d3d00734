/* SPDX-License-Identifier: MIT */
/* The table of functions in a Go program (runtime.pclntab), layouts of Go 1.16 and later. */
#include <string.h>

#include <rewriter/elf_in.h>
#include <rewriter/elf_parts.h>
#include <rewriter/list.h>

#define MAGIC_1_16 0xfffffffau
#define MAGIC_1_18 0xfffffff0u
#define MAGIC_1_20 0xfffffff1u
#define FUNCS_MAX (1u << 22)

/* Words of the header behind its first 8 bytes. */
enum { W_COUNT, W_FILES, W_TEXT_1_18 };

struct go_table {
    const uint8_t *bytes;
    uint64_t size;
};

static uint64_t get(const struct go_table *t, uint64_t off, uint32_t bytes) {
    uint64_t value = 0;
    if (off < t->size && bytes <= t->size - off) memcpy(&value, t->bytes + off, bytes);
    return value;
}

static const char *name_at(const struct go_table *t, uint64_t off) {
    if (off >= t->size || memchr(t->bytes + off, 0, t->size - off) == NULL) return NULL;
    return (const char *)t->bytes + off;
}

void elf_in_read_go(struct elf_in *e, uint64_t addr, uint64_t size) {
    struct go_table t = {elf_in_at(e, addr, size), size};
    if (t.bytes == NULL || size < 8 + 8 * 8) return;
    uint32_t magic = (uint32_t)get(&t, 0, 4);
    bool relative = magic == MAGIC_1_18 || magic == MAGIC_1_20;
    if ((!relative && magic != MAGIC_1_16) || get(&t, 7, 1) != 8) return;
    uint64_t count = get(&t, 8 + 8 * W_COUNT, 8);
    uint64_t text = relative ? get(&t, 8 + 8 * W_TEXT_1_18, 8) : 0;
    uint64_t names = get(&t, relative ? 8 + 8 * 3 : 8 + 8 * 2, 8);
    uint64_t table = get(&t, relative ? 8 + 8 * 7 : 8 + 8 * 6, 8);
    uint32_t width = relative ? 4 : 8;
    if (count > FUNCS_MAX || table > size || (count * 2 + 1) * width > size - table) return;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = table + i * 2 * width;
        uint64_t start = get(&t, at, width), end = get(&t, at + 2 * width, width);
        uint64_t info = table + get(&t, at + width, width);
        if (end <= start) continue;
        LIST_PUSH(&e->go_funcs,
                  (struct elf_symbol){.name = name_at(&t, names + get(&t, info + width, 4)),
                                      .addr = text + start,
                                      .size = end - start,
                                      .defined = true});
    }
}
