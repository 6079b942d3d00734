/* SPDX-License-Identifier: MIT */
/* Path arithmetic on text, and the walk that resolves symbolic links. */
#ifndef LOADER_PATH_H
#define LOADER_PATH_H

#include <stddef.h>
#include <sys/types.h>

/* Rewrites an absolute path without "//", ".", ".." and trailing '/', by text alone.  malloc'ed;
 * NULL if the path is not absolute or too long. */
char *path_clean(const char *path);
/* `path`, or dir/path where it is relative; malloc'ed, not cleaned. */
char *path_join(const char *dir, const char *path);
/* What of `path` lies beneath `prefix` ("" if they are equal), or NULL.  Both are canonical. */
const char *path_beneath(const char *prefix, const char *path);

/* Text of the symbolic link at `path` (its parent is free of links): bytes, 0 if it is no link,
 * or -errno.  The walk stops at an error. */
typedef ssize_t path_link_fn(void *ctx, const char *path, char *text, size_t size);
/* Canonical form of the absolute `path` with links as `link` tells; out holds PATH_MAX bytes.
 * 0 or -errno. */
int path_walk(const char *path, char *out, path_link_fn *link, void *ctx);

#endif
