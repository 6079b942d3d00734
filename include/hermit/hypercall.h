/* SPDX-License-Identifier: MIT */
/* The guest/host contract: everything the kernel may ask of the loader.
 *
 * A call is one struct hc_call in shared memory.  The guest fills it, sets state to
 * HC_SUBMITTED (release) and, unless the host says that it is polling, rings the doorbell; a call
 * that sleeps or takes long goes by HC_RUNG and the doorbell.  The
 * host claims it (HC_CLAIMED), copies it once, validates the copy, acts, writes `result` and the
 * OUT fields and sets HC_DONE (release).  Every virtual CPU has a call block of its own; a doorbell
 * is for the block of the CPU that rings it.
 *
 * All fields have fixed width and explicit padding.  Addresses are guest-physical (gpa); the host
 * refuses any range that is not wholly guest RAM with -EFAULT.  Results are >= 0 or -errno with
 * Linux's numbers, or HC_SYMLINK.  Paths are relative to a share's root, carry no leading '/',
 * no "." or ".." component and need no terminating NUL. */
#ifndef HERMIT_HYPERCALL_H
#define HERMIT_HYPERCALL_H

#include <stdint.h>

#include <hermit/net.h>
#include <hermit/rewrite_cache.h>

#define HC_VERSION 8

typedef uint64_t gpa_t; /* guest-physical address, bytes */
typedef uint64_t gva_t; /* guest-virtual address, bytes */

/* X(NAME, handler suffix): the loader's dispatch array and the names in --stats come from it. */
#define HC_LIST(X)                                                                                 \
    X(LOG, log)                                                                                    \
    X(EXIT, exit)                                                                                  \
    X(WAIT, wait)                                                                                  \
    X(TIMER, timer)                                                                                \
    X(CLOCK, clock)                                                                                \
    X(CPU_START, cpu_start)                                                                        \
    X(JOB_START, job_start)                                                                        \
    X(MEM_GROW, mem_grow)                                                                          \
    X(MEM_RELEASE, mem_release)                                                                    \
    X(MEM_POPULATE, mem_populate)                                                                  \
    X(FS_OPEN, fs_open)                                                                            \
    X(FS_STAT, fs_stat)                                                                            \
    X(FS_SETATTR, fs_setattr)                                                                      \
    X(FS_READLINK, fs_readlink)                                                                    \
    X(FS_MKDIR, fs_mkdir)                                                                          \
    X(FS_UNLINK, fs_unlink)                                                                        \
    X(FS_SYMLINK, fs_symlink)                                                                      \
    X(FS_LINK, fs_link)                                                                            \
    X(FS_RENAME, fs_rename)                                                                        \
    X(FS_STATFS, fs_statfs)                                                                        \
    X(FILE_READ, file_read)                                                                        \
    X(FILE_WRITE, file_write)                                                                      \
    X(FILE_SEEK, file_seek)                                                                        \
    X(FILE_STAT, file_stat)                                                                        \
    X(FILE_SETATTR, file_setattr)                                                                  \
    X(FILE_GETDENTS, file_getdents)                                                                \
    X(FILE_SYNC, file_sync)                                                                        \
    X(FILE_ALLOCATE, file_allocate)                                                                \
    X(FILE_IOCTL, file_ioctl)                                                                      \
    X(FILE_POLL, file_poll)                                                                        \
    X(FILE_MAP, file_map)                                                                          \
    X(FILE_UNMAP, file_unmap)                                                                      \
    X(FILE_CLOSE, file_close)                                                                      \
    X(FILE_LOCK, file_lock)                                                                        \
    X(FILE_REOPEN, file_reopen)                                                                    \
    X(FILE_XATTR, file_xattr)                                                                      \
    X(FILE_REWRITTEN, file_rewritten)                                                              \
    HC_NET_LIST(X)

enum hc_nr {
#define X(name, fn) HC_##name,
    HC_LIST(X)
#undef X
        HC_COUNT
};

enum hc_state {
    HC_IDLE = 0,
    HC_SUBMITTED = 1, /* whoever sees it first may serve it */
    HC_CLAIMED = 2,
    HC_DONE = 3,
    HC_RUNG = 4, /* the doorbell follows: for the engine's thread only (long or sleeping calls) */
};

/* Result of a path call that met a symbolic link in the middle of the path, or at its end where
 * HC_NOFOLLOW was not given: hc_path.consumed and the link text say where and what. */
#define HC_SYMLINK (-600)

