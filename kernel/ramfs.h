/* SPDX-License-Identifier: MIT */
/* Private to ramfs*.c and vfs_boot.c: nodes, directories and data of the in-memory file system. */
#ifndef RAMFS_H
#define RAMFS_H

#include <bsd/sys/tree.h>
#include <kernel/vfs.h>

struct pipe;
struct ramfs;
struct rnode;

/* One name in a directory. */
struct rname {
    RB_ENTRY(rname) by_name;
    RB_ENTRY(rname) by_cookie;
    uint64_t cookie; /* position of getdents64; grows, so that it survives other changes */
    struct rnode *node;
    uint8_t len;
    char name[];
};

RB_HEAD(rname_tree, rname);
RB_HEAD(rcookie_tree, rname);

struct rnode {
    struct ramfs *fs;
    uint64_t ino;
    uint32_t mode, uid, gid;
    uint32_t nlink;
    uint32_t opens;  /* open files; a node without links lives as long as they do */
    uint32_t height; /* S_IFREG: levels of index above the data frames */
    uint32_t seals;  /* S_IFREG: F_SEAL_* */
    bool mapped;     /* S_IFREG: pages were handed out for mmap(2) */
    int64_t atime, mtime, ctime, btime; /* ns */
    uint64_t size;                      /* bytes; directories: number of names */
    uint64_t pages;                     /* data frames held */
    struct rxattr *xattrs;              /* owned */
    union {
        gpa_t index;       /* S_IFREG: index frame, or at height 0 the only data frame; 0: hole */
        char *target;      /* S_IFLNK, NUL-terminated */
        struct pipe *pipe; /* S_IFIFO: while somebody has it open */
        struct {
            struct rname_tree names;
            struct rcookie_tree cookies;
            struct rnode *parent;
            uint64_t next_cookie;
        } dir;
    };
};

struct ramfs {
    struct rnode *root; /* NULL until somebody looks */
    uint32_t root_mode;
    uint64_t next_ino;
    uint64_t nodes;
    /* Called once, when the root has just been made. */
    void (*populate)(struct ramfs *fs, struct mount *m);
};

/* Where a path leads. */
struct rwalk {
    struct rnode *dir;   /* holds the last component; NULL: the path is the root */
    struct rname *entry; /* NULL: no such name, or the root */
    struct rnode *node;  /* NULL: no such name */
    const char *name;    /* the last component, within rel */
    uint32_t len;
};

/* Looks rel up; the last component may be missing (node NULL).  0, -errno or HC_SYMLINK; link
 * NULL: symbolic links on the way are an error. */
int ramfs_walk(struct mount *m, const char *rel, bool follow, struct rwalk *w,
               struct vfs_link *link);
struct rnode *ramfs_root(struct mount *m);

/* Nodes. */
struct rnode *rnode_new(struct ramfs *fs, uint32_t mode, const struct rnode *parent);
/* Frees the node if nothing holds it any more. */
void rnode_put(struct rnode *n);
void rnode_attr(const struct mount *m, const struct rnode *n, struct hc_attr *attr);
int rnode_permission(const struct rnode *n, int amode);
int rnode_setattr(struct rnode *n, const struct hc_attr *attr, uint32_t mask);
/* The contents changed now (mtime, ctime). */
void rnode_touch(struct rnode *n);
/* Contents were read: atime as with relatime. */
void rnode_accessed(struct rnode *n);
/* A write by somebody other than root drops set-id bits. */
void rnode_drop_privileges(struct rnode *n);

/* Extended attributes. */
int64_t ramfs_xattr(struct file *f, const struct xattr_call *c);
void rxattr_free(struct rnode *n);

/* Directories.  rdir_add takes the link (nlink is the caller's affair). */
struct rname *rdir_find(struct rnode *dir, const char *name, uint32_t len);
int rdir_add(struct rnode *dir, const char *name, uint32_t len, struct rnode *node);
void rdir_remove(struct rnode *dir, struct rname *entry);
int64_t rdir_getdents(struct file *f, gva_t buf, uint64_t len);
int64_t rdir_seek(struct file *f, int64_t offset, int whence);

/* File data. */
/* The frame of page number `page`, or 0 for a hole or, with create, when memory is exhausted. */
gpa_t rdata_page(struct rnode *n, uint64_t page, bool create);
/* -EPERM if a seal forbids it.  Mappings lose the pages that go. */
int rdata_truncate(struct rnode *n, uint64_t size);
void rdata_free(struct rnode *n);
int64_t rdata_read(struct file *f, const struct uio *u, int64_t *pos);
int64_t rdata_write(struct file *f, const struct uio *u, int64_t *pos);
int64_t rdata_seek(struct file *f, int64_t offset, int whence);
int rdata_allocate(struct file *f, int mode, int64_t offset, int64_t len);
/* Whether a shared mapping may write to it. */
bool rnode_written_by_mapping(const struct rnode *n);
int rdata_map(struct file *f, uint64_t offset, bool shared_write, gpa_t *out);
void rdata_mapped(struct file *f);

/* Names: the changing half of fs_ops. */
int ramfs_mknod(struct mount *m, const char *rel, uint32_t mode, uint64_t rdev, struct vfs_link *l);
int ramfs_symlink(struct mount *m, const char *target, const char *rel, struct vfs_link *l);
int ramfs_unlink(struct mount *m, const char *rel, bool rmdir, struct vfs_link *l);
int ramfs_link(struct mount *m, const char *rel, const char *new_rel);
int ramfs_link_file(struct file *f, struct mount *m, const char *new_rel);
int ramfs_rename(struct mount *m, const char *rel, const char *new_rel, uint32_t flags);
/* A new node with one name in w->dir; *out receives it. */
int ramfs_create_at(const struct rwalk *w, uint32_t mode, struct rnode **out);

/* Open files. */
extern const struct file_ops ramfs_regular_ops;
int ramfs_open(struct mount *m, const char *rel, uint32_t flags, uint32_t mode, struct file *out,
               struct vfs_link *l);
void ramfs_statfs_fill(const struct ramfs *fs, struct statfs *out);

/* mkdir -p (or, for its last component, an empty file) and symlink for boot: no permission checks,
 * existing names are kept. */
int ramfs_plant(struct mount *m, const char *rel, bool is_file, const char *target);

#endif
