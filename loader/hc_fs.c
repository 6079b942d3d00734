/* SPDX-License-Identifier: MIT */
/* FS_* calls: operations on paths beneath a share.  Owns nothing; hc_path.c resolves. */
#include <loader/services.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <loader/guest_mem.h>
#include <loader/hc_attr.h>
#include <loader/hc_path.h>
#include <loader/net.h>

/* Resolves the place of a new, vanishing or renamed name.  `whole`: errno for the share itself. */
static int64_t change_find(struct target *t, struct hc_path *p, int whole) {
    int64_t r = target_find(t, p, false);
    if (r != 0) return r;
    if (t->len == 0) return -whole;
    if (!t->share->readonly) return 0;
    /* As Linux: a name that exists is EEXIST, one that does not is ENOENT, before EROFS. */
    struct statx st;
    int found = target_stat(t, &st);
    target_done(t);
    if (whole == EEXIST && found == 0) return -EEXIST;
    if (whole != EEXIST && found != 0) return found;
    return -EROFS;
}

static int64_t finish(struct target *t, int result) {
    int64_t r = result == 0 ? 0 : -errno;
    target_done(t);
    return r;
}

/* The names that the guest expects to ask for next.  One that is no plain name has no attributes:
 * nothing but the directory's own entries is looked at. */
static void stat_ahead(const struct target *t, struct hc_fs_stat *a) {
    static char names[HC_MAX_AHEAD * (NAME_MAX + 1)]; /* calls are serialised */
    if (t->len == 0 || a->names_len > sizeof(names)) return;
    if (guest_copy_in(names, a->names, a->names_len) != 0) return;
    const char *end = names + a->names_len;
    for (const char *name = names; name < end && a->attrs_count < a->attrs_room;) {
        const char *nul = memchr(name, 0, (size_t)(end - name));
        if (nul == NULL || attr_put_entry(a->attrs, a->attrs_count, t->dir, name) != 0) break;
        a->attrs_count++;
        name = nul + 1;
    }
}

int64_t hc_fs_stat(union hc_args *args) {
    struct hc_fs_stat *a = &args->fs_stat;
    struct target t;
    struct statx st;
    a->attrs_count = 0;
    if (a->names_len != 0 && a->attrs_room > HC_MAX_AHEAD) return -EINVAL;
    int64_t r = target_find(&t, &a->p, true);
    if (r != 0) return r;
    r = target_stat(&t, &st);
    if (r != 0) return r;
    if (S_ISLNK(st.stx_mode) && (a->p.flags & HC_NOFOLLOW) == 0) return target_link(&t, &a->p);
    r = attr_put(a->attr, &st);
    if (r == 0 && a->names_len != 0) stat_ahead(&t, a);
    return r;
}

/* truncate(2) needs a descriptor that can write. */
static int64_t set_size(const struct target *t, struct hc_path *p, uint64_t size) {
    struct statx st;
    int64_t r = target_stat(t, &st);
    if (r != 0) return r;
    if (S_ISLNK(st.stx_mode)) return target_link(t, p);
    if (S_ISDIR(st.stx_mode)) return -EISDIR;
    if (!S_ISREG(st.stx_mode)) return -EINVAL;
    int flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    char self[32];
    snprintf(self, sizeof(self), "/proc/self/fd/%d", t->share->fd);
    int fd = t->len == 0 ? open(self, flags & ~O_NOFOLLOW) : openat(t->dir, t->name, flags);
    if (fd < 0) return -errno;
    net_keep_files();
    r = ftruncate(fd, (off_t)size) == 0 ? 0 : -errno;
    close(fd);
    return r;
}

int64_t hc_fs_setattr(union hc_args *args) {
    struct hc_fs_setattr *a = &args->fs_setattr;
    struct hc_attr attr;
    struct target t;
    if (guest_copy_in(&attr, a->attr, sizeof(attr)) != 0) return -EFAULT;
    int64_t r = attr_check(&attr, a->mask);
    if (r == 0) r = target_find(&t, &a->p, false);
    if (r != 0) return r;
    int64_t fd = target_object(&t, &a->p);
    if (fd < 0)
        r = fd;
    else if (t.share->readonly)
        r = -EROFS;
    if (r == 0 && (a->mask & HC_SET_SIZE) != 0) r = set_size(&t, &a->p, attr.size);
    if (r == 0 && a->mask != HC_SET_SIZE) r = attr_apply((int)fd, &attr, a->mask);
    if (fd >= 0) close((int)fd);
    target_done(&t);
    return r;
}