#define HC_MAX_SEGS 256      /* segments per transfer */
#define HC_MAX_PATH 4096     /* bytes of a path, link text or name */
#define HC_MAX_LOG 4096      /* bytes of one log write */
#define HC_MAX_WAIT_FDS 1024 /* entries of one HC_WAIT */
#define HC_MAX_AHEAD 84      /* attributes that one call reads ahead */
#define HC_MAX_CLOSE 16      /* handles that one call closes besides its own work */
#define HC_MAX_CPUS 64
#define HC_MAX_JOBS 16

/* A piece of guest memory that takes part in a transfer. */
struct hc_seg {
    gpa_t gpa;
    uint64_t len; /* bytes */
};

/* File metadata, times in nanoseconds since the epoch, mode as in stat(2). */
struct hc_attr {
    uint64_t ino, dev, rdev, nlink;
    uint32_t mode, uid, gid, blksize; /* blksize: bytes */
    uint64_t size, blocks;            /* bytes; 512-byte units */
    int64_t atime_ns, mtime_ns, ctime_ns, btime_ns;
};

enum hc_setattr_mask { /* which fields of hc_attr FS_SETATTR / FILE_SETATTR apply */
                       HC_SET_MODE = 1,
                       HC_SET_UID = 2,
                       HC_SET_GID = 4,
                       HC_SET_SIZE = 8,
                       HC_SET_ATIME = 16,
                       HC_SET_MTIME = 32,
                       HC_SET_ATIME_NOW = 64,
                       HC_SET_MTIME_NOW = 128,
};

enum hc_path_flags {
    HC_NOFOLLOW = 1, /* a symbolic link at the end of the path is the object itself */
    HC_RMDIR = 2,    /* FS_UNLINK: the object must be a directory */
};

/* Where a path call starts and where it reports a symbolic link. */
struct hc_path {
    uint32_t share;    /* IN index into hermit_boot's shares */
    uint32_t flags;    /* IN enum hc_path_flags */
    gpa_t path;        /* IN contiguous */
    uint32_t len;      /* IN bytes, < HC_MAX_PATH */
    uint32_t consumed; /* OUT with HC_SYMLINK: bytes of path up to and including the link's name */
    gpa_t link;        /* IN HC_MAX_PATH bytes of RAM, receives the link's text */
    uint32_t link_len; /* OUT with HC_SYMLINK: bytes, no NUL */
    uint32_t pad;
};

enum hc_log_stream { HC_LOG_MESSAGES, HC_LOG_TRACE };
struct hc_log {
    gpa_t text;
    uint32_t len;
    uint32_t stream; /* enum hc_log_stream: stderr, or where --strace goes */
};
enum hc_exit_kind { HC_EXIT_PROGRAM = 0, HC_EXIT_SIGNAL = 1, HC_EXIT_PANIC = 2 };
/* status: exit code, signal number, ignored, or 125..127.  stats: struct hermit_stats or 0. */
struct hc_exit {
    uint32_t kind;
    uint32_t status;
    gpa_t stats;
};
/* Entry of HC_WAIT: events and revents as poll(2). */
struct hc_wait_fd {
    uint32_t handle;
    uint16_t events;
    uint16_t revents;
};
/* Sleeps until an fd is ready, timeout_ns (from now, -1: none) is over, the CPU is kicked
 * (comm->kicked) or, on CPU 0, an event was not seen yet (-EINTR).  Result: number of ready
 * entries. -EBUSY: another CPU watches files already.  Always through the doorbell. */
struct hc_wait {
    gpa_t fds;
    uint32_t count;
    uint32_t close_count; /* <= HC_MAX_CLOSE handles at closes, closed before the sleep */
    int64_t timeout_ns;
    gpa_t closes;
};
/* Arms (or, with 0, disarms) the one event timer: HC_EVENT_TIMER after delay_ns.  Times between the
 * two sides are relative: an emulated CPU's clock may run away from the host's. */
struct hc_timer {
    int64_t delay_ns;
};
struct hc_clock {
    int64_t monotonic_ns;
    int64_t realtime_ns;
}; /* OUT */
/* Starts virtual CPU `cpu` (below the boot block's cpus, once) at cpu_entry in ring 3: GS base,
 * task state segment and page tables as given.  Answers before the CPU runs.  -EOPNOTSUPP under
 * QEMU. */
