/* SPDX-License-Identifier: MIT */
/* Inside hostfs: an open host file and the operations shared by its source files. */
#ifndef KERNEL_HOSTFS_H
#define KERNEL_HOSTFS_H

#include <hermit/linux_abi.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>

struct rewritten;

/* A piece of the file in guest-physical space.  Lives until the file is released: page tables
 * may refer to it as long as a VMA holds the file. */
struct hostfs_window {
    struct hostfs_window *next;
    uint64_t offset, len; /* bytes, whole pages */
    gpa_t gpa;
    bool writable;
    bool of_boot; /* the loader made it; it stays */
};

/* When something was learnt from the host.  It counts for HOSTFS_MAX_AGE_NS, and only until a call
 * that changes files or brings news (hypercall_news). */
#define HOSTFS_MAX_AGE_NS 1000000 /* the same bound as the loader's for a directory */
struct hostfs_stamp {
    int64_t ns; /* CLOCK_MONOTONIC, before the host was asked; 0: nothing learnt */
    uint64_t news;
};

enum hostfs_tty { TTY_UNKNOWN, TTY_YES, TTY_NO };

/* Records of a directory that came with its open and that the program has not read yet. */
struct hostfs_early {
    struct hostfs_stamp stamp;
    uint32_t len, next; /* bytes */
    bool at_end;        /* these are all */
    _Alignas(struct linux_dirent64) char records[];
};

/* struct file's priv. */
struct hostfs_file {
    uint32_t handle; /* NO_HANDLE: only the boot program's window */
    bool stdio;      /* the position is the handle's, shared with the host */
    bool is_program; /* reads and attributes come from the boot block */
    bool no_windows; /* the engine cannot map files */
    bool moving;     /* some thread reads or writes at f->pos */
    bool locked;     /* the handle holds or held locks on the host */
    bool is_cache;   /* of the cache of rewritten objects */
    bool elf;        /* somebody has read an ELF header in it */
    bool cache_asked;
    bool no_sites;   /* the cache says so */
    uint8_t unasked; /* times in a row that the attributes of a lock were not asked for */
    uint8_t smalls;  /* small reads of pages that were read before; saturates */
    uint32_t noted_pages;
    uint64_t *noted;              /* a bit for each of them: a small read or write was there */
    bool at_end;                  /* getdents has delivered the last entry; f->pos is there */
    uint8_t tty;                  /* enum hostfs_tty */
    uint64_t size;                /* as last seen, bytes */
    struct hostfs_stamp sized_at; /* of size, as hostfs_size_fresh() counts */
    uint32_t sized;               /* number of truncations at that time */
    struct hostfs_window *windows;
    gpa_t *pages; /* without windows: the frames that hold the file, by page number, 0: none */
    uint64_t page_count;
    struct rewritten *rewritten; /* what the cache has for the file, or NULL */
    uint32_t removals;           /* hostfs_removals() at the open */
    struct hostfs_early *early;
    struct hostfs_stamp opened; /* of attr */
    struct hc_attr attr;        /* as FS_OPEN returned it, or taking a lock */
};

static inline struct hostfs_file *hostfs_file(const struct file *f) {
    return (struct hostfs_file *)f->priv;
}

/* hostfs.c.  The path of an open file within its mount, or NULL. */
const char *hostfs_rel(const struct file *f);

/* hostfs_file.c */
extern const struct file_ops hostfs_regular_ops, hostfs_object_ops;
const struct file_ops *hostfs_ops_for(uint32_t mode, uint32_t flags);
int hostfs_getattr(struct file *f, struct hc_attr *attr);
int hostfs_setattr(struct file *f, const struct hc_attr *attr, uint32_t mask);
int hostfs_sync(struct file *f, bool datasync);
int hostfs_syncfs(struct file *f);
int hostfs_statfs(struct file *f, gpa_t buf);
void hostfs_release(struct file *f);
int64_t hostfs_seek(struct file *f, int64_t offset, int whence); /* the host's position */
/* The host call was interrupted: true if a signal is there to be delivered. */
bool hostfs_interrupted(void);

