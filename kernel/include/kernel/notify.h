/* SPDX-License-Identifier: MIT */
/* What happens to files, for inotify(7).  Without a watch each of these is one comparison. */
#ifndef KERNEL_NOTIFY_H
#define KERNEL_NOTIFY_H

#include <hermit/linux_abi.h>
#include <kernel/vfs.h>

extern uint32_t notify_watches; /* that exist, of all instances */

/* IN_* events; for directories IN_ISDIR is added where Linux does. */
void notify_path_slow(const char *path, uint32_t mode, uint32_t mask);
void notify_file_slow(struct file *f, uint32_t mask);
void notify_setattr_slow(struct file *f, const struct vpath *p, uint32_t set);
/* What was at both names. */
struct notify_rename {
    uint32_t mode, to_mode; /* to_mode 0: nothing */
    bool to_last;           /* that was the last name of it */
};
void notify_renamed_slow(const char *from, const char *to, const struct notify_rename *ends,
                         bool exchange);
void notify_linked_slow(const char *path);
void notify_removed_slow(const char *path, uint32_t mode, bool last_link);
void notify_closed_slow(struct file *f);

static inline bool notify_active(void) { return unlikely(notify_watches > 0); }

/* An event on an object by name: its own watches and those of its directory see it. */
static inline void notify_path(const char *path, uint32_t mode, uint32_t mask) {
    if (notify_active()) notify_path_slow(path, mode, mask);
}
/* An event on an open file. */
static inline void notify_file(struct file *f, uint32_t mask) {
    if (notify_active()) notify_file_slow(f, mask);
}
/* Attributes (enum hc_setattr_mask) of f, or else of p, were set. */
static inline void notify_setattr(struct file *f, const struct vpath *p, uint32_t set) {
    if (notify_active()) notify_setattr_slow(f, p, set);
}
/* The open file is closed for good. */
static inline void notify_closed(struct file *f) {
    if (notify_active()) notify_closed_slow(f);
}

/* inotify_init1(2): an open file; inotify_add_watch(2), inotify_rm_watch(2). */
int inotify_create(uint32_t flags, struct file **out);
int64_t inotify_add(struct file *f, struct vpath *p, uint32_t mask);
int64_t inotify_remove(struct file *f, int32_t wd);

#endif
