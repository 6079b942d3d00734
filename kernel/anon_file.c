/* SPDX-License-Identifier: MIT */
/* What files without a name have in common.  Owns nothing. */
#include <hermit/linux_abi.h>
#include <kernel/anon_file.h>
#include <kernel/heap.h>

#define ANON_DEV 0x0e /* st_dev; all of them are one inode, as in Linux */
#define ANON_INO 1024

struct file *anon_file(const struct file_ops *ops, uint32_t flags, void *priv) {
    struct file *f = file_new(ops, O_RDWR | (flags & O_NONBLOCK), 0);
    if (f == NULL)
        kfree(priv);
    else
        f->priv = priv;
    return f;
}

int anon_getattr(struct file *f, struct hc_attr *attr) {
    *attr = (struct hc_attr){
        .ino = ANON_INO, .dev = ANON_DEV, .nlink = 1, .mode = 0600, .blksize = PAGE_SIZE};
    return 0;
}

/* There is no position, and asking for one is no error. */
int64_t anon_seek(struct file *f, int64_t offset, int whence) { return 0; }
