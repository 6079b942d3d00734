/* SPDX-License-Identifier: MIT */
/* Private to vfs*.c: the loop that splices symbolic links, and mount choice. */
#ifndef VFS_WALK_H
#define VFS_WALK_H

#include <kernel/vfs.h>

#define VFS_MAX_LINKS 40 /* as Linux's MAXSYMLINKS */

/* Working memory of one path operation; too large for the kernel stack. */
struct vfs_scratch {
    struct vfs_scratch *next;
    struct vfs_link link;
    char todo[HC_MAX_PATH]; /* path text that is not yet in the vpath */
};

struct vfs_scratch *vfs_scratch_get(void);
void vfs_scratch_put(struct vfs_scratch *s);

/* One operation on a path:
 *     if ((r = walk_begin(&w, p)) == 0) {
 *         do r = p->mnt->ops->...(p->mnt, p->rel, ..., w.link); while (walk_again(&w, &r));
 *         walk_end(&w);
 *     } */
struct vfs_walk {
    struct vpath *p;
    struct vfs_link *link;
    struct vfs_scratch *scratch;
};

int walk_begin(struct vfs_walk *w, struct vpath *p);
/* True if *r said HC_SYMLINK and the spliced path is to be tried; else *r is the result. */
bool walk_again(struct vfs_walk *w, int *r);
void walk_end(struct vfs_walk *w);

/* The mount that covers a canonical path; *rel receives the rest. */
struct mount *mount_of(const char *text, const char **rel);
/* True if a mount point lies at or below the canonical path. */
bool mount_below(const char *text);
/* True if `text` is `dir` or lies below it. */
bool path_under(const char *text, const char *dir, size_t dir_len);

/* Makes p->text link-free except for its last component (with `follow`: including it) and reads
 * the attributes of the object.  Does not look at must_be_dir. */
int vfs_resolve(struct vpath *p, bool follow, struct hc_attr *attr);
/* 0 if the directory that would hold p exists, else what Linux answers. */
int vfs_check_parent(struct vpath *p);
/* Paths of open files, the cwd and the executable follow a rename. */
void vfs_paths_renamed(const char *from, const char *to, bool exchange);

#endif
