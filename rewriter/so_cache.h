/* SPDX-License-Identifier: MIT */
/* /etc/ld.so.cache, as glibc writes it since 2.2: names of libraries and where they are. */
#ifndef REWRITER_SO_CACHE_H
#define REWRITER_SO_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct so_cache {
    uint8_t *bytes;
    size_t size;
    size_t header; /* offset of the header; offsets of strings begin there */
    uint32_t count;
};

/* A file that is not a cache leaves an empty one. */
void so_cache_read(struct so_cache *c, int fd);
void so_cache_free(struct so_cache *c);
/* The n-th path (from 0) of a library for x86-64, NULL: there are no more. */
const char *so_cache_find(const struct so_cache *c, const char *name, size_t n);

#endif
