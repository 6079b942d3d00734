/* SPDX-License-Identifier: MIT */
/* Formatted output into a buffer, the subset of printf(3) that log.h names. */
#include <kernel/log.h>
#include <kernel/string.h>
#include <kernel/types.h>

struct sink {
    char *buf;
    size_t size, len;
};

struct spec {
    bool left, zero;
    int width, precision; /* precision -1: none */
    int longs;
};

static void put(struct sink *s, char c) {
    if (s->len + 1 < s->size) s->buf[s->len] = c;
    s->len++;
}

static void put_padded(struct sink *s, const struct spec *f, const char *text, int len,
                       const char *sign) {
    int signs = (int)strlen(sign);
    int pad = f->width - len - signs;
    bool zero = f->zero && !f->left;
    for (; !f->left && !zero && pad > 0; pad--)
        put(s, ' ');
    for (; *sign; sign++)
        put(s, *sign);
    for (; zero && pad > 0; pad--)
        put(s, '0');
    for (int i = 0; i < len; i++)
        put(s, text[i]);
    for (; pad > 0; pad--)
        put(s, ' ');
}

static void put_number(struct sink *s, const struct spec *f, uint64_t v, unsigned base,
                       const char *sign) {
    char digits[24];
    int at = sizeof(digits);
    do {
        digits[--at] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v != 0);
    put_padded(s, f, digits + at, (int)sizeof(digits) - at, sign);
}

static const char *parse_spec(const char *fmt, struct spec *f, va_list *ap) {
    *f = (struct spec){.precision = -1};
    for (;; fmt++) {
        if (*fmt == '-')
            f->left = true;
        else if (*fmt == '0')
            f->zero = true;
        else
            break;
    }
    if (*fmt == '*') {
        f->width = va_arg(*ap, int);
        fmt++;
    }
    for (; *fmt >= '0' && *fmt <= '9'; fmt++)
        f->width = f->width * 10 + (*fmt - '0');
    if (*fmt == '.') {
        f->precision = 0;
        if (*++fmt == '*') {
            f->precision = va_arg(*ap, int);
            fmt++;
        }
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            f->precision = f->precision * 10 + (*fmt - '0');
    }
    for (; *fmt == 'l' || *fmt == 'z'; fmt++)
        f->longs++;
    return fmt;
}

static void put_signed(struct sink *s, const struct spec *f, int64_t v) {
    if (v < 0)
        put_number(s, f, -(uint64_t)v, 10, "-");
    else
        put_number(s, f, (uint64_t)v, 10, "");
}

static void put_string(struct sink *s, const struct spec *f, const char *text) {
    if (text == NULL) text = "(null)";
    size_t len = f->precision >= 0 ? strnlen(text, (size_t)f->precision) : strlen(text);
    put_padded(s, f, text, (int)len, "");
}

static void put_conversion(struct sink *s, char c, const struct spec *f, va_list *ap) {
    switch (c) {
    case 'd':
    case 'i':
        return put_signed(s, f, f->longs ? va_arg(*ap, int64_t) : va_arg(*ap, int));
    case 'u':
    case 'x':
    case 'o': {
        uint64_t v = f->longs ? va_arg(*ap, uint64_t) : va_arg(*ap, unsigned);
        return put_number(s, f, v, c == 'u' ? 10 : c == 'x' ? 16 : 8, "");
    }
    case 'p':
        return put_number(s, f, (uint64_t)va_arg(*ap, void *), 16, "0x");
    case 's':
        return put_string(s, f, va_arg(*ap, const char *));
    case 'c':
        return put(s, (char)va_arg(*ap, int));
    default:
        return put(s, c);
    }
}

int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap) {
    struct sink s = {buf, size, 0};
    va_list args;
    va_copy(args, ap);
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(&s, *fmt);
            continue;
        }
        struct spec f;
        fmt = parse_spec(fmt + 1, &f, &args);
        if (*fmt == '\0') break;
        put_conversion(&s, *fmt, &f, &args);
    }
    va_end(args);
    if (size > 0) buf[min(s.len, size - 1)] = '\0';
    return (int)s.len;
}

int ksnprintf(char *buf, size_t size, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = kvsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return n;
}
