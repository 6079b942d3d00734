/* SPDX-License-Identifier: MIT */
/* Files, mounts and path resolution.
 *
 * A canonical path is absolute, has no ".", "..", "//" or trailing '/', and no symbolic link
 * except possibly its last component.  A mount covers the canonical prefix mnt->path; a file
 * system sees the rest (`rel`, no leading '/', "" is the mount's root).  File systems follow no
 * symbolic links: they report them (HC_SYMLINK) and the VFS splices the target and tries again,
 * so links may cross mounts.  Nothing here is cached: the host may change files at any time. */
#ifndef KERNEL_VFS_H
#define KERNEL_VFS_H

#include <kernel/types.h>

struct uio;
struct host_lock;
struct pipe;
struct lock_node;
struct file;
struct mount;
struct vpath;
struct xattr_call;
struct statfs;
struct hermit_boot;
struct waitq;
struct epitem;
struct file_owner;
struct rewritten;

/* Where a file system met a symbolic link. */
struct vfs_link {
    uint32_t consumed; /* bytes of rel up to and including the link's name */
    uint32_t len;      /* bytes of text, no NUL */
    char text[HC_MAX_PATH];
};

/* Operations on an open file.  NULL members: the VFS returns the errno that Linux would (EINVAL,
 * ENOTDIR, ESPIPE, ENOTTY, ...).  All return >= 0 or -errno. */
struct file_ops {
    bool async;       /* says by a signal that it is ready if asked to (O_ASYNC) */
    const char *kind; /* of a file without a name or type, as /proc/self/fd says; else NULL */
    /* *pos is the offset to use and is advanced by the operation; streams ignore it. */
    int64_t (*read)(struct file *f, const struct uio *u, int64_t *pos);
    int64_t (*write)(struct file *f, const struct uio *u, int64_t *pos);
    int64_t (*seek)(struct file *f, int64_t offset, int whence);  /* NULL: generic, by size */
    int64_t (*getdents)(struct file *f, gva_t buf, uint64_t len); /* linux_dirent64 */
    int (*getattr)(struct file *f, struct hc_attr *attr);
    int (*setattr)(struct file *f, const struct hc_attr *attr, uint32_t mask); /* hc_setattr_mask */
    int64_t (*ioctl)(struct file *f, uint32_t request, gva_t arg);
    uint32_t (*poll)(struct file *f); /* POLL* now; NULL: always ready */
    /* The queue that is woken when poll()'s answer may have changed; NULL: no queue (the file is
     * always ready, or a host handle tells). */
    struct waitq *(*waitq)(struct file *f);
    uint32_t (*wait_handle)(struct file *f); /* host handle to wait on, or NO_HANDLE */
    struct pipe *(*pipe)(struct file *f);    /* the pipe that this is an end of; NULL: is none */
    int (*sync)(struct file *f, bool datasync);
    /* Writes back the whole file system; NULL: it is in memory. */
    int (*syncfs)(struct file *f);
    int (*allocate)(struct file *f, int mode, int64_t offset, int64_t len);
    /* The page frame or file-window page that holds byte offset (page-aligned) for mmap; a RAM
     * frame is returned with a reference.  -ENXIO past end of file. */
    int (*page)(struct file *f, uint64_t offset, bool shared_write, gpa_t *out);
    /* Fills frames with what the file has from byte offset on, if that takes no disk: bytes, or
     * -errno.  NULL: page() serves as well. */
    int64_t (*read_frames)(struct file *f, uint64_t offset, const struct hc_seg *segs,
                           uint32_t count);
    void (*mapped)(struct file *f); /* mmap(2) has used it; NULL: that changes nothing */
    int (*statfs)(struct file *f, gpa_t buf);
    /* Takes or asks for a lock where others than the guest can see it (kernel/filelock.h); NULL:
     * nobody else sees the file. */
    int64_t (*lock)(struct file *f, struct host_lock *l);
    /* Extended attributes (kernel/xattr.h); also of an O_PATH file. */
    int64_t (*xattr)(struct file *f, const struct xattr_call *c);
    /* Opens the object once more for /proc/self/fd/N: fills out->ops and priv, out->flags is set.
     * NULL: by path, or, without a path, `out` shares this open file. */
    int (*reopen)(struct file *f, struct file *out);
    /* linkat(2) of an open file (AT_EMPTY_PATH, O_TMPFILE) to a name on its own mount. */
    int (*link)(struct file *f, struct mount *m, const char *new_rel);
    /* What the host's cache of rewritten objects has for the file (kernel/rewrite.h), without a
     * head if it does not know the file; NULL: it is no object or has no sites.  executed: it is
     * about to be mapped as text; otherwise only if that is likely. */
    const struct rewritten *(*rewritten)(struct file *f, bool executed);
    /* A file of the host's: its handle, and how many bytes there are from pos on now.  NULL, or
     * -EOPNOTSUPP: not such a file. */
    int64_t (*host_piece)(struct file *f, int64_t pos, uint32_t *handle);
    void (*release)(struct file *f);
};

