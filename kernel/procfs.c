/* SPDX-License-Identifier: MIT */
/* /proc as a file system: rows of proc_table found by path; files are generated when opened. */
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/sched.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "dirent.h"
#include "procfs.h"

#define PROC_TYPE 0x9fa0 /* PROC_SUPER_MAGIC of linux/magic.h */
#define FIRST_INO 1u
#define NO_FD (-1)

/* What a path names: a row (of a thread), or one descriptor below the row of "@/fd". */
struct proc_node {
    const struct proc_entry *entry;
    int fd;  /* NO_FD: the row itself */
    int tid; /* of a row with "#", else 0 */
};

static bool is_fd_dir(const struct proc_entry *e) { return strcmp(e->path, "@/fd") == 0; }
static bool is_task_dir(const struct proc_entry *e) { return strcmp(e->path, "@/task") == 0; }

/* Length of the decimal number at text; 0: none, or one with a leading zero. */
static size_t parse_number(const char *text, int *value) {
    size_t n = 0;

    for (*value = 0; text[n] >= '0' && text[n] <= '9' && n < 9; n++)
        *value = *value * 10 + (text[n] - '0');
    return n > 1 && text[0] == '0' ? 0 : n;
}

/* Bytes of rel that `path` covers as whole components, or -1.  *tid: what "#" stands for. */
static int64_t covered(const char *path, const char *rel, int *tid) {
    size_t at = 0;

    for (*tid = 0; *path; path++) {
        int number;
        size_t digits;

        if (*path != '@' && *path != '#') {
            if (rel[at++] != *path) return -1;
            continue;
        }
        digits = parse_number(rel + at, &number);
        if (!digits || number == 0) return -1;
        if (*path == '@' ? number != current_process()->pid : !thread_find(number)) return -1;
        if (*path == '#') *tid = number;
        at += digits;
    }
    return at == 0 || rel[at] == '/' || rel[at] == '\0' ? (int64_t)at : -1;
}

static bool has_link(const struct proc_node *n) { return n->fd != NO_FD || n->entry->target; }

static int64_t node_text(const struct proc_node *n, char *buf, uint64_t size) {
    if (n->fd != NO_FD) return proc_fd_text(n->fd, buf, size);
    return n->entry->target ? n->entry->target(buf, size) : -EINVAL;
}

static int report_link(const struct proc_node *n, size_t consumed, struct vfs_link *l) {
    int64_t len;

    if (!l) return -ELOOP;
    len = node_text(n, l->text, sizeof(l->text));

    if (len < 0) return (int)len;
    l->len = (uint32_t)len;
    l->consumed = (uint32_t)consumed;
    return HC_SYMLINK;
}

/* Finds rel.  A link at its end is the result (the caller knows whether to follow it); one on the
 * way is reported. */
static int find(const char *rel, struct proc_node *n, struct vfs_link *l) {
    int64_t best = -1;

    n->fd = NO_FD;
    n->entry = NULL;
    for (uint32_t i = 0; i < proc_table_len; i++) {
        int tid;
        int64_t len = covered(proc_table[i].path, rel, &tid);

        if (len <= best) continue;
        best = len;
        n->tid = tid;
        n->entry = &proc_table[i];
    }
    if (rel[best] == '/') best++;
    if (best > 0 && rel[best] && is_fd_dir(n->entry)) {
        size_t digits = parse_number(rel + best, &n->fd);

        best += (int64_t)digits;
        if (!digits || (rel[best] && rel[best] != '/') || !proc_fd_file(n->fd)) return -ENOENT;
        if (rel[best] == '/') return report_link(n, (size_t)best, l);
    }
    if (rel[best] == '\0') return 0;
    if (has_link(n)) return report_link(n, (size_t)best - 1, l);
    return S_ISDIR(n->entry->mode) ? -ENOENT : -ENOTDIR;
}

static void fill_attr(const struct mount *m, const struct proc_node *n, struct hc_attr *a) {
    int64_t now = clock_realtime_ns();
    bool own = n->entry->path[0] == '@';

    *a = (struct hc_attr){
        .ino = FIRST_INO + (uint64_t)(n->entry - proc_table),
        .dev = m->id,
        .nlink = S_ISDIR(n->entry->mode) ? 2 : 1,
        .mode = n->entry->mode,
        .uid = own ? current_process()->euid : 0,
        .gid = own ? current_process()->egid : 0,
        .blksize = 1024,
        .atime_ns = now,
        .mtime_ns = now,
        .ctime_ns = now,
    };
    if (n->fd != NO_FD) proc_fd_attr(n->fd, a);
}

