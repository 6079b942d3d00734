/* SPDX-License-Identifier: MIT */
/* The buffer that a /proc file is generated into. */
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "procfs.h"

#define FIRST_SIZE 512u /* bytes */

/* Room for len more bytes. */
static bool reserve(struct proc_text *t, size_t len) {
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

void text_printf(struct proc_text *t, const char *fmt, ...) {
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

void text_append(struct proc_text *t, const void *data, size_t len) {
    if (!reserve(t, len)) return;
    memcpy(t->data + t->len, data, len);
    t->len += len;
}

void text_append_user(struct proc_text *t, gva_t from, gva_t to) {
    while (from < to) {
        uint64_t n = min(to - from, PAGE_SIZE - (from & PAGE_MASK));

        if (!reserve(t, n) || copy_from_user(t->data + t->len, from, n)) return;
        t->len += n;
        from += n;
    }
}

void text_pad(struct proc_text *t, size_t start, size_t columns) {
    while (!t->failed && t->len - start < columns)
        text_append(t, " ", 1);
}
