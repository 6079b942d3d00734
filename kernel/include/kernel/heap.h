/* SPDX-License-Identifier: MIT */
/* Kernel heap: power-of-two size classes on page frames; larger blocks are whole frames. */
#ifndef KERNEL_HEAP_H
#define KERNEL_HEAP_H

#include <stddef.h>

/* 16-byte aligned memory, or NULL when guest memory is exhausted.  kzalloc clears it. */
void *kmalloc(size_t bytes);
void *kzalloc(size_t bytes);
void *krealloc(void *p, size_t bytes);
char *kstrdup(const char *s);
/* Frees a block of the functions above; NULL is allowed. */
void kfree(void *p);

#endif
