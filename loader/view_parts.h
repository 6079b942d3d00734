/* SPDX-License-Identifier: MIT */
/* Shared by the files view*.c: the view while it is being built. */
#ifndef LOADER_VIEW_PARTS_H
#define LOADER_VIEW_PARTS_H

#include <sys/stat.h>

#include <loader/view.h>

/* What is known of a share beyond the table that the services use. */
struct share_note {
    bool volume;    /* asked for, not a default */
    bool same_path; /* guest path = canonical host path: host paths beneath mean the same */
};

struct view_builder {
    struct view *v;
    const struct options *o;
    struct share_note *notes; /* index as in shares.items */
    uint32_t capacity;        /* of notes and shares.items */
    char *cwd;                /* host, canonical; NULL if it cannot be named */
};

/* view.c */
void *view_must(void *p); /* dies when p is NULL */
/* Copies the strings. */
void view_add_share(struct view_builder *b, struct share share, struct share_note note);
void view_add_symlink(struct view_builder *b, const char *path, const char *target);
/* Canonical host path of an open file; malloc'ed, or NULL. */
char *view_canonical(int fd, const char *opened_as);

/* view_walk.c: paths as the guest will see them. */
/* The share that shows `path` (the longest guest path that covers it), or -1. */
int view_covering(const char *path);
/* Is the host's object at the canonical host path visible at the same path? */
bool view_shows_host(const struct view_builder *b, const char *path);
/* Resolves an absolute guest path; out holds PATH_MAX bytes.  0 or -errno.  missing_ok: what does
 * not exist is taken as text. */
int view_resolve(const struct view_builder *b, const char *path, bool missing_ok, char *out);
/* Opens, or tells the mode of, a resolved guest path: the descriptor, 0, or -errno.  Directories
 * that are built into the guest have a mode but cannot be opened. */
int view_open(const char *canonical, int flags);
int view_mode(const struct view_builder *b, const char *canonical, mode_t *mode);

/* view_program.c */
void view_find_program(struct view_builder *b);

#endif