struct hc_cpu_start {
    uint32_t cpu;
    uint32_t pad;
    gva_t gs_base;
    gva_t tss;
    gpa_t cr3;
};
/* Starts the call in comm->jobs[job], which the guest has filled (FILE_READ and FILE_WRITE of a
 * regular file between RAM, FILE_SYNC): a host thread runs it, writes result and OUT fields, sets
 * state to HC_DONE and posts HC_EVENT_JOB.  Until then the block and its buffers stay as they are.
 * -EINVAL: not such a call; -EAGAIN: the host has no thread for it. */
struct hc_job_start {
    uint32_t job;
    uint32_t pad;
};
/* MEM_GROW: OUT gpa and bytes granted (>= one page, <= asked).  -ENOMEM at the -m limit. */
struct hc_mem_grow {
    uint64_t bytes;
    gpa_t gpa;
};
/* MEM_RELEASE: gives whole pages back to the host; they read as zero afterwards. */
struct hc_mem_release {
    gpa_t segs;
    uint32_t count;
    uint32_t pad;
};
/* MEM_POPULATE: the guest is about to write [gpa, gpa+len) of RAM: a hint that saves the host a
 * fault a page. */
struct hc_mem_populate {
    gpa_t gpa;
    uint64_t len; /* bytes, whole pages */
};
/* FS_OPEN: flags and mode as open(2) (O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_PATH, O_TMPFILE,
 * access mode); O_APPEND and O_NONBLOCK stay with the guest.  Result is a handle. OUT attr as
 * after the open.
 *
 * records != 0, and a directory was opened: what FILE_GETDENTS would answer to (offset 0, room)
 * comes along.  OUT len: bytes of it, 0 if there is none; at_end as there; the attributes of the
 * first attrs_room (<= HC_MAX_AHEAD) entries go to attrs, with ino 0 where they cannot be had, OUT
 * attrs_count.  Before all else the close_count (<= HC_MAX_CLOSE) handles at closes, uint32_t each,
 * are closed, whatever becomes of the open. */
struct hc_fs_open {
    struct hc_path p;
    uint32_t flags;
    uint32_t mode;
    gpa_t attr;
    gpa_t records;
    gpa_t attrs;
    uint32_t room;
    uint32_t attrs_room;
    uint32_t len;
    uint32_t attrs_count;
    uint32_t at_end;
    uint32_t close_count;
    gpa_t closes;
};
/* names_len != 0: further names of the same directory, each with its NUL, names_len bytes at names
 * in all.  Where p is found, the attributes of the first attrs_room (<= HC_MAX_AHEAD) of them go to
 * attrs, the links' own for symbolic links, with ino 0 where they cannot be had.  OUT
 * attrs_count. */
struct hc_fs_stat {
    struct hc_path p;
    gpa_t attr;
    gpa_t names;
    gpa_t attrs;
    uint32_t names_len;
    uint32_t attrs_room;
    uint32_t attrs_count;
    uint32_t pad;
};
struct hc_fs_setattr {
    struct hc_path p;
    gpa_t attr;
    uint32_t mask;
    uint32_t pad;
};
struct hc_fs_readlink {
    struct hc_path p;
    gpa_t buf;
    uint64_t len;
}; /* result: bytes */
struct hc_fs_mkdir {
    struct hc_path p;
    uint32_t mode;
    uint32_t pad;
}; /* mode with S_IFIFO: mkfifo */
struct hc_fs_unlink {
    struct hc_path p;
};
struct hc_fs_symlink {
    struct hc_path p;
    gpa_t target;
    uint32_t target_len;
    uint32_t pad;
};
/* FS_LINK, FS_RENAME: p is the old name, p2 the new one; flags as renameat2(2). */
struct hc_fs_two {
    struct hc_path p;
    gpa_t path2;
    uint32_t len2;
    uint32_t flags;
};
struct hc_fs_statfs {
    struct hc_path p;
    gpa_t buf;
}; /* OUT struct statfs (x86-64) */
/* offset -1: the handle's own position.  NOWAIT: -EAGAIN rather than block.  OUT pos: position
 * after an HC_IO_APPEND write or with offset -1, where the file has one.  The segments may also
 * lie in a mapped file window. */
