/* SPDX-License-Identifier: MIT */
/* Messages of the kernel itself: to the user's stderr, on failure or with --verbose only. */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <stdarg.h>
#include <stddef.h>

/* Conversions: %d %i %u %x %p %s %c %%, with l, ll, z, width, '-', '0' and .precision for %s. */
int ksnprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap);

/* Writes one piece of text (at most 1 KiB a call) to the user's stderr. */
void kprint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* As kprint, but only with --verbose. */
void kverbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Writes len bytes unformatted. */
void kwrite(const char *text, size_t len);
/* As kwrite, to where --strace goes. */
void ktrace(const char *text, size_t len);

/* The kernel cannot go on: says why, ends the VM with status 125. */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define kassert(c)                                                                                 \
    do {                                                                                           \
        if (__builtin_expect(!(c), 0))                                                             \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #c);                          \
    } while (0)

#endif
