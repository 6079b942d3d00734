/* SPDX-License-Identifier: MIT */
/* Path resolution beneath a share, for the FS_* calls. */
#ifndef LOADER_HC_PATH_H
#define LOADER_HC_PATH_H

#include <loader/services.h>

struct statx;

/* A path taken apart: the directory that holds its last name, free of symbolic links. */
struct target {
    const struct share *share;
    int dir;          /* O_PATH; the share itself where the path is "" */
    bool owns_dir;    /* target_done closes it */
    const char *name; /* one component, into path; "" stands for the share itself */
    uint32_t len;     /* bytes of path */
    char path[HC_MAX_PATH];
};

/* Copies, checks and resolves p's path up to its last name: 0, -errno or HC_SYMLINK, then p tells
 * where.  may_cache: the directory may be up to a millisecond old (struct parent in hc_path.c).
 * target_done is needed only after 0. */
int64_t target_find(struct target *t, struct hc_path *p, bool may_cache);
/* The second path of a call; a symbolic link in it is -ELOOP. */
int64_t target_find_second(struct target *t, const struct hc_path *p, gpa_t path, uint32_t len);
void target_done(struct target *t);

/* Attributes of the object itself: 0 or -errno. */
int target_stat(const struct target *t, struct statx *st);
/* The last name is a symbolic link: reports it in p.  HC_SYMLINK or -errno. */
int64_t target_link(const struct target *t, struct hc_path *p);
/* O_PATH descriptor of the object, which is no symbolic link unless HC_NOFOLLOW: >= 0, -errno or
 * HC_SYMLINK. */
int64_t target_object(const struct target *t, struct hc_path *p);

/* Forgets the cached directory; the next path call resolves afresh. */
void path_cache_drop(void);

/* More descriptors for this process, once; false if there are none to get. */
bool fd_limit_raise(void);

#endif
