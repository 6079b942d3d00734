/* SPDX-License-Identifier: MIT */
/* Inside hostfs: an open host file and the operations shared by its source files. */
#ifndef KERNEL_HOSTFS_H
#define KERNEL_HOSTFS_H

#include <hermit/linux_abi.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>

/* A piece of the file in guest-physical space.  Lives until the file is released: page tables
 * may refer to it as long as a VMA holds the file. */
struct hostfs_window {
    struct hostfs_window *next;
    uint64_t offset, len; /* bytes, whole pages */
    gpa_t gpa;
    bool writable;
    bool of_boot; /* the loader made it; it stays */
};

enum hostfs_tty { TTY_UNKNOWN, TTY_YES, TTY_NO };

/* struct file's priv. */
struct hostfs_file {
    uint32_t handle; /* NO_HANDLE: only the boot program's window */
    bool stdio;      /* the position is the handle's, shared with the host */
    bool is_program; /* reads and attributes come from the boot block */
    bool no_windows; /* the engine cannot map files */
    bool at_end;     /* getdents has delivered the last entry; f->pos is there */
    uint8_t tty;     /* enum hostfs_tty */
    uint64_t size;   /* as last seen, bytes */
    struct hostfs_window *windows;
    gpa_t *pages; /* without windows: the frames that hold the file, by page number, 0: none */
    uint64_t page_count;
};

static inline struct hostfs_file *hostfs_file(const struct file *f) {
    return (struct hostfs_file *)f->priv;
}

/* hostfs_file.c */
extern const struct file_ops hostfs_regular_ops, hostfs_dir_ops, hostfs_object_ops;
const struct file_ops *hostfs_ops_for(uint32_t mode, uint32_t flags);
int hostfs_getattr(struct file *f, struct hc_attr *attr);
int hostfs_setattr(struct file *f, const struct hc_attr *attr, uint32_t mask);
int hostfs_sync(struct file *f, bool datasync);
int hostfs_statfs(struct file *f, gpa_t buf);
void hostfs_release(struct file *f);
/* The host call was interrupted: true if a signal is there to be delivered. */
bool hostfs_interrupted(void);

/* hostfs_io.c.  Moves bytes [from, u->len) in as few calls as possible, until one is short.
 * offset: of byte `from` in the file, -1: the handle's own position; *pos, where not NULL,
 * receives the position that the host reports.  Bytes moved, or -errno if none. */
struct hostfs_move {
    bool write;
    uint32_t flags; /* enum hc_io_flags */
    uint64_t from;
    int64_t offset;
    int64_t *pos;
};
int64_t hostfs_move(struct file *f, const struct uio *u, const struct hostfs_move *m);
int64_t hostfs_read(struct file *f, const struct uio *u, int64_t *pos);
int64_t hostfs_write(struct file *f, const struct uio *u, int64_t *pos);

/* hostfs_stream.c: pipes, terminals, sockets, devices. */
extern const struct file_ops hostfs_stream_ops;
/* Sleeps until the handle has one of `events`: 0 or -ERESTARTSYS. */
int hostfs_wait(uint32_t handle, uint16_t events);

/* hostfs_tty.c */
int64_t hostfs_ioctl(struct file *f, uint32_t request, gva_t arg);

/* hostfs_map.c */
int hostfs_page(struct file *f, uint64_t offset, bool shared_write, gpa_t *out);
/* The file changed under cached pages [start, end), bytes. */
void hostfs_pages_drop(struct hostfs_file *hf, uint64_t start, uint64_t end);
void hostfs_map_release(struct hostfs_file *hf);

#endif
