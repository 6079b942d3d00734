/* SPDX-License-Identifier: MIT */
/* See so_cache.h. */
#include <stdlib.h>
#include <string.h>

#include <rewriter/libs.h>
#include <rewriter/so_cache.h>

#define OLD_MAGIC "ld.so-1.7.0"
#define NEW_MAGIC "glibc-ld.so.cache1.1"
#define FLAG_X86_64_LIBC6 0x0303

struct header {
    char magic[20];
    uint32_t count, strings;
    uint8_t flags, pad[3];
    uint32_t extensions, unused[3];
};
struct entry {
    uint32_t flags, name, path, version;
    uint64_t hwcap;
};
_Static_assert(sizeof(struct header) == 48 && sizeof(struct entry) == 24, "the file's layout");

void so_cache_read(struct so_cache *c, int fd) {
    const char *problem;
    struct header h;
    *c = (struct so_cache){0};
    c->bytes = libs_read_file(fd, &c->size, &problem);
    if (c->bytes == NULL) return;
    if (c->size >= 16 && memcmp(c->bytes, OLD_MAGIC, strlen(OLD_MAGIC)) == 0) {
        uint32_t old;
        memcpy(&old, c->bytes + 12, sizeof(old));
        c->header = (16 + (size_t)old * 12 + 7) & ~(size_t)7;
    }
    if (c->header > c->size || c->size - c->header < sizeof(h)) return;
    memcpy(&h, c->bytes + c->header, sizeof(h));
    if (memcmp(h.magic, NEW_MAGIC, sizeof(h.magic)) != 0) return;
    size_t room = (c->size - c->header - sizeof(h)) / sizeof(struct entry);
    c->count = h.count < room ? h.count : (uint32_t)room;
}

void so_cache_free(struct so_cache *c) { free(c->bytes); }

static const char *string_at(const struct so_cache *c, uint32_t off) {
    if (off >= c->size - c->header) return NULL;
    const char *text = (const char *)c->bytes + c->header + off;
    return memchr(text, 0, c->size - c->header - off) != NULL ? text : NULL;
}

const char *so_cache_find(const struct so_cache *c, const char *name, size_t n) {
    for (uint32_t i = 0; i < c->count; i++) {
        struct entry e;
        memcpy(&e, c->bytes + c->header + sizeof(struct header) + i * sizeof(e), sizeof(e));
        const char *found = string_at(c, e.name);
        if (e.flags != FLAG_X86_64_LIBC6 || found == NULL || strcmp(found, name) != 0) continue;
        if (n-- == 0) return string_at(c, e.path);
    }
    return NULL;
}