static int procfs_stat(struct mount *m, const char *rel, bool follow, struct hc_attr *a,
                       struct vfs_link *l) {
    struct proc_node n;
    int r = find(rel, &n, l);

    if (r) return r;
    if (follow && n.fd != NO_FD && !S_ISDIR(proc_fd_file(n.fd)->mode))
        return file_getattr(proc_fd_file(n.fd), a);
    /* A directory is left to its own path, where ".." and names below it mean something. */
    if (follow && n.fd != NO_FD) return report_link(&n, strlen(rel), l);
    if (follow && n.entry->target) return report_link(&n, strlen(rel), l);
    fill_attr(m, &n, a);
    return 0;
}

static int64_t procfs_readlink(struct mount *m, const char *rel, char *buf, uint64_t size,
                               struct vfs_link *l) {
    struct proc_node n;
    int r = find(rel, &n, l);

    return r ? r : node_text(&n, buf, size);
}

static int procfs_setattr(struct mount *m, const char *rel, bool follow, const struct hc_attr *a,
                          uint32_t mask, struct vfs_link *l) {
    struct proc_node n;
    int r = find(rel, &n, l);

    if (r) return r;
    if (follow && n.fd != NO_FD) {
        struct file *f = proc_fd_file(n.fd);

        if (f->mnt && f->path && !f->ops->reopen) return report_link(&n, strlen(rel), l);
        return file_setattr(f, a, mask);
    }
    if (follow && n.entry->target) return report_link(&n, strlen(rel), l);
    return -EPERM;
}

/* Open files: priv is the text of a file, priv2 the row and the descriptor. */

static struct proc_node node_of(const struct file *f) {
    const struct proc_entry *e = &proc_table[f->priv2 >> 32];
    int number = (int)(uint32_t)f->priv2;
    bool of_thread = strchr(e->path, '#') != NULL;

    return (struct proc_node){
        .entry = e,
        .fd = of_thread ? NO_FD : number,
        .tid = of_thread ? number : 0,
    };
}

static int proc_getattr(struct file *f, struct hc_attr *attr) {
    struct proc_node n = node_of(f);

    if (n.fd != NO_FD && !proc_fd_file(n.fd)) return -ENOENT;
    fill_attr(f->mnt, &n, attr);
    return 0;
}

static int64_t proc_read(struct file *f, const struct uio *u, int64_t *pos) {
    const struct proc_text *t = f->priv;
    uint64_t n;
    int r;

    if ((uint64_t)*pos >= t->len) return 0;
    n = min(u->len, t->len - (uint64_t)*pos);
    r = uio_fill(u, 0, t->data + *pos, n);
    if (r) return r;
    *pos += (int64_t)n;
    return (int64_t)n;
}

static void proc_release(struct file *f) {
    struct proc_text *t = f->priv;

    if (t) kfree(t->data);
    kfree(t);
}

/* The last component of e's path if e lies directly in dir, else NULL. */
static const char *child_name(const struct proc_entry *e, const struct proc_entry *dir) {
    size_t len = strlen(dir->path);
    const char *name = e->path;

    if (len) {
        if (strncmp(e->path, dir->path, len) != 0 || e->path[len] != '/') return NULL;
        name = e->path + len + 1;
    }
    return *name && !strchr(name, '/') ? name : NULL;
}

/* The row behind that of the directory is what its members are made of. */
static bool next_task(const struct proc_entry *dir, uint64_t *i, char name[16],
                      struct proc_node *n) {
    const struct thread *t;
    uint64_t at = 0;

    TAILQ_FOREACH(t, &current_process()->threads, in_process) {
        if (at++ < *i) continue;
        *n = (struct proc_node){.entry = dir + 1, .fd = NO_FD, .tid = t->tid};
        ksnprintf(name, 16, "%d", t->tid);
        return true;
    }
    return false;
}

/* Names of the entry at or behind index *i of a directory; false at its end. */
static bool next_entry(const struct proc_entry *dir, uint64_t *i, char name[16], const char **text,
                       struct proc_node *n) {
    if (is_fd_dir(dir)) {
        while (*i < current_process()->fds.size && !proc_fd_file((int)*i))
            (*i)++;
        if (*i >= current_process()->fds.size) return false;
        *n = (struct proc_node){.entry = dir, .fd = (int)*i};
        ksnprintf(name, 16, "%d", n->fd);
        *text = name;
        return true;
    }
    if (is_task_dir(dir)) {
        *text = name;
        return next_task(dir, i, name, n);
    }
    for (; *i < proc_table_len; (*i)++) {
        *n = (struct proc_node){.entry = &proc_table[*i], .fd = NO_FD};
        *text = child_name(n->entry, dir);
        if (!*text) continue;
        if (**text == '@') {
            ksnprintf(name, 16, "%d", current_process()->pid);
            *text = name;
        }
        return true;
    }
    return false;
}

