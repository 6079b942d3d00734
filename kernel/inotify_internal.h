/* SPDX-License-Identifier: MIT */
/* Private to inotify.c and notify.c: instances and their watches. */
#ifndef INOTIFY_INTERNAL_H
#define INOTIFY_INTERNAL_H

#include <bsd/sys/queue.h>
#include <kernel/notify.h>
#include <kernel/waitq.h>

struct inotify;

/* Watches go by path: an open file and a path operation both know theirs, and renames are
 * followed.  (So an event through another hard link of a watched file goes unseen.) */
struct watch {
    LIST_ENTRY(watch) by_path;
    LIST_ENTRY(watch) in_instance;
    struct inotify *instance;
    char *path; /* canonical, owned */
    const struct fs_ops *fs;
    uint64_t dev, ino;
    int32_t wd;
    uint32_t mask; /* IN_*, with IN_ONESHOT, IN_EXCL_UNLINK */
    bool unlinked; /* the name is gone, but somebody has the object open */
};

LIST_HEAD(watch_list, watch);

/* The watches of a path lie in this list, among others. */
struct watch_list *notify_bucket(const char *path, size_t len);
/* Queues an event, drops it where it repeats the last one, ends a one-shot watch. */
void watch_event(struct watch *w, uint32_t mask, uint32_t cookie, const char *name);
/* Ends the watch, with IN_IGNORED. */
void watch_end(struct watch *w);

#endif