struct file {
    const struct file_ops *ops;
    uint32_t refs;
    uint32_t flags;          /* O_* status flags and access mode */
    uint32_t mode;           /* S_IF* type bits */
    bool unlinked;           /* for notify.c: the name in path is no longer this file's */
    int64_t pos;             /* bytes */
    struct mount *mnt;       /* NULL for pipes and the like */
    char *path;              /* canonical guest path, owned; NULL for pipes and the like */
    struct lock_node *locks; /* of filelock.c; NULL: never locked through this open file */
    void *priv;              /* of ops */
    uint64_t priv2;
    struct epitem *watches;   /* entries of epoll sets */
    struct file_owner *owner; /* of file_owner.c; NULL: nobody is told by a signal */
};

/* Operations on paths.  Each may return HC_SYMLINK with *link filled when a component other than
 * the last is a symbolic link, or the last one where `follow`.  All run on one mount. */
struct fs_ops {
    bool keeps_trusted; /* has attributes trusted.* (kernel/xattr.h): nobody else sees its files */
    int (*stat)(struct mount *m, const char *rel, bool follow, struct hc_attr *a,
                struct vfs_link *l);
    /* Fills out->ops, priv, mode (flags are set by the caller). O_NOFOLLOW as open(2).  1 instead
     * of 0: mnt and path are set too (/proc/self/fd/N opens an object of another mount). */
    int (*open)(struct mount *m, const char *rel, uint32_t flags, uint32_t mode, struct file *out,
                struct vfs_link *l);
    int64_t (*readlink)(struct mount *m, const char *rel, char *buf, uint64_t size,
                        struct vfs_link *l);
    int (*setattr)(struct mount *m, const char *rel, bool follow, const struct hc_attr *a,
                   uint32_t mask, struct vfs_link *l);
    /* mode with type bits: S_IFDIR mkdir, S_IFIFO/S_IFREG/S_IFSOCK mknod. */
    int (*mknod)(struct mount *m, const char *rel, uint32_t mode, uint64_t rdev,
                 struct vfs_link *l);
    int (*unlink)(struct mount *m, const char *rel, bool rmdir, struct vfs_link *l);
    int (*symlink)(struct mount *m, const char *target, const char *rel, struct vfs_link *l);
    /* Parents of both are already free of links. */
    int (*link)(struct mount *m, const char *rel, const char *new_rel);
    int (*rename)(struct mount *m, const char *rel, const char *new_rel, uint32_t flags);
    int (*statfs)(struct mount *m, const char *rel, struct statfs *out, struct vfs_link *l);
    /* The open file that a link of /proc/self/fd stands for (borrowed), or NULL; may be absent. */
    struct file *(*magic_link)(struct mount *m, const char *rel);
};

struct mount {
    struct mount *next;
    const struct fs_ops *ops;
    char *path; /* canonical guest path of the mount point, "/" for the root */
    uint32_t path_len;
    bool readonly;    /* the VFS answers EROFS for every change */
    bool is_file;     /* the mount's root is not a directory */
    const char *type; /* as in /proc/mounts */
    uint32_t id;      /* st_dev of in-guest file systems */
    void *priv;
};

/* Mounts fs at `path` (canonical; copied).  Later mounts win over earlier ones at equal length. */
struct mount *vfs_mount(const struct fs_ops *ops, const char *path, const char *type, void *priv);
struct mount *vfs_first_mount(void);

/* What the last component of the program's string was. */
enum vpath_last { VPATH_ROOT, VPATH_NAME, VPATH_DOT, VPATH_DOTDOT };

/* A path on its way: canonical text and, at any time, the mount that covers it. */
struct vpath {
    char text[HC_MAX_PATH];
    struct mount *mnt;
    const char *rel;    /* into text */
    bool must_be_dir;   /* trailing '/', or the last component was "." or ".." */
    uint8_t last;       /* enum vpath_last */
    uint8_t links;      /* symbolic links followed so far */
    uint8_t resolve;    /* RESOLVE_* of openat2(2) */
    uint16_t floor;     /* bytes of text that ".." and absolute links do not leave: the directory of
                         * RESOLVE_BENEATH and RESOLVE_IN_ROOT, else 0 */
    struct mount *only; /* RESOLVE_NO_XDEV: the mount to stay on, once it is known */
};

#define VFS_AT_CWD (-100)

