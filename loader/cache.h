/* SPDX-License-Identifier: MIT */
/* The cache of rewritten objects (hermit/rewrite_cache.h): looking into it, and having it filled.
 */
#ifndef LOADER_CACHE_H
#define LOADER_CACHE_H

#include <stdbool.h>

#include <hermit/rewrite_cache.h>
#include <loader/options.h>

union cache_head {
    struct hermit_cached info;
    uint64_t page[HERMIT_CACHE_PAGE / sizeof(uint64_t)];
};

/* Opens the cache, and finds what it has for the program: a descriptor with *head filled, or
 * -errno as cache_find.  Starts the process that fills it, if it is missing something, before the
 * sandbox forbids that. */
int cache_init(const struct options *o, int program_fd, union cache_head *head);
/* Can anything be found? */
bool cache_usable(void);
/* A descriptor of the cache's file for this file, checked, and its first page; -ENODATA: there is
 * nothing to rewrite; -ENOENT: it is not there. */
int cache_find(int fd, union cache_head *head);
/* The program executes this file, which is not there.  True if it is now (--rewrite load);
 * otherwise it will be, for a later run. */
bool cache_want(int fd);
/* Is what is missing made at once (--rewrite load)? */
bool cache_waits(void);
/* Files that were not there, for --stats. */
unsigned cache_missing(void);

/* cache_fill.c, for cache.c.  Starts hermit-rewrite; it waits for the end of this process unless
 * `now`.  first: names that are wanted already.  False: it is not installed. */
bool filler_start(bool now, const char *first, size_t bytes);
bool filler_runs(void);
/* Asks for the file at path.  With `now`, waits until it is done. */
void filler_ask(const char *path, bool now);

#endif
