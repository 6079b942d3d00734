/* SPDX-License-Identifier: MIT */
/* FS_OPEN: opening a path beneath a share without blocking and without waking devices.
 * Owns nothing; the handle table is hc_file.c's. */
#include <loader/services.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <loader/guest_mem.h>
#include <loader/hc_attr.h>
#include <loader/hc_handle.h>
#include <loader/hc_path.h>
#include <loader/net.h>

/* O_APPEND and O_NONBLOCK are the guest's own; O_DIRECT would bring alignment rules that guest
 * segments need not meet; O_ASYNC and the like have no meaning over a hypercall. */
#define OPEN_FLAGS                                                                                 \
    (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_SYNC | O_DIRECTORY | O_PATH | O_TMPFILE | O_NOATIME)
#define HOST_FLAGS (O_NOFOLLOW | O_CLOEXEC | O_NOCTTY)

struct opening {
    struct target t;
    int flags; /* of OPEN_FLAGS */
    uint32_t mode;
    bool follow;
    bool known; /* st is what the path held before the open */
    struct statx st;
};

static bool is_tmpfile(int flags) { return (flags & O_TMPFILE) == O_TMPFILE; }

static bool wants_change(int flags) {
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0 || is_tmpfile(flags);
}

static bool is_device(const struct statx *st) {
    return S_ISCHR(st->stx_mode) || S_ISBLK(st->stx_mode);
}

/* Looks before the open where opening could act: a device, a read-only share, a link.
 * Directories and O_PATH have nothing to guard. */
static int64_t look(struct opening *o, struct hc_path *p) {
    if ((o->flags & O_PATH) != 0) return 0;
    bool readonly = o->t.share->readonly;
    if ((o->flags & O_DIRECTORY) != 0 && !wants_change(o->flags)) return 0;
    int r = target_stat(&o->t, &o->st);
    bool exclusive = (o->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
    if (r == -ENOENT && (o->flags & O_CREAT) != 0) return readonly ? -EROFS : 0;
    if (r != 0) return r;
    o->known = true;
    if (exclusive && !is_tmpfile(o->flags)) return -EEXIST;
    if (S_ISLNK(o->st.stx_mode)) return o->follow ? target_link(&o->t, p) : -ELOOP;
    if (is_device(&o->st) && o->t.len != 0) return -EACCES;
    if (S_ISDIR(o->st.stx_mode) && wants_change(o->flags) && !is_tmpfile(o->flags)) return -EISDIR;
    if (readonly && wants_change(o->flags)) return -EROFS;
    if (readonly) o->flags &= ~(O_CREAT | O_EXCL);
    return 0;
}

/* A share's own object has no name to open it by, only an O_PATH descriptor. */
static int open_share(const struct share *share, int flags) {
    if (share->is_dir) return openat(share->fd, ".", flags);
    if ((flags & O_PATH) != 0) return fcntl(share->fd, F_DUPFD_CLOEXEC, 3);
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", share->fd);
    return open(path, flags & ~(O_NOFOLLOW | O_CREAT | O_EXCL));
}

static int64_t try_open(const struct opening *o, int extra) {
    bool creates = (o->flags & O_CREAT) != 0 || is_tmpfile(o->flags);
    int flags = o->flags | HOST_FLAGS | extra;
    mode_t mode = creates ? o->mode & 07777 : 0;
    int fd = o->t.len == 0 ? open_share(o->t.share, flags) : -1;
    if (o->t.len != 0) fd = openat(o->t.dir, o->t.name, flags, mode);
    return fd >= 0 ? fd : -errno;
}

static int64_t do_open(const struct opening *o) {
    if ((o->flags & O_TRUNC) != 0) net_keep_files();
    /* Never waits: not for a FIFO's other end, not for a device. */
    int extra = (o->flags & (O_PATH | O_DIRECTORY)) != 0 ? 0 : O_NONBLOCK;
    int64_t fd = try_open(o, extra);
    if (fd == -EMFILE && fd_limit_raise()) fd = try_open(o, extra);
    /* A lease on a regular file: its holder is told and gives way, so waiting is right. */
    if (fd == -EAGAIN && o->known && S_ISREG(o->st.stx_mode)) fd = try_open(o, 0);
    return fd;
}

/* A share may hold a mounted /proc, and there lies PID/mem of this very process. */
static bool is_process_file(int fd, const struct statx *st) {
    struct statfs fs;
    return st->stx_dev_major == 0 && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* What was opened may be other than what was looked at: the host changes when it likes. */
static int64_t admit(struct opening *o, struct hc_path *p, int fd) {
    int r = attr_of_fd(fd, &o->st);
    if (r != 0) return r;
    if (S_ISLNK(o->st.stx_mode) && o->follow) return target_link(&o->t, p);
    if (is_device(&o->st) && o->t.len != 0 && (o->flags & O_PATH) == 0) return -EACCES;
    if (S_ISREG(o->st.stx_mode) && is_process_file(fd, &o->st)) return -EACCES;
    return 0;
}

static int64_t open_target(struct opening *o, struct hc_fs_open *a) {
    struct hc_path *p = &a->p;
    int64_t r = look(o, p);
    if (r != 0) return r;
    int64_t fd = do_open(o);
    if (fd < 0) {
        /* With O_DIRECTORY the link at the end was not looked for before. */
        bool maybe_link = (fd == -ELOOP || fd == -ENOTDIR) && o->follow && o->t.len != 0;
        r = maybe_link ? target_link(&o->t, p) : fd;
        return r == -EINVAL ? fd : r;
    }
    r = admit(o, p, (int)fd);
    if (r == 0) r = attr_put(a->attr, &o->st);
    if (r == 0) r = handle_add((int)fd, o->t.share->readonly, o->st.stx_mode);
    if (r < 0) {
        close((int)fd);
        return r;
    }
    struct handle *h = handle_get((uint32_t)r);
    h->nonblock = true; /* do_open; regular files do not care */
    if (a->records != 0 && (o->flags & O_PATH) == 0 && S_ISDIR(o->st.stx_mode)) dir_list(h, a);
    return r;
}

int64_t hc_fs_open(union hc_args *args) {
    struct hc_fs_open *a = &args->fs_open;
    struct opening o = {.flags = (int)a->flags & OPEN_FLAGS, .mode = a->mode};
    o.follow = (a->p.flags & HC_NOFOLLOW) == 0 && (a->flags & O_NOFOLLOW) == 0;
    if ((o.flags & O_PATH) != 0) o.flags &= O_PATH | O_DIRECTORY;
    a->len = a->attrs_count = a->at_end = 0;
    /* Linux before 6.4 creates a file here and then fails. */
    bool both = (o.flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY);
    int64_t r = handle_close_many(a->closes, a->close_count);
    if (r == 0 && both) r = -EINVAL;
    if (r == 0 && a->records != 0) r = dir_list_check(a);
    if (r == 0) r = target_find(&o.t, &a->p, true);
    return r == 0 ? open_target(&o, a) : r;
}