enum hc_io_flags {
    HC_IO_NOWAIT = 1, /* FILE_READ of a regular file: only what the host has in memory */
    HC_IO_APPEND = 2, /* FILE_WRITE: at the end of the file, whatever offset says */
};
struct hc_file_io {
    uint32_t handle;
    uint32_t flags;
    int64_t offset;
    gpa_t segs;
    uint32_t count;
    uint32_t pad;
    int64_t pos;
};
struct hc_file_seek {
    uint32_t handle;
    uint32_t whence;
    int64_t offset;
};
/* FILE_STAT, FILE_SETATTR. FILE_STAT's result: the handle's open flags, as F_GETFL. */
struct hc_file_attr {
    uint32_t handle;
    uint32_t mask;
    gpa_t attr;
};
/* Raw linux_dirent64 records.  offset: where to start (d_off of an entry, 0: beginning).  OUT
 * at_end: nothing follows these records. */
struct hc_file_getdents {
    uint32_t handle;
    uint32_t at_end;
    int64_t offset;
    gpa_t buf;
    uint64_t len;
};
/* FS: the whole file system that the file lies on, syncfs(2); only on a writable share. */
enum hc_sync_what { HC_SYNC_FILE, HC_SYNC_DATA, HC_SYNC_FS };
struct hc_file_sync {
    uint32_t handle;
    uint32_t what;
};
struct hc_file_allocate {
    uint32_t handle;
    uint32_t mode;
    int64_t offset;
    int64_t len;
};
/* Only the terminal requests of the table in hc_file.c; arg: contiguous, size known per request. */
struct hc_file_ioctl {
    uint32_t handle;
    uint32_t request;
    gpa_t arg;
    uint64_t value;
};
struct hc_file_poll {
    uint32_t handle;
    uint32_t events;
}; /* result: revents, never blocks */
/* Maps [offset, offset+len) (page-aligned offset) into guest-physical space.  writable: shared
 * writes reach the file.  -EOPNOTSUPP where the engine cannot (QEMU).  OUT gpa. */
struct hc_file_map {
    uint32_t handle;
    uint32_t writable;
    uint64_t offset;
    uint64_t len;
    gpa_t gpa;
};
struct hc_file_unmap {
    gpa_t gpa;
    uint64_t len;
};
/* Closes handle and, before it, the more_count (<= HC_MAX_CLOSE) handles at more. */
struct hc_file_close {
    uint32_t handle;
    uint32_t more_count;
    gpa_t more;
};
/* Locks that other processes of the host see: flock(2), and OFD record locks of fcntl(2).  Never
 * waits: -EAGAIN where another holds it.  -EROFS on a read-only share. */
enum hc_lock_what { HC_LOCK_WHOLE, HC_LOCK_RANGE, HC_LOCK_QUERY };
struct hc_file_lock {
    uint32_t handle;
    uint32_t what;
    int64_t start; /* start to pid: OUT for HC_LOCK_QUERY; bytes */
    int64_t len;   /* 0: to the end */
    uint32_t type; /* F_RDLCK, F_WRLCK, F_UNLCK */
    int32_t pid;   /* -1: held by an open file description */
    gpa_t attr;    /* 0, or OUT where a lock was taken: struct hc_attr of the file since then */
};
/* Opens the regular file of a handle once more, for reading and writing where that is allowed, so
 * that locks may be held apart from the handle's own.  Result is a handle. */
struct hc_file_reopen {
    uint32_t handle;
    uint32_t pad;
};
/* Extended attributes "user.*" of the object that is open (O_PATH will do).  GET and LIST: result
 * is the size of the value or of the list of names; -ERANGE if that is more than `size`, with size
 * 0 nothing is copied. */
enum hc_xattr_what { HC_XATTR_GET, HC_XATTR_LIST, HC_XATTR_SET, HC_XATTR_REMOVE };
struct hc_file_xattr {
    uint32_t handle;
    uint32_t what;
    gpa_t name; /* contiguous; not for LIST */
    uint32_t name_len;
    uint32_t flags; /* XATTR_CREATE, XATTR_REPLACE */
    gpa_t value;    /* contiguous */
    uint64_t size;  /* bytes */
};
union hc_args {
    struct hc_log log;
    struct hc_exit exit;
    struct hc_wait wait;
    struct hc_timer timer;
    struct hc_clock clock;
    struct hc_cpu_start cpu_start;
    struct hc_job_start job_start;
    struct hc_mem_grow mem_grow;
    struct hc_mem_release mem_release;
    struct hc_mem_populate mem_populate;
    struct hc_fs_open fs_open;
    struct hc_fs_stat fs_stat;
    struct hc_fs_setattr fs_setattr;
    struct hc_fs_readlink fs_readlink;
    struct hc_fs_mkdir fs_mkdir;
    struct hc_fs_unlink fs_unlink;
    struct hc_fs_symlink fs_symlink;
    struct hc_fs_two fs_two;
    struct hc_fs_statfs fs_statfs;
    struct hc_file_io file_io;
    struct hc_file_seek file_seek;
    struct hc_file_attr file_attr;
    struct hc_file_getdents file_getdents;
    struct hc_file_sync file_sync;
    struct hc_file_allocate file_allocate;
    struct hc_file_ioctl file_ioctl;
    struct hc_file_poll file_poll;
    struct hc_file_map file_map;
    struct hc_file_unmap file_unmap;
    struct hc_file_close file_close;
    struct hc_file_lock file_lock;
    struct hc_file_reopen file_reopen;
    struct hc_file_xattr file_xattr;
    struct hc_file_rewritten file_rewritten;
    struct hc_net_start net_start;
    struct hc_net_give net_give;
    struct hc_net_open net_open;
    struct hc_net_name net_name;
    struct hc_net_message net_message;
    struct hc_net_option net_option;
    struct hc_net_device net_device;
    uint64_t words[14];
};

