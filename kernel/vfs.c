/* SPDX-License-Identifier: MIT */
/* Path operations that read or change one object: stat, readlink, chmod and the like, access. */
#include <hermit/linux_abi.h>
#include <kernel/creds.h>
#include <kernel/notify.h>
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/string.h>

#include "vfs_walk.h"

int vfs_stat(struct vpath *p, bool follow, struct hc_attr *attr) {
    int r = vfs_resolve(p, follow || p->must_be_dir, attr);

    if (!r && p->must_be_dir && !S_ISDIR(attr->mode)) return -ENOTDIR;
    return r;
}

int64_t vfs_readlink(struct vpath *p, char *buf, uint64_t size) {
    struct vfs_walk w;
    struct hc_attr attr;
    int r;

    if (p->must_be_dir) { /* "link/" means the directory that it leads to */
        r = vfs_stat(p, true, &attr);
        return r ? r : -EINVAL;
    }
    r = walk_begin(&w, p);
    if (r) return r;
    do
        r = (int)p->mnt->ops->readlink(p->mnt, p->rel, buf, size, w.link);
    while (walk_again(&w, &r));
    walk_end(&w);
    return r;
}

/* truncate(2)'s own checks: what it refuses before the file system is asked. */
static int check_truncate(struct vpath *p, const struct hc_attr *wanted) {
    struct hc_attr attr;
    int r = vfs_stat(p, true, &attr);

    if (r) return r;
    if (S_ISDIR(attr.mode)) return -EISDIR;
    if (!S_ISREG(attr.mode)) return -EINVAL;
    if (wanted->size > current_process()->limits[RLIMIT_FSIZE].rlim_cur &&
        wanted->size > attr.size) {
        signal_send(SIGXFSZ, NULL);
        return -EFBIG;
    }
    return 0;
}

static int try_setattr(struct vpath *p, bool follow, const struct hc_attr *attr, uint32_t mask,
                       struct vfs_link *link) {
    struct hc_attr old;
    int r = 0;

    /* chown(path, -1, -1) changes nothing, but looks. */
    if (p->mnt->readonly || !mask) r = p->mnt->ops->stat(p->mnt, p->rel, follow, &old, link);
    if (!r && p->mnt->readonly) r = -EROFS;
    if (r || !mask) return r;
    return p->mnt->ops->setattr ? p->mnt->ops->setattr(p->mnt, p->rel, follow, attr, mask, link)
                                : -EPERM;
}

int vfs_setattr(struct vpath *p, bool follow, const struct hc_attr *attr, uint32_t mask) {
    struct vfs_walk w;
    struct hc_attr old;
    int r = 0;

    if (mask & HC_SET_SIZE)
        r = check_truncate(p, attr);
    else if (p->must_be_dir)
        r = vfs_stat(p, follow, &old);
    if (r) return r;
    r = walk_begin(&w, p);
    if (r) return r;
    do
        r = try_setattr(p, follow || p->must_be_dir, attr, mask, w.link);
    while (walk_again(&w, &r));
    walk_end(&w);
    if (!r) notify_setattr(NULL, p, mask);
    return r;
}

int vfs_statfs(struct vpath *p, struct statfs *out) {
    struct vfs_walk w;
    struct hc_attr attr;
    int r = p->must_be_dir ? vfs_stat(p, true, &attr) : 0;

    if (r) return r;
    r = walk_begin(&w, p);
    if (r) return r;
    do
        r = p->mnt->ops->statfs ? p->mnt->ops->statfs(p->mnt, p->rel, out, w.link) : -ENOSYS;
    while (walk_again(&w, &r));
    walk_end(&w);
    return r;
}

int vfs_canonical_dir(struct vpath *p) {
    struct hc_attr attr;
    int r = vfs_resolve(p, true, &attr);

    if (r) return r;
    if (!S_ISDIR(attr.mode)) return -ENOTDIR;
    return vfs_permission(&attr, 1); /* X_OK */
}

int vfs_access(struct vpath *p, int amode, bool follow) {
    struct hc_attr attr;
    int r = vfs_stat(p, follow, &attr);

    if (r || amode == 0) return r;
    r = vfs_permission(&attr, amode);
    if (r) return r;
    /* A read-only mount protects its files, not the devices and pipes that they may name. */
    if ((amode & 2) && p->mnt->readonly &&
        (S_ISREG(attr.mode) || S_ISDIR(attr.mode) || S_ISLNK(attr.mode)))
        return -EROFS;
    return 0;
}

int vfs_permission(const struct hc_attr *attr, int amode) {
    const struct process *proc = current_process();
    uint32_t bits = attr->mode;
    bool dir = S_ISDIR(attr->mode);

    if (S_ISLNK(attr->mode)) return 0;
    if (proc->fsuid == attr->uid)
        bits >>= 6;
    else if (creds_in_group(proc, attr->gid))
        bits >>= 3;
    if (!(amode & ~bits & 7)) return 0;
    if ((dir ? !(amode & 2) : amode == 4) && process_capable(CAP_DAC_READ_SEARCH)) return 0;
    /* Not even root runs a file that nobody may run. */
    if ((amode & 1) && !dir && !(attr->mode & 0111)) return -EACCES;
    return process_capable(CAP_DAC_OVERRIDE) ? 0 : -EACCES;
}
