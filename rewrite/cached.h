/* SPDX-License-Identifier: MIT */
/* Fills the cache of rewritten objects (hermit/rewrite_cache.h). */
#ifndef REWRITE_CACHED_H
#define REWRITE_CACHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hermit/rewrite_cache.h>

/* cached.c: the cache's file for an object of these bytes, malloc'ed.  What is not rewritten, for
 * whatever reason, gets one that says so. */
struct hermit_cached *cached_make(const uint8_t *bytes, size_t size);
/* The one that says so. */
struct hermit_cached *cached_nothing(size_t size);
/* The checksum of whole pages (8-byte aligned). */
uint64_t cached_checksum(const void *pages, uint64_t size);

/* cache.c.  Opens the user's cache, which is made if it is not there: false, and errno. */
bool cache_open(void);
/* Makes what is missing for the file at path; 0 or an errno. */
int cache_file(const char *path);
/* Forgets what was not used for the longest time, until the rest takes no more than `bytes`. */
void cache_bound(uint64_t bytes);

#endif
