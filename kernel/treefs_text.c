/* SPDX-License-Identifier: MIT */
/* The buffer that the text of a tree's file is generated into. */
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "treefs.h"

#define FIRST_SIZE 512u /* bytes */

/* Room for len more bytes. */
static bool reserve(struct tree_text *t, size_t len) {
    size_t size = t->size ? t->size : FIRST_SIZE;
    char *data;

    if (t->failed) return false;
    while (size - t->len < len)
        size *= 2;
    if (size == t->size) return true;
    data = krealloc(t->data, size);
    if (!data) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->size = size;
    return true;
}

void text_printf(struct tree_text *t, const char *fmt, ...) {
    va_list ap;
    int n;

    for (size_t room = 128;; room = (size_t)n + 1) {
        if (!reserve(t, room)) return;
        va_start(ap, fmt);
        n = kvsnprintf(t->data + t->len, t->size - t->len, fmt, ap);
        va_end(ap);
        if (n < 0) return;
        if ((size_t)n < t->size - t->len) break;
    }
    t->len += (size_t)n;
}

void text_append(struct tree_text *t, const void *data, size_t len) {
    if (!reserve(t, len)) return;
    memcpy(t->data + t->len, data, len);
    t->len += len;
}

void text_append_user(struct tree_text *t, gva_t from, gva_t to) {
    while (from < to) {
        uint64_t n = min(to - from, PAGE_SIZE - (from & PAGE_MASK));

        if (!reserve(t, n) || copy_from_user(t->data + t->len, from, n)) return;
        t->len += n;
        from += n;
    }
}

void text_pad(struct tree_text *t, size_t start, size_t columns) {
    while (!t->failed && t->len - start < columns)
        text_append(t, " ", 1);
}

void text_append_escaped(struct tree_text *t, const char *text, const char *special) {
    for (; *text; text++) {
        if (strchr(special, *text))
            text_printf(t, "\\%u%u%u", (unsigned)*text >> 6 & 3, (unsigned)*text >> 3 & 7,
                        (unsigned)*text & 7);
        else
            text_append(t, text, 1);
    }
}

void text_cpu_list(struct tree_text *t, uint32_t first, uint32_t count) {
    if (count == 1) text_printf(t, "%u", first);
    if (count > 1) text_printf(t, "%u-%u", first, first + count - 1);
}

void text_cpu_mask(struct tree_text *t, uint64_t mask) {
    if (mask >> 32)
        text_printf(t, "%x,%08x", (unsigned)(mask >> 32), (unsigned)mask);
    else
        text_printf(t, "%x", (unsigned)mask);
}