/* hostfs_close.c.  f's handle, now or soon; mapped: pages of it were. */
void hostfs_close(struct file *f, bool mapped);
/* Opens what was closed a moment ago: true if hf has its handle and attributes. */
bool hostfs_open_again(struct mount *m, const char *rel, uint32_t flags, struct hostfs_file *hf);
/* Handles to close with the next FS_OPEN: how many, at out. */
uint32_t hostfs_take_old_closes(uint32_t *out); /* HC_MAX_CLOSE of them */
void hostfs_use_stdio(uint32_t handle);         /* one open file more */
/* A name is about to go, and the file with it: nothing may keep that from being seen. */
void hostfs_names_go(void);
uint32_t hostfs_removals(void);

/* hostfs_dir.c */
extern const struct file_ops hostfs_dir_ops;
/* Has the call bring the directory's listing along, if the program is likely to read it. */
void hostfs_list_ask(struct hc_fs_open *call);
/* The directory rel of share m is open; what came along becomes the file's and hostfs_attrs'. */
void hostfs_list_take(struct hostfs_file *hf, struct mount *m, const char *rel,
                      const struct hc_fs_open *call);

/* hostfs_attrs.c */
struct hostfs_stamp hostfs_stamp_now(void);
bool hostfs_stamp_good(const struct hostfs_stamp *s);
/* The program lists directory rel: `records` are its entries, and `attrs` what is known of the
 * first attr_count of them. */
void hostfs_attrs_list(struct mount *m, const char *rel, const char *records, uint32_t len,
                       const struct hc_attr *attrs, uint32_t attr_count, struct hostfs_stamp stamp);
/* Whether the listing of a directory had better come with attributes. */
bool hostfs_attrs_wanted(void);
/* The attributes of rel itself, links not followed, if they are known and no older than the
 * bound.  Otherwise the call, which asks for them, is made to ask for some more. */
bool hostfs_attrs_find(struct mount *m, const char *rel, struct hc_attr *a,
                       struct hc_fs_stat *call);
/* The call for rel is done: keeps what it brought; a: rel's own attributes, or NULL. */
void hostfs_attrs_keep(struct mount *m, const char *rel, const struct hc_attr *a,
                       const struct hc_fs_stat *call, struct hostfs_stamp stamp);
/* rel is about to change in a way that news does not tell: its reading sets its access time. */
void hostfs_attrs_forget(struct mount *m, const char *rel);

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

/* hostfs_lock.c */
int64_t hostfs_lock(struct file *f, struct host_lock *l);

/* hostfs_small.c.  Reads from the window of a page that is read again and again: true with the
 * bytes read in *n, or false if it takes a call. */
bool hostfs_read_small(struct file *f, const struct uio *u, int64_t pos, int64_t *n);
/* A call has read or written n bytes at pos. */
void hostfs_small_done(struct file *f, int64_t pos, int64_t n);
void hostfs_small_release(struct hostfs_file *hf);

/* hostfs_xattr.c */
int64_t hostfs_xattr(struct file *f, const struct xattr_call *c);

/* hostfs_tty.c */
int64_t hostfs_ioctl(struct file *f, uint32_t request, gva_t arg);

/* hostfs_map.c */
/* f's size is as fresh as attributes are, asked for anew if need be; what the program itself writes
 * is known without.  False if it cannot be had. */
bool hostfs_size_fresh(struct file *f);
/* The size has just been learnt, by a call that began at ns. */
void hostfs_sized(struct hostfs_file *hf, int64_t ns);
/* How much of hypercall_news() is the program's own writing to regular files. */
uint64_t hostfs_own_writes(void);
int hostfs_page(struct file *f, uint64_t offset, bool shared_write, gpa_t *out);
int64_t hostfs_read_frames(struct file *f, uint64_t offset, const struct hc_seg *segs,
                           uint32_t count);
/* A file of mount m is about to have size bytes: mappings lose the pages behind, and sizes that are
 * known are old.  f: which file, where that is known; NULL: some file of m. */
void hostfs_truncating(const struct mount *m, const struct file *f, uint64_t size);
/* The file changed under cached pages [start, end), bytes. */
void hostfs_pages_drop(struct hostfs_file *hf, uint64_t start, uint64_t end);
void hostfs_map_release(struct hostfs_file *hf);
/* Can the program write to memory that other processes of the host see? */
bool hostfs_shares_memory(void);

/* hostfs_rewritten.c */
const struct rewritten *hostfs_rewritten(struct file *f, bool executed);
/* What the loader has found for the boot program. */
void hostfs_rewritten_boot(struct hostfs_file *hf);
void hostfs_rewritten_release(struct hostfs_file *hf);

#endif
