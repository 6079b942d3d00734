/* SPDX-License-Identifier: MIT */
/* Host directories as a file system: paths become FS_* calls.  Owns nothing; the loader resolves
 * beneath the share and reports symbolic links, the VFS splices them. */
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/string.h>
#include <kernel/wait.h>

#include "hostfs.h"

#define FIFO_RETRY_NS 5000000 /* how often an open for writing looks for a reader */

static struct hc_path path_of(struct mount *m, const char *rel, uint32_t flags,
                              struct vfs_link *link) {
    return (struct hc_path){
        .share = (uint32_t)(uintptr_t)m->priv,
        .flags = flags,
        .path = frame_gpa(rel),
        .len = (uint32_t)strlen(rel),
        .link = link != NULL ? frame_gpa(link->text) : 0,
    };
}

/* Runs a call whose arguments start with a struct hc_path. */
static int64_t path_call(enum hc_nr nr, union hc_args *args, struct vfs_link *link) {
    int64_t r = hypercall(nr, args);
    if (r != HC_SYMLINK) return r;
    if (link == NULL) return -ELOOP; /* the host put a link where none was a moment ago */
    link->consumed = args->fs_stat.p.consumed;
    link->len = args->fs_stat.p.link_len;
    return r;
}

static int hostfs_stat(struct mount *m, const char *rel, bool follow, struct hc_attr *a,
                       struct vfs_link *l) {
    union hc_args args = {
        .fs_stat = {.p = path_of(m, rel, follow ? 0 : HC_NOFOLLOW, l), .attr = frame_gpa(a)}};
    if (hostfs_attrs_find(m, rel, a, &args.fs_stat) && !(follow && S_ISLNK(a->mode))) return 0;
    struct hostfs_stamp now = hostfs_stamp_now();
    int64_t r = path_call(HC_FS_STAT, &args, l);
    hostfs_attrs_keep(m, rel, r == 0 ? a : NULL, &args.fs_stat, now);
    return (int)r;
}

static int64_t call_open(struct mount *m, const char *rel, uint32_t flags, uint32_t mode,
                         struct hostfs_file *hf, struct vfs_link *l) {
    uint32_t path_flags = (flags & O_NOFOLLOW) != 0 ? HC_NOFOLLOW : 0;
    uint32_t closes[HC_MAX_CLOSE];
    union hc_args args = {.fs_open = {.p = path_of(m, rel, path_flags, l),
                                      .flags = flags,
                                      .mode = mode,
                                      .attr = frame_gpa(&hf->attr),
                                      .close_count = hostfs_take_old_closes(closes),
                                      .closes = frame_gpa(closes)}};
    bool lists = (flags & (O_DIRECTORY | O_PATH | O_ACCMODE)) == O_DIRECTORY;
    if (lists) hostfs_list_ask(&args.fs_open);
    struct hostfs_stamp now = hostfs_stamp_now();
    if (flags & O_TRUNC) hostfs_truncating(m, NULL, 0);
    int64_t r = path_call(HC_FS_OPEN, &args, l);
    if (r < 0) return r;
    hf->removals = hostfs_removals();
    hf->opened = (struct hostfs_stamp){now.ns, hypercall_news()};
    if (lists) hostfs_list_take(hf, m, rel, &args.fs_open);
    return r;
}

/* The loader opens a FIFO without waiting for the other end; open(2) waits. */
static int64_t open_fifo_writer(struct mount *m, const char *rel, uint32_t flags,
                                struct hostfs_file *hf, struct vfs_link *l) {
    for (;;) {
        int64_t r = hostfs_stat(m, rel, (flags & O_NOFOLLOW) == 0, &hf->attr, l);
        if (r != 0) return r;
        if (!S_ISFIFO(hf->attr.mode)) return -ENXIO;
        r = wait_until(NULL, NULL, NULL, 0, clock_monotonic_ns() + FIFO_RETRY_NS);
        if (r == -EINTR) return -ERESTARTSYS;
        r = call_open(m, rel, flags, 0, hf, l);
        if (r != -ENXIO) return r;
    }
}

static int open_handle(struct mount *m, const char *rel, uint32_t flags, uint32_t mode,
                       struct hostfs_file *hf, struct vfs_link *l) {
    int64_t r = call_open(m, rel, flags, mode, hf, l);
    bool waits = (flags & (O_NONBLOCK | O_PATH)) == 0;
    uint32_t access = flags & O_ACCMODE;
    if (r == -ENXIO && waits && access == O_WRONLY) r = open_fifo_writer(m, rel, flags, hf, l);
    if (r < 0) return (int)r;
    hf->handle = (uint32_t)r;
    hf->size = hf->attr.size;
    return S_ISFIFO(hf->attr.mode) && waits && access == O_RDONLY ? hostfs_wait(hf->handle, POLLIN)
                                                                  : 0;
}