static int64_t proc_getdents(struct file *f, gva_t buf, uint64_t len) {
    const struct proc_entry *dir = node_of(f).entry;
    struct dirent_sink sink = {.buf = buf, .len = len};
    bool fits = true;
    struct proc_node n;
    struct hc_attr a;
    const char *text;
    char name[16];
    uint64_t i;

    while (fits && f->pos < 2) {
        fits = dirent_emit(&sink, "..", (size_t)f->pos + 1,
                           FIRST_INO + (f->pos ? 0 : (uint64_t)(dir - proc_table)), S_IFDIR,
                           f->pos + 1);
        if (fits) f->pos++;
    }
    for (i = (uint64_t)f->pos - 2; fits && next_entry(dir, &i, name, &text, &n); i++) {
        fill_attr(f->mnt, &n, &a);
        fits = dirent_emit(&sink, text, strlen(text), a.ino, a.mode, (int64_t)i + 3);
        if (fits) f->pos = (int64_t)i + 3;
    }
    return dirent_result(&sink, !fits);
}

static void fill_statfs(struct statfs *out) {
    *out = (struct statfs){
        .f_type = PROC_TYPE, .f_bsize = PAGE_SIZE, .f_namelen = NAME_MAX, .f_frsize = PAGE_SIZE};
}

static int proc_file_statfs(struct file *f, gpa_t buf) {
    fill_statfs(frame_ptr(buf));
    return 0;
}

static const struct file_ops text_ops = {
    .read = proc_read,
    .getattr = proc_getattr,
    .statfs = proc_file_statfs,
    .release = proc_release,
};

static const struct file_ops dir_ops = {
    .getdents = proc_getdents,
    .getattr = proc_getattr,
    .statfs = proc_file_statfs,
};

static int open_text(const struct proc_node *n, struct file *out) {
    struct proc_text *t = kzalloc(sizeof(*t));

    if (!t) return -ENOMEM;
    t->of_thread = n->tid != 0;
    t->thread = n->tid != 0 ? thread_find(n->tid) : current_process()->leader;
    n->entry->show(t);
    if (t->failed) {
        kfree(t->data);
        kfree(t);
        return -ENOMEM;
    }
    out->ops = &text_ops;
    out->priv = t;
    return 0;
}

static int open_node(const struct proc_node *n, uint32_t flags, struct file *out) {
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);

    if ((flags & O_DIRECTORY) && !S_ISDIR(n->entry->mode)) return -ENOTDIR;
    out->mode = n->fd != NO_FD ? S_IFLNK : n->entry->mode;
    out->priv2 = (uint64_t)(n->entry - proc_table) << 32 | (uint32_t)(n->tid != 0 ? n->tid : n->fd);
    out->ops = &dir_ops;
    if (flags & O_PATH) return 0;
    if (S_ISLNK(out->mode)) return -ELOOP;
    if (S_ISDIR(out->mode)) return writes || (flags & O_CREAT) ? -EISDIR : 0;
    return writes ? -EACCES : open_text(n, out);
}

static int procfs_open(struct mount *m, const char *rel, uint32_t flags, uint32_t mode,
                       struct file *out, struct vfs_link *l) {
    bool exclusive = (flags & O_CREAT) && (flags & O_EXCL);
    bool follow = !(flags & O_NOFOLLOW) && !exclusive;
    struct proc_node n;
    int r = find(rel, &n, l);

    if (r) return r;
    if (exclusive) return -EEXIST;
    if (flags & __O_TMPFILE) return -EOPNOTSUPP;
    if (follow && n.fd != NO_FD) {
        r = proc_fd_open(n.fd, flags, out);
        return r == HC_SYMLINK ? report_link(&n, strlen(rel), l) : r;
    }
    if (follow && n.entry->target) return report_link(&n, strlen(rel), l);
    return open_node(&n, flags, out);
}

static int procfs_statfs(struct mount *m, const char *rel, struct statfs *out, struct vfs_link *l) {
    struct proc_node n;
    int r = find(rel, &n, l);

    if (r) return r;
    if (n.fd != NO_FD) return file_statfs(proc_fd_file(n.fd), out);
    if (n.entry->target) return report_link(&n, strlen(rel), l);
    fill_statfs(out);
    return 0;
}

static struct file *procfs_magic_link(struct mount *m, const char *rel) {
    struct proc_node n;
    char pid[16];

    /* "self" was resolved before, so that no link is met on the way and none is reported. */
    ksnprintf(pid, sizeof(pid), "%d/fd/", current_process()->pid);
    if (strncmp(rel, pid, strlen(pid)) != 0 || find(rel, &n, NULL)) return NULL;
    return n.fd != NO_FD ? proc_fd_file(n.fd) : NULL;
}

const struct fs_ops procfs_ops = {
    .stat = procfs_stat,
    .open = procfs_open,
    .readlink = procfs_readlink,
    .setattr = procfs_setattr,
    .statfs = procfs_statfs,
    .magic_link = procfs_magic_link,
};
