/* SPDX-License-Identifier: MIT */
/* /dev: a constant table of nodes.  Allocates nothing; "shm" and "pts" are only the places of
 * mounts. */
#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/random.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "dirent.h"
#include "pty.h"

#include <kernel/vfs.h>

#define DEV_TYPE 0x01021994 /* devtmpfs calls itself tmpfs */
#define FIRST_INO 1u
#define RANDOM_CHUNK 512u /* bytes on the stack */

struct dev_node {
    const char *name;
    uint32_t mode;
    uint32_t rdev; /* as st_rdev: major << 8 | minor */
    const char *target;
    const struct file_ops *ops;
};

static int dev_getattr(struct file *f, struct hc_attr *attr);
static int dev_statfs(struct file *f, gpa_t buf);

/* None of these devices has a position: reads and writes ignore it. */
static int64_t dev_seek(struct file *f, int64_t offset, int whence) { return f->pos = 0; }

static int64_t null_read(struct file *f, const struct uio *u, int64_t *pos) { return 0; }

static int64_t null_write(struct file *f, const struct uio *u, int64_t *pos) {
    return (int64_t)u->len;
}

static int64_t zero_read(struct file *f, const struct uio *u, int64_t *pos) {
    int r = uio_clear(u, 0, u->len);

    return r ? r : (int64_t)u->len;
}

/* A private mapping of /dev/zero is anonymous memory. */
static int zero_page(struct file *f, uint64_t offset, bool shared_write, gpa_t *out) {
    *out = frame_alloc();
    return *out ? 0 : -ENOMEM;
}

static int64_t full_write(struct file *f, const struct uio *u, int64_t *pos) { return -ENOSPC; }

static int64_t random_read(struct file *f, const struct uio *u, int64_t *pos) {
    uint8_t chunk[RANDOM_CHUNK];
    uint64_t done = 0;

    while (done < u->len) {
        uint64_t n = min(u->len - done, (uint64_t)sizeof(chunk));
        int r;

        random_bytes(chunk, n);
        r = uio_fill(u, done, chunk, n);
        if (r) return done ? (int64_t)done : r;
        done += n;
    }
    return (int64_t)done;
}

static int64_t random_write(struct file *f, const struct uio *u, int64_t *pos) {
    uint8_t chunk[RANDOM_CHUNK];
    uint64_t done = 0;

    while (done < u->len) {
        uint64_t n = min(u->len - done, (uint64_t)sizeof(chunk));
        int r = uio_drain(u, done, chunk, n);

        if (r) return done ? (int64_t)done : r;
        random_mix(chunk, n);
        done += n;
    }
    return (int64_t)done;
}

static const struct file_ops null_ops = {
    .read = null_read,
    .write = null_write,
    .seek = dev_seek,
    .getattr = dev_getattr,
    .statfs = dev_statfs,
};
static const struct file_ops zero_ops = {
    .read = zero_read,
    .write = null_write,
    .seek = dev_seek,
    .getattr = dev_getattr,
    .page = zero_page,
    .statfs = dev_statfs,
};
static const struct file_ops full_ops = {
    .read = zero_read,
    .write = full_write,
    .seek = dev_seek,
    .getattr = dev_getattr,
    .page = zero_page,
    .statfs = dev_statfs,
};
static const struct file_ops random_ops = {
    .read = random_read,
    .write = random_write,
    .seek = dev_seek,
    .getattr = dev_getattr,
    .statfs = dev_statfs,
};
static const struct file_ops path_ops = {.getattr = dev_getattr, .statfs = dev_statfs};

#define DEVICE (S_IFCHR | 0666)
#define LINK (S_IFLNK | 0777)

/* The first row is /dev itself. */
static const struct dev_node nodes[] = {
    {"", S_IFDIR | 0755, 0, NULL, NULL},           {"fd", LINK, 0, "/proc/self/fd", NULL},
    {"full", DEVICE, 0x107, NULL, &full_ops},      {"null", DEVICE, 0x103, NULL, &null_ops},
    {"ptmx", DEVICE, 0x502, NULL, NULL},           {"pts", S_IFDIR | 0755, 0, NULL, NULL},
    {"random", DEVICE, 0x108, NULL, &random_ops},  {"shm", S_IFDIR | 01777, 0, NULL, NULL},
    {"stderr", LINK, 0, "/proc/self/fd/2", NULL},  {"stdin", LINK, 0, "/proc/self/fd/0", NULL},
    {"stdout", LINK, 0, "/proc/self/fd/1", NULL},  {"tty", DEVICE, 0x500, NULL, NULL},
    {"urandom", DEVICE, 0x109, NULL, &random_ops}, {"zero", DEVICE, 0x105, NULL, &zero_ops},
};

static void fill_attr(const struct mount *m, const struct dev_node *n, struct hc_attr *a) {
    int64_t born = boot_info()->realtime_ns;

    *a = (struct hc_attr){
        .ino = FIRST_INO + (uint64_t)(n - nodes),
        .dev = m->id,
        .rdev = n->rdev,
        .nlink = S_ISDIR(n->mode) ? 2 : 1,
        .mode = n->mode,
        .blksize = PAGE_SIZE,
        .size = n->target ? strlen(n->target) : 0,
        .atime_ns = born,
        .mtime_ns = born,
        .ctime_ns = born,
    };
}

static int dev_getattr(struct file *f, struct hc_attr *attr) {
    fill_attr(f->mnt, f->priv, attr);
    return 0;
}

