/* SPDX-License-Identifier: MIT */
/* Types and small helpers that every kernel file may use. */
#ifndef KERNEL_TYPES_H
#define KERNEL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hermit/hypercall.h>
#include <hermit/layout.h>

#define PAGE_SIZE HERMIT_PAGE_SIZE
#define PAGE_SHIFT HERMIT_PAGE_SHIFT
#define PAGE_MASK ((uint64_t)PAGE_SIZE - 1)
#define page_down(x) ((uint64_t)(x) & ~PAGE_MASK)
#define page_up(x) (((uint64_t)(x) + PAGE_MASK) & ~PAGE_MASK)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

#define NSEC_PER_SEC 1000000000LL

#endif
