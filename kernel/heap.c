/* SPDX-License-Identifier: MIT */
/* Kernel heap.  A slab is one frame of equal blocks behind a header; a block larger than the
 * largest class has a power-of-two run of frames to itself, with the same header. */
#include <kernel/frame.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/string.h>

#define MIN_SHIFT 5
#define MAX_SHIFT 10
#define CLASSES (MAX_SHIFT - MIN_SHIFT + 2) /* and one for 2016-byte blocks, two a frame */
#define LARGE CLASSES

struct slab {
    struct slab *next, *prev; /* slabs of the class with a free block */
    void *free;
    uint16_t class;
    uint16_t used;  /* blocks */
    uint16_t fresh; /* blocks never handed out start here, in bytes */
    uint16_t order; /* of a large block's frames */
};

#define HEADER 32
_Static_assert(sizeof(struct slab) == HEADER, "blocks start aligned");

static struct slab *partial[CLASSES];

static size_t class_bytes(unsigned class) {
    return class == CLASSES - 1 ? 2032 : (size_t)1 << (MIN_SHIFT + class);
}

static unsigned class_for(size_t bytes) {
    unsigned class = 0;
    while (class < CLASSES && class_bytes(class) < bytes)
        class ++;
    return class;
}

static void list_add(struct slab *s) {
    struct slab **head = &partial[s->class];
    s->prev = NULL;
    s->next = *head;
    if (*head != NULL) (*head)->prev = s;
    *head = s;
}

static void list_remove(struct slab *s) {
    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        partial[s->class] = s->next;
    if (s->next != NULL) s->next->prev = s->prev;
}

static struct slab *slab_new(unsigned class, unsigned order) {
    gpa_t frame = frame_alloc_raw(order);
    if (frame == 0) return NULL;
    struct slab *s = frame_ptr(frame);
    *s = (struct slab){.class = (uint16_t) class, .fresh = HEADER, .order = (uint16_t)order};
    return s;
}

static void *alloc_large(size_t bytes) {
    unsigned order = 0;
    if (bytes > (1ULL << 40)) return NULL;
    while (((size_t)PAGE_SIZE << order) < bytes + HEADER)
        order++;
    struct slab *s = slab_new(LARGE, order);
    return s == NULL ? NULL : (char *)s + HEADER;
}

void *kmalloc(size_t bytes) {
    unsigned class = class_for(bytes);
    if (class == CLASSES) return alloc_large(bytes);
    struct slab *s = partial[class];
    if (s == NULL) {
        s = slab_new(class, 0);
        if (s == NULL) return NULL;
        list_add(s);
    }
    void *block = s->free;
    if (block != NULL) {
        s->free = *(void **)block;
    } else {
        block = (char *)s + s->fresh;
        s->fresh = (uint16_t)(s->fresh + class_bytes(class));
    }
    s->used++;
    if (s->free == NULL && s->fresh + class_bytes(class) > PAGE_SIZE) list_remove(s);
    return block;
}

static bool slab_full(const struct slab *s) {
    return s->free == NULL && s->fresh + class_bytes(s->class) > PAGE_SIZE;
}

void kfree(void *p) {
    if (p == NULL) return;
    struct slab *s = (struct slab *)page_down((uint64_t)p);
    gpa_t frame = frame_gpa(s);
    if (s->class == LARGE) {
        unsigned order = s->order;
        for (uint64_t i = 0; i < 1ULL << order; i++)
            frame_put(frame + (i << PAGE_SHIFT));
        return;
    }
    kassert(s->class < CLASSES && s->used > 0);
    bool was_full = slab_full(s);
    *(void **)p = s->free;
    s->free = p;
    s->used--;
    if (was_full) list_add(s);
    if (s->used == 0 && (s->next != NULL || s->prev != NULL)) { /* keep one slab a class */
        list_remove(s);
        frame_put(frame);
    }
}

void *kzalloc(size_t bytes) {
    void *p = kmalloc(bytes);
    return p == NULL ? NULL : memset(p, 0, bytes);
}

static size_t block_bytes(const void *p) {
    const struct slab *s = (const struct slab *)page_down((uint64_t)p);
    if (s->class == LARGE) return ((size_t)PAGE_SIZE << s->order) - HEADER;
    return class_bytes(s->class);
}

void *krealloc(void *p, size_t bytes) {
    if (p == NULL) return kmalloc(bytes);
    size_t had = block_bytes(p);
    if (bytes <= had) return p;
    void *q = kmalloc(bytes);
    if (q == NULL) return NULL;
    memcpy(q, p, had);
    kfree(p);
    return q;
}

char *kstrdup(const char *s) {
    size_t n = strlen(s) + 1;
    char *copy = kmalloc(n);
    return copy == NULL ? NULL : memcpy(copy, s, n);
}