int64_t hc_fs_readlink(union hc_args *args) {
    struct hc_fs_readlink *a = &args->fs_readlink;
    struct target t;
    char text[HC_MAX_PATH];
    int64_t r = target_find(&t, &a->p, true);
    if (r != 0) return r;
    if (t.len == 0) return -EINVAL;
    ssize_t n = readlinkat(t.dir, t.name, text, sizeof(text));
    if (n < 0) return -errno;
    if ((uint64_t)n > a->len) n = (ssize_t)a->len;
    return guest_copy_out(a->buf, text, (uint64_t)n) == 0 ? n : -EFAULT;
}

int64_t hc_fs_mkdir(union hc_args *args) {
    struct hc_fs_mkdir *a = &args->fs_mkdir;
    struct target t;
    uint32_t type = a->mode & S_IFMT, mode = a->mode & 07777;
    bool node = type == S_IFIFO || type == S_IFREG || type == S_IFSOCK;
    if (!node && type != 0 && type != S_IFDIR) return -EPERM;
    int64_t r = change_find(&t, &a->p, EEXIST);
    if (r != 0) return r;
    int result = node ? mknodat(t.dir, t.name, type | mode, 0) : mkdirat(t.dir, t.name, mode);
    return finish(&t, result);
}

int64_t hc_fs_unlink(union hc_args *args) {
    struct hc_fs_unlink *a = &args->fs_unlink;
    struct target t;
    int64_t r = change_find(&t, &a->p, EBUSY);
    if (r != 0) return r;
    return finish(&t, unlinkat(t.dir, t.name, (a->p.flags & HC_RMDIR) != 0 ? AT_REMOVEDIR : 0));
}

int64_t hc_fs_symlink(union hc_args *args) {
    struct hc_fs_symlink *a = &args->fs_symlink;
    struct target t;
    char text[HC_MAX_PATH];
    if (a->target_len == 0) return -ENOENT;
    if (a->target_len >= sizeof(text)) return -ENAMETOOLONG;
    if (guest_copy_in(text, a->target, a->target_len) != 0) return -EFAULT;
    text[a->target_len] = 0;
    for (uint32_t i = 0; i < a->target_len; i++)
        if (text[i] == 0) return -EINVAL;
    int64_t r = change_find(&t, &a->p, EEXIST);
    if (r != 0) return r;
    return finish(&t, symlinkat(text, t.dir, t.name));
}

/* Both names of a link or rename call; on 0 both need target_done. */
static int64_t find_two(struct hc_fs_two *a, struct target *from, struct target *to) {
    int64_t r = target_find(from, &a->p, false);
    if (r != 0) return r;
    r = target_find_second(to, &a->p, a->path2, a->len2);
    if (r == 0) {
        if (from->share->readonly)
            r = -EROFS;
        else if (from->len == 0 || to->len == 0)
            r = -EBUSY;
        if (r != 0) target_done(to);
    }
    if (r != 0) target_done(from);
    return r;
}

int64_t hc_fs_link(union hc_args *args) {
    struct hc_fs_two *a = &args->fs_two;
    struct target from, to;
    int64_t r = find_two(a, &from, &to);
    if (r != 0) return r;
    r = finish(&from, linkat(from.dir, from.name, to.dir, to.name, 0));
    target_done(&to);
    return r;
}

int64_t hc_fs_rename(union hc_args *args) {
    struct hc_fs_two *a = &args->fs_two;
    struct target from, to;
    if ((a->flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0) return -EINVAL;
    int64_t r = find_two(a, &from, &to);
    if (r != 0) return r;
    r = finish(&from, renameat2(from.dir, from.name, to.dir, to.name, a->flags));
    target_done(&to);
    return r;
}

int64_t hc_fs_statfs(union hc_args *args) {
    struct hc_fs_statfs *a = &args->fs_statfs;
    struct target t;
    struct statfs st;
    int64_t r = target_find(&t, &a->p, false);
    if (r != 0) return r;
    int64_t fd = target_object(&t, &a->p);
    target_done(&t);
    if (fd < 0) return fd;
    r = fstatfs((int)fd, &st) == 0 ? guest_copy_out(a->buf, &st, sizeof(st)) : -errno;
    close((int)fd);
    return r;
}
