/* SPDX-License-Identifier: MIT */
/* Lists that grow: structures of items, count and room (ELF_LIST). */
#ifndef REWRITER_LIST_H
#define REWRITER_LIST_H

#include <stdio.h>
#include <stdlib.h>

/* Memory for `count` more items of `size` bytes; a program without memory ends. */
static inline void *list_room(void *items, size_t count, size_t *room, size_t size) {
    if (count < *room) return items;
    *room = *room < 16 ? 16 : *room * 2;
    void *p = realloc(items, *room * size);
    if (p == NULL) {
        fputs("out of memory\n", stderr);
        exit(125);
    }
    return p;
}

#define LIST_PUSH(list, ...)                                                                       \
    do {                                                                                           \
        (list)->items =                                                                            \
            list_room((list)->items, (list)->count, &(list)->room, sizeof(*(list)->items));        \
        (list)->items[(list)->count++] = __VA_ARGS__;                                              \
    } while (0)

#define LIST_FREE(list) free((list)->items)

static inline void *list_must(void *p) {
    size_t room = 0;
    return p != NULL ? p : list_room(NULL, 1, &room, (size_t)-1 / 32);
}

#endif