struct hc_call {
    uint32_t state; /* enum hc_state */
    uint32_t nr;    /* enum hc_nr */
    int64_t result;
    union hc_args u;
};

enum hc_event {
    HC_EVENT_SIGNAL, /* comm->signal_counts tells which */
    HC_EVENT_TIMER,
    HC_EVENT_JOB, /* a job is done */
    HC_EVENT_NET, /* there are news of sockets that the guest has not looked at for long */
    HC_EVENT_KINDS
};

/* Pages shared by the loader and the kernel.  Each word is written by one side only: an emulated
 * CPU's read-modify-write need not be atomic against the host's.  The host counts events, the guest
 * keeps the counts that it knows and tells in `seen` how far it has looked.
 *
 * kicked[n] is the guest's mark that CPU n is to look up: HC_WAIT does not sleep while it is set,
 * as HERMIT_PORT_KICK may come before it.
 *
 * kernel_lock is the guest's affair but for this: a CPU that finds it taken for long stores 2 and
 * writes to HERMIT_PORT_LOCK_WAIT, which returns when the word is no longer 2 or another CPU has
 * written to HERMIT_PORT_LOCK_WAKE, or sooner (futex(2) on the word). */
struct hc_comm {
    uint32_t polling; /* host: a service thread watches the calls' state; no doorbell needed */
    uint32_t posted;  /* host: events so far, counted after their own count, before the interrupt */
    uint32_t seen;    /* guest: what `posted` was when it last looked at the counts */
    uint32_t events[HC_EVENT_KINDS]; /* host: by kind */
    uint32_t pad[9];
    uint32_t kernel_lock; /* alone in its cache line */
    uint32_t pad2[15];
    uint32_t kicked[HC_MAX_CPUS];
    uint32_t signal_counts[64];        /* host: [n - 1]: Linux signal n was sent to the program */
    struct hc_call calls[HC_MAX_CPUS]; /* by virtual CPU */
    struct hc_call jobs[HC_MAX_JOBS];  /* see hc_job_start */
};
#define HC_COMM_BYTES 12288 /* whole pages */

_Static_assert(sizeof(struct hc_seg) == 16, "wire size");
_Static_assert(sizeof(struct hc_attr) == 96, "wire size");
_Static_assert(sizeof(struct hc_path) == 40, "wire size");
_Static_assert(sizeof(struct hc_wait_fd) == 8, "wire size");
_Static_assert(sizeof(struct hc_fs_open) == 104, "wire size");
_Static_assert(sizeof(struct hc_fs_stat) == 80, "wire size");
_Static_assert(sizeof(struct hc_file_close) == 16, "wire size");
_Static_assert(sizeof(struct hc_fs_two) == 56, "wire size");
_Static_assert(sizeof(struct hc_file_xattr) == 40, "wire size");
_Static_assert(sizeof(struct hc_file_lock) == 40, "wire size");
_Static_assert(sizeof(struct hc_file_io) == 40, "wire size");
_Static_assert(sizeof(union hc_args) == 112, "wire size");
_Static_assert(sizeof(struct hc_call) == 128, "wire size");
_Static_assert(sizeof(struct hc_cpu_start) == 32, "wire size");
_Static_assert(sizeof(struct hc_job_start) == 8, "wire size");
_Static_assert(sizeof(struct hc_comm) == 384 + 132 * HC_MAX_CPUS + 128 * HC_MAX_JOBS, "wire size");
_Static_assert(sizeof(struct hc_comm) <= HC_COMM_BYTES, "room");

#endif