static int hostfs_open(struct mount *m, const char *rel, uint32_t flags, uint32_t mode,
                       struct file *out, struct vfs_link *l) {
    struct hostfs_file *hf = kzalloc(sizeof(*hf));
    if (hf == NULL) return -ENOMEM;
    hf->handle = NO_HANDLE;
    out->priv = hf;
    int r = hostfs_open_again(m, rel, flags, hf) ? 0 : open_handle(m, rel, flags, mode, hf, l);
    if (r != 0) {
        hostfs_release(out);
        return r;
    }
    out->mode = hf->attr.mode & S_IFMT;
    out->ops = hostfs_ops_for(hf->attr.mode, flags);
    return 0;
}

static int64_t hostfs_readlink(struct mount *m, const char *rel, char *buf, uint64_t size,
                               struct vfs_link *l) {
    union hc_args args = {.fs_readlink = {.p = path_of(m, rel, HC_NOFOLLOW, l),
                                          .buf = frame_gpa(buf),
                                          .len = min(size, (uint64_t)HC_MAX_PATH)}};
    return path_call(HC_FS_READLINK, &args, l);
}

static int hostfs_setattr_path(struct mount *m, const char *rel, bool follow,
                               const struct hc_attr *a, uint32_t mask, struct vfs_link *l) {
    union hc_args args = {.fs_setattr = {.p = path_of(m, rel, follow ? 0 : HC_NOFOLLOW, l),
                                         .attr = frame_gpa(a),
                                         .mask = mask}};
    if (mask & HC_SET_SIZE) hostfs_truncating(m, NULL, a->size);
    return (int)path_call(HC_FS_SETATTR, &args, l);
}

static int hostfs_mknod(struct mount *m, const char *rel, uint32_t mode, uint64_t rdev,
                        struct vfs_link *l) {
    union hc_args args = {.fs_mkdir = {.p = path_of(m, rel, 0, l), .mode = mode}};
    return (int)path_call(HC_FS_MKDIR, &args, l);
}

static int hostfs_unlink(struct mount *m, const char *rel, bool rmdir, struct vfs_link *l) {
    hostfs_names_go();
    union hc_args args = {.fs_unlink = {.p = path_of(m, rel, rmdir ? HC_RMDIR : 0, l)}};
    return (int)path_call(HC_FS_UNLINK, &args, l);
}

static int hostfs_symlink(struct mount *m, const char *target, const char *rel,
                          struct vfs_link *l) {
    union hc_args args = {.fs_symlink = {.p = path_of(m, rel, 0, l),
                                         .target = frame_gpa(target),
                                         .target_len = (uint32_t)strlen(target)}};
    return (int)path_call(HC_FS_SYMLINK, &args, l);
}

static int call_two(enum hc_nr nr, struct mount *m, const char *rel, const char *new_rel,
                    uint32_t flags) {
    union hc_args args = {.fs_two = {.p = path_of(m, rel, HC_NOFOLLOW, NULL),
                                     .path2 = frame_gpa(new_rel),
                                     .len2 = (uint32_t)strlen(new_rel),
                                     .flags = flags}};
    return (int)path_call(nr, &args, NULL);
}

static int hostfs_link(struct mount *m, const char *rel, const char *new_rel) {
    return call_two(HC_FS_LINK, m, rel, new_rel, 0);
}

static int hostfs_rename(struct mount *m, const char *rel, const char *new_rel, uint32_t flags) {
    hostfs_names_go();
    return call_two(HC_FS_RENAME, m, rel, new_rel, flags);
}

static int hostfs_statfs_path(struct mount *m, const char *rel, struct statfs *out,
                              struct vfs_link *l) {
    union hc_args args = {.fs_statfs = {.p = path_of(m, rel, 0, l), .buf = frame_gpa(out)}};
    return (int)path_call(HC_FS_STATFS, &args, l);
}

const char *hostfs_rel(const struct file *f) {
    if (f->mnt == NULL || f->path == NULL) return NULL;
    const char *rel = f->path + f->mnt->path_len;
    while (*rel == '/')
        rel++;
    return rel;
}

int hostfs_statfs(struct file *f, gpa_t buf) {
    const char *rel = hostfs_rel(f);
    if (rel == NULL) return -ENOSYS;
    union hc_args args = {.fs_statfs = {.p = path_of(f->mnt, rel, HC_NOFOLLOW, NULL), .buf = buf}};
    return (int)path_call(HC_FS_STATFS, &args, NULL);
}

const struct fs_ops hostfs_ops = {
    .stat = hostfs_stat,
    .open = hostfs_open,
    .readlink = hostfs_readlink,
    .setattr = hostfs_setattr_path,
    .mknod = hostfs_mknod,
    .unlink = hostfs_unlink,
    .symlink = hostfs_symlink,
    .link = hostfs_link,
    .rename = hostfs_rename,
    .statfs = hostfs_statfs_path,
};
