/* SPDX-License-Identifier: MIT */
/* Files of huge pages from a pool that is empty, as on a Linux machine where nobody has reserved
 * any: they have a size, seals and nothing else; whoever maps one is told that there is no memory.
 * memfd_create(2) with MFD_HUGETLB. */
#include <hermit/linux_abi.h>
#include <kernel/frame.h>
#include <kernel/hugetlb.h>
#include <kernel/shmem.h>
#include <kernel/string.h>

#include "ramfs.h"

#define HUGETLBFS_MAGIC 0x958458f6

static int no_page(struct file *f, uint64_t offset, bool shared_write, gpa_t *out) {
    return -ENOMEM;
}

uint64_t hugetlb_page_size(const struct file *f) { return f->ops->page == no_page ? f->priv2 : 0; }

uint64_t hugetlb_size(uint32_t log) {
    if (log == 0) log = HUGETLB_LOG_DEFAULT;
    return log == HUGETLB_LOG_DEFAULT || log == HUGETLB_LOG_1G ? 1ULL << log : 0;
}

static int huge_getattr(struct file *f, struct hc_attr *attr) {
    int r = ramfs_regular_ops.getattr(f, attr);
    attr->blksize = (uint32_t)f->priv2;
    return r;
}

static int huge_setattr(struct file *f, const struct hc_attr *attr, uint32_t mask) {
    if ((mask & HC_SET_SIZE) && attr->size & (f->priv2 - 1)) return -EINVAL;
    return ramfs_regular_ops.setattr(f, attr, mask);
}

static int huge_allocate(struct file *f, int mode, int64_t offset, int64_t len) {
    const struct rnode *n = f->priv;
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) return -EOPNOTSUPP;
    if (mode & FALLOC_FL_PUNCH_HOLE) /* there are only holes */
        return n->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) ? -EPERM : 0;
    if ((n->seals & F_SEAL_GROW) && (uint64_t)offset + (uint64_t)len > n->size) return -EPERM;
    return -ENOSPC;
}

static int huge_statfs(struct file *f, gpa_t buf) {
    struct statfs *s = frame_ptr(buf);
    int r = ramfs_regular_ops.statfs(f, buf);
    s->f_type = HUGETLBFS_MAGIC;
    s->f_bsize = s->f_frsize = (int64_t)f->priv2;
    s->f_blocks = s->f_bfree = s->f_bavail = s->f_files = s->f_ffree = 0;
    return r;
}

static int huge_reopen(struct file *f, struct file *out) {
    int r = ramfs_regular_ops.reopen(f, out);
    if (r == 0 && out->ops == &ramfs_regular_ops) {
        out->ops = f->ops;
        out->priv2 = f->priv2;
    }
    return r;
}

/* ramfs's operations where the contents do not matter: no writing, generic seeking. */
static const struct file_ops *huge_ops(void) {
    static struct file_ops ops;
    ops = ramfs_regular_ops;
    ops.write = NULL;
    ops.seek = NULL;
    ops.mapped = NULL;
    ops.link = NULL;
    ops.page = no_page;
    ops.getattr = huge_getattr;
    ops.setattr = huge_setattr;
    ops.allocate = huge_allocate;
    ops.statfs = huge_statfs;
    ops.reopen = huge_reopen;
    return &ops;
}

struct file *hugetlb_create(const char *path, uint64_t page_size, uint32_t mode, uint32_t seals) {
    struct file *f = shmem_create(path, 0, mode, seals);
    if (f == NULL) return NULL;
    f->ops = huge_ops();
    f->priv2 = page_size;
    return f;
}