/* Starts a walk: joins dirfd (or the cwd) and the program's string.  AT_EMPTY_PATH is the caller's
 * affair.  -ENOENT for "", -ENAMETOOLONG, -EBADF, -ENOTDIR. ".." is resolved through links. */
int vfs_path_user(struct vpath *p, int dirfd, gva_t user_path);
int vfs_path(struct vpath *p, int dirfd, const char *path);
/* As vfs_path_user, within the bounds of openat2(2): RESOLVE_*. */
int vfs_path_resolve(struct vpath *p, int dirfd, gva_t user_path, uint32_t resolve);

/* Path operations with Linux semantics (links followed, mounts crossed, EROFS, O_CREAT, ...). */
int vfs_open(struct vpath *p, uint32_t flags, uint32_t mode, struct file **out);
int vfs_stat(struct vpath *p, bool follow, struct hc_attr *attr);
int64_t vfs_readlink(struct vpath *p, char *buf, uint64_t size);
int vfs_setattr(struct vpath *p, bool follow, const struct hc_attr *attr, uint32_t mask);
int vfs_mknod(struct vpath *p, uint32_t mode, uint64_t rdev);
int vfs_unlink(struct vpath *p, bool rmdir);
int vfs_symlink(const char *target, struct vpath *p);
int vfs_link(struct vpath *from, struct vpath *to, bool follow);
/* linkat(2) with AT_EMPTY_PATH. */
int vfs_link_file(struct file *f, struct vpath *to);
int vfs_rename(struct vpath *from, struct vpath *to, uint32_t flags);
int vfs_statfs(struct vpath *p, struct statfs *out);
/* Resolves to a directory and replaces p->text with its canonical, link-free path (chdir). */
int vfs_canonical_dir(struct vpath *p);
/* access(2): R_OK|W_OK|X_OK against the effective ids. */
int vfs_access(struct vpath *p, int amode, bool follow);
/* 0 or -EACCES for `amode` on an object with these attributes. */
int vfs_permission(const struct hc_attr *attr, int amode);

/* Open files. */
struct file *file_new(const struct file_ops *ops, uint32_t flags, uint32_t mode);
struct file *file_ref(struct file *f);
void file_put(struct file *f);
/* Has it no positions? */
bool file_is_stream(struct file *f);
int64_t file_read(struct file *f, const struct uio *u); /* at f->pos */
int64_t file_write(struct file *f, const struct uio *u);
int64_t file_pread(struct file *f, const struct uio *u, int64_t pos);
int64_t file_pwrite(struct file *f, const struct uio *u, int64_t pos);
int64_t file_seek(struct file *f, int64_t offset, int whence);
int file_getattr(struct file *f, struct hc_attr *attr);
int file_setattr(struct file *f, const struct hc_attr *attr, uint32_t mask);
uint32_t file_poll(struct file *f);
struct waitq *file_waitq(struct file *f); /* or NULL */
int64_t file_getdents(struct file *f, gva_t buf, uint64_t len);
int64_t file_ioctl(struct file *f, uint32_t request, gva_t arg);
int file_sync(struct file *f, bool datasync);
int file_syncfs(struct file *f);
/* sync(2): all that has been written to the host. */
void vfs_sync(void);
int file_allocate(struct file *f, int mode, int64_t offset, int64_t len);
int file_statfs(struct file *f, struct statfs *out);
/* Reads len bytes at pos into kernel memory; bytes read or -errno. */
int64_t file_read_kernel(struct file *f, void *buf, uint64_t len, int64_t pos);

/* File systems and files that the kernel provides; each in its own source file. */
extern const struct fs_ops hostfs_ops; /* priv: share number */
extern const struct fs_ops ramfs_ops;  /* priv: struct ramfs * */
extern const struct fs_ops devfs_ops;
extern const struct fs_ops tree_ops; /* priv: one of the trees */
struct tree;
extern const struct tree procfs_tree, sysfs_tree, cgroupfs_tree, devpts_tree, resolv_tree;
struct ramfs;
struct ramfs *ramfs_create(void);
/* Handle 0, 1 or 2 of the loader as an open file. */
struct file *hostfs_stdio(uint32_t handle);
/* Closes a handle that a file_ops.lock opened. */
void hostfs_close_handle(uint32_t handle);
/* Some mapped page of a host file is gone: all are to be mapped anew when they are used. */
void hostfs_remap_all(void);
/* Handles that are to be closed before a sleep: how many, at out (HC_MAX_CLOSE). */
uint32_t hostfs_take_closes(uint32_t *out);
/* The boot program, already open and possibly mapped. */
struct file *hostfs_boot_program(void);
int pipe_create(struct file *ends[2], uint32_t flags);
/* Mount table, working directory and descriptors 0 to 2 of a fresh boot. */
void vfs_boot(const struct hermit_boot *boot);

#endif
