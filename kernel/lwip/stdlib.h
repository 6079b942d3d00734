/* SPDX-License-Identifier: MIT */
/* lwIP includes <stdlib.h> for memory and for the digits of an interface's name. */
#ifndef LWIP_PORT_STDLIB_H
#define LWIP_PORT_STDLIB_H

#include <kernel/heap.h>

static inline int atoi(const char *s) {
    int n = 0;
    while (*s >= '0' && *s <= '9')
        n = n * 10 + (*s++ - '0');
    return n;
}

#endif