static int report_link(const struct dev_node *n, size_t consumed, struct vfs_link *l) {
    l->consumed = (uint32_t)consumed;
    l->len = (uint32_t)strlen(n->target);
    memcpy(l->text, n->target, l->len);
    return HC_SYMLINK;
}

static int find(const char *rel, bool follow, const struct dev_node **out, struct vfs_link *l) {
    size_t len = (size_t)(strchrnul(rel, '/') - rel);

    for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
        const struct dev_node *n = &nodes[i];

        if (strlen(n->name) != len || memcmp(n->name, rel, len) != 0) continue;
        *out = n;
        if (n->target && (follow || rel[len])) return report_link(n, len, l);
        return rel[len] == '\0' ? 0 : S_ISDIR(n->mode) ? -ENOENT : -ENOTDIR;
    }
    return -ENOENT;
}

static int devfs_stat(struct mount *m, const char *rel, bool follow, struct hc_attr *a,
                      struct vfs_link *l) {
    const struct dev_node *n;
    int r = find(rel, follow, &n, l);

    if (!r) fill_attr(m, n, a);
    return r;
}

static int64_t devfs_readlink(struct mount *m, const char *rel, char *buf, uint64_t size,
                              struct vfs_link *l) {
    const struct dev_node *n;
    int r = find(rel, false, &n, l);

    if (r) return r;
    if (!n->target) return -EINVAL;
    size = min(size, strlen(n->target));
    memcpy(buf, n->target, size);
    return (int64_t)size;
}

static int64_t dir_getdents(struct file *f, gva_t buf, uint64_t len) {
    struct dirent_sink sink = {.buf = buf, .len = len};
    bool fits = true;

    for (; fits && f->pos < 2; f->pos += fits)
        fits = dirent_emit(&sink, "..", (size_t)f->pos + 1, FIRST_INO, S_IFDIR, f->pos + 1);
    for (; fits && (uint64_t)f->pos - 1 < ARRAY_LEN(nodes); f->pos += fits) {
        const struct dev_node *n = &nodes[f->pos - 1];

        fits = dirent_emit(&sink, n->name, strlen(n->name), FIRST_INO + (uint64_t)(n - nodes),
                           n->mode, f->pos + 1);
    }
    return dirent_result(&sink, !fits);
}

static const struct file_ops dir_ops = {
    .getdents = dir_getdents,
    .getattr = dev_getattr,
    .statfs = dev_statfs,
};

/* Major numbers of terminals: consoles and serial lines, /dev/console, pseudo-terminals. */
static bool is_terminal(const struct hc_attr *a) {
    uint64_t major = a->rdev >> 8 & 0xfff;

    return S_ISCHR(a->mode) &&
           (major == 4 || major == 5 || (major >= 136 && major <= 143) || major == 204);
}

/* /dev/tty: whichever of the standard streams is a terminal. */
static int open_tty(struct file *out) {
    struct hc_attr attr;

    for (uint32_t handle = 0; handle < 3; handle++) {
        struct file *f = hostfs_stdio(handle);
        bool found;

        if (!f) return -ENOMEM;
        found = S_ISCHR(f->mode) && file_getattr(f, &attr) == 0 && is_terminal(&attr);
        if (found) { /* out becomes the stream; its own flags stay */
            out->ops = f->ops;
            out->priv = f->priv;
            out->priv2 = f->priv2;
            f->ops = NULL;
        }
        file_put(f);
        if (found) return 0;
    }
    return -ENXIO;
}

static int devfs_open(struct mount *m, const char *rel, uint32_t flags, uint32_t mode,
                      struct file *out, struct vfs_link *l) {
    bool exclusive = (flags & O_CREAT) && (flags & O_EXCL);
    bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_TRUNC | O_CREAT));
    const struct dev_node *n;
    int r = find(rel, !(flags & O_NOFOLLOW) && !exclusive, &n, l);

    if (r == -ENOENT && (flags & O_CREAT) && !strchr(rel, '/')) return -EACCES;
    if (r) return r;
    if (exclusive) return -EEXIST;
    if (flags & __O_TMPFILE) return -EOPNOTSUPP;
    if ((flags & O_DIRECTORY) && !S_ISDIR(n->mode)) return -ENOTDIR;
    out->priv = (void *)(uintptr_t)n;
    out->mode = n->mode & S_IFMT;
    out->ops = &path_ops;
    if (flags & O_PATH) return 0;
    if (S_ISLNK(n->mode)) return -ELOOP;
    if (S_ISDIR(n->mode) && writes) return -EISDIR;
    if (strcmp(n->name, "tty") == 0) return open_tty(out);
    if (strcmp(n->name, "ptmx") == 0) return pty_open_master(out);
    out->ops = n->ops ? n->ops : &dir_ops;
    return 0;
}

static void fill_statfs(struct statfs *out) {
    *out = (struct statfs){
        .f_type = DEV_TYPE, .f_bsize = PAGE_SIZE, .f_namelen = NAME_MAX, .f_frsize = PAGE_SIZE};
}

static int dev_statfs(struct file *f, gpa_t buf) {
    fill_statfs(frame_ptr(buf));
    return 0;
}

static int devfs_statfs(struct mount *m, const char *rel, struct statfs *out, struct vfs_link *l) {
    const struct dev_node *n;
    int r = find(rel, true, &n, l);

    if (!r) fill_statfs(out);
    return r;
}

const struct fs_ops devfs_ops = {
    .stat = devfs_stat,
    .open = devfs_open,
    .readlink = devfs_readlink,
    .statfs = devfs_statfs,
};
