/* SPDX-License-Identifier: MIT */
/* /proc/self/fd and fdinfo: links that lead to open files rather than to paths. */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "procfs.h"

#define FD_INO 0x10000u

struct file *proc_fd_file(int fd) {
    const struct fd_table *t = &current_process()->fds;

    return fd >= 0 && (uint32_t)fd < t->size ? t->files[fd] : NULL;
}

void proc_fd_attr(int fd, struct hc_attr *attr) {
    uint32_t acc = proc_fd_file(fd)->flags & O_ACCMODE;

    attr->ino = FD_INO + (uint32_t)fd;
    attr->mode = S_IFLNK | (acc != O_WRONLY ? 0500 : 0) | (acc != O_RDONLY ? 0300 : 0);
    attr->size = 64; /* as Linux says of every such link */
}

/* A name for what has none. */
static int64_t nameless_text(struct file *f, char *buf, uint64_t size) {
    struct hc_attr attr;
    const char *kind = "anon_inode";

    if (f->ops->kind) return ksnprintf(buf, size, "anon_inode:%s", f->ops->kind);
    if (file_getattr(f, &attr)) return -ENOENT;
    if (S_ISFIFO(attr.mode)) kind = "pipe";
    if (S_ISSOCK(attr.mode)) kind = "socket";
    if (S_ISREG(attr.mode)) kind = "/host";
    if (S_ISCHR(attr.mode))
        return ksnprintf(buf, size, attr.rdev == 0x103 ? "/dev/null" : "/dev/tty");
    return ksnprintf(buf, size, "%s:[%lu]", kind, (unsigned long)attr.ino);
}

static int64_t fd_target(const struct tree_node *node, char *buf, uint64_t size) {
    int fd = node->number[TREE_FD];
    struct file *f = proc_fd_file(fd);
    struct hc_attr attr;
    bool gone;
    int64_t n;

    if (!f) return -ENOENT;
    if (!f->path) {
        n = nameless_text(f, buf, size);
    } else {
        gone = file_getattr(f, &attr) || attr.nlink == 0;
        n = ksnprintf(buf, size, "%s%s", f->path, gone ? " (deleted)" : "");
    }
    return n < 0 ? n : min(n, (int64_t)size);
}

/* Opens f's object once more. */
static int reopen(struct file *f, uint32_t flags, struct file *out) {
    struct hc_attr attr = {0};
    int r;

    if (f->path) {
        out->path = kstrdup(f->path);
        if (!out->path) return -ENOMEM;
    }
    out->mnt = f->mnt;
    if (f->ops->reopen) {
        r = f->ops->reopen(f, out);
        if (r) return r;
    } else {
        file_share(f, out);
    }
    r = (flags & O_TRUNC) && S_ISREG(out->mode) ? file_setattr(out, &attr, HC_SET_SIZE) : 0;
    if (!r) return 1;
    out->ops->release(out);
    return r;
}

int proc_fd_open(int fd, uint32_t flags, struct file *out) {
    struct file *f = proc_fd_file(fd);
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);

    if ((flags & O_DIRECTORY) && !S_ISDIR(f->mode)) return -ENOTDIR;
    if (S_ISDIR(f->mode)) return writes ? -EISDIR : HC_SYMLINK;
    if (f->mnt && !f->ops->reopen && f->path) return HC_SYMLINK;
    if (f->mnt && f->mnt->readonly && S_ISREG(f->mode) && writes) return -EROFS;
    return reopen(f, flags, out);
}

static int next_fd(const struct tree_node *dir, int from) {
    const struct fd_table *t = &current_process()->fds;

    for (uint32_t fd = (uint32_t)max(from, 0); fd < t->size; fd++)
        if (t->files[fd]) return (int)fd;
    return TREE_NONE;
}

static void show_fdinfo(struct tree_text *t) {
    int fd = t->node->number[TREE_FD];
    const struct file *f = proc_fd_file(fd);
    struct hc_attr attr;

    if (!f) return;
    if (file_getattr(proc_fd_file(fd), &attr)) attr.ino = 0;
    text_printf(t, "pos:\t%ld\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", (long)f->pos,
                f->flags | (current_process()->fds.cloexec[fd] ? O_CLOEXEC : 0),
                f->mnt ? f->mnt->id : 0, (unsigned long)attr.ino);
}

static const struct tree_numbered links = {
    .meaning = TREE_FD,
    .next = next_fd,
    .entry = {"", TREE_LINK, .target = fd_target},
};
static const struct tree_numbered infos = {
    .meaning = TREE_FD,
    .next = next_fd,
    .entry = {"", TREE_FILE, .show = show_fdinfo},
};

const struct tree_dir proc_fd_dir = {NULL, 0, &links};
const struct tree_dir proc_fdinfo_dir = {NULL, 0, &infos};
