/* SPDX-License-Identifier: MIT */
/* The mount table: which file system covers a path.  mount(2) is not offered, so the table is
 * built at boot and only read afterwards. */
#include <kernel/heap.h>
#include <kernel/string.h>

#include "vfs_walk.h"

static struct mount *mounts, **mounts_end = &mounts;
static uint32_t next_id = 0x20; /* anonymous devices: major 0, clear of the host's first few */

struct mount *vfs_mount(const struct fs_ops *ops, const char *path, const char *type, void *priv) {
    size_t len = strlen(path);
    struct mount *m = kzalloc(sizeof(*m) + len + 1);

    if (!m) return NULL;
    m->ops = ops;
    m->path = memcpy(m + 1, path, len + 1);
    m->path_len = (uint32_t)len;
    m->type = type;
    m->id = next_id++;
    m->priv = priv;
    *mounts_end = m;
    mounts_end = &m->next;
    return m;
}

struct mount *vfs_first_mount(void) {
    return mounts;
}

bool path_under(const char *text, const char *dir, size_t dir_len) {
    if (dir_len == 1) return true; /* "/" */
    return strncmp(text, dir, dir_len) == 0 && (text[dir_len] == '/' || text[dir_len] == '\0');
}

struct mount *mount_of(const char *text, const char **rel) {
    struct mount *best = NULL;

    for (struct mount *m = mounts; m; m = m->next)
        if ((!best || m->path_len >= best->path_len) && path_under(text, m->path, m->path_len))
            best = m;
    if (!best) return NULL;
    *rel = text + (best->path_len == 1 ? 0 : best->path_len);
    while (**rel == '/')
        (*rel)++;
    return best;
}

bool mount_below(const char *text) {
    size_t len = strlen(text);

    for (struct mount *m = mounts; m; m = m->next)
        if (path_under(m->path, text, len)) return true;
    return false;
}
