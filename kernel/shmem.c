/* SPDX-License-Identifier: MIT */
/* Memory as a file without a name: a regular file of ramfs that is in no directory.  Owns the
 * mount that such files report as theirs.  memfd_create(2). */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/hugetlb.h>
#include <kernel/mm.h>
#include <kernel/process.h>
#include <kernel/shmem.h>
#include <kernel/string.h>

#include "ramfs.h"

#define WRITE_SEALS (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)
#define ALL_SEALS                                                                                  \
    (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC)

static char root_path[] = "/";
static struct ramfs shmem_fs;
static struct mount shmem_mount = {.ops = &ramfs_ops,
                                   .path = root_path,
                                   .path_len = 1,
                                   .type = "tmpfs",
                                   .id = 1,
                                   .priv = &shmem_fs};

struct file *shmem_create(const char *path, uint64_t size, uint32_t mode, uint32_t seals) {
    struct rnode *n = rnode_new(&shmem_fs, S_IFREG | mode, NULL);
    if (n == NULL) return NULL;
    n->uid = current_process()->euid;
    n->gid = current_process()->egid;
    n->nlink = 0;
    n->seals = seals;
    n->size = size;
    struct file *f = file_new(&ramfs_regular_ops, O_RDWR | O_LARGEFILE, S_IFREG);
    if (f != NULL) {
        f->priv = n;
        n->opens++;
        f->mnt = &shmem_mount;
        f->path = kstrdup(path);
    }
    if (f != NULL && f->path != NULL) return f;
    if (f != NULL)
        file_put(f);
    else
        rnode_put(n);
    return NULL;
}

static struct rnode *node_of(const struct file *f) {
    return f->ops->page == rdata_map || hugetlb_page_size(f) != 0 ? f->priv : NULL;
}

int shmem_seals(const struct file *f) {
    const struct rnode *n = node_of(f);
    return n != NULL ? (int)n->seals : -EINVAL;
}

int shmem_add_seals(struct file *f, uint32_t seals) {
    struct rnode *n = node_of(f);
    if (n == NULL || (f->flags & O_ACCMODE) == O_RDONLY) return n == NULL ? -EINVAL : -EPERM;
    if (seals & ~(uint32_t)ALL_SEALS) return -EINVAL;
    if (n->seals & F_SEAL_SEAL) return -EPERM;
    if ((seals & F_SEAL_WRITE) && !(n->seals & F_SEAL_WRITE) && rnode_written_by_mapping(n)) {
        return -EBUSY;
    }
    /* An executable that can no longer lose its execute bits cannot be written any more either. */
    if ((seals & F_SEAL_EXEC) && (n->mode & 0111)) {
        seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
    }
    n->seals |= seals;
    return 0;
}

int shmem_may_share(const struct file *f, uint32_t prot, bool *read_only) {
    const struct rnode *n = node_of(f);
    *read_only = n != NULL && (n->seals & WRITE_SEALS);
    return *read_only && (prot & PROT_WRITE) ? -EPERM : 0;
}
