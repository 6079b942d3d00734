/* SPDX-License-Identifier: MIT */
/* System V shared memory.  A segment is an in-memory file; every mapping of it holds a reference
 * to that file, so the number of references tells how often it is attached.  Owns the table of
 * segments.  sysvipc(7). */
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/heap.h>
#include <kernel/hugetlb.h>
#include <kernel/log.h>
#include <kernel/mm.h>
#include <kernel/process.h>
#include <kernel/shm.h>
#include <kernel/shmem.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "ramfs.h"

#define MAX_SEGMENTS 4096 /* SHMMNI */
#define SHM_PAGE_LIMIT (UINT64_MAX - (1UL << 24))
#define SEQUENCE_MAX 0xffff
#define PERM_BITS 0777

/* From <linux/shm.h>, which includes libc's headers. */
#define SHM_NORESERVE 010000
#define SHM_HUGETLB 04000
#define SHM_HUGE_SHIFT 26
#define SHM_HUGE_MASK 0x3f
#define SHM_RDONLY 010000
#define SHM_RND 020000
#define SHM_REMAP 040000
#define SHM_EXEC 0100000
#define SHM_LOCK 11
#define SHM_UNLOCK 12
#define SHM_STAT 13
#define SHM_INFO 14
#define SHM_STAT_ANY 15
#define SHM_DEST 01000
#define SHM_IS_LOCKED 02000

struct shm_info {
    int used_ids;
    unsigned long shm_tot, shm_rss, shm_swp; /* pages */
    unsigned long swap_attempts, swap_successes;
};

struct segment {
    struct file *file;
    int32_t id;
    bool doomed; /* IPC_RMID: goes with its last mapping; the table no longer holds the file */
    struct shmid64_ds ds;
};

static struct segment **segments; /* MAX_SEGMENTS, NULL until the first one is made */
static uint32_t used_segments, sequence;

static struct segment *segment_of(int id) {
    if (id < 0 || segments == NULL) return NULL;
    struct segment *s = segments[id % MAX_SEGMENTS];
    return s != NULL && s->id == id ? s : NULL;
}

static struct segment *find_key(int32_t key) {
    if (segments == NULL || key == IPC_PRIVATE) return NULL;
    for (uint32_t i = 0; i < MAX_SEGMENTS; i++) {
        if (segments[i] != NULL && segments[i]->ds.shm_perm.key == key) return segments[i];
    }
    return NULL;
}

/* Whether the caller has the permission bits `wanted` (of one class, 4 read, 2 write). */
static bool permitted(const struct segment *s, uint32_t wanted) {
    const struct process *p = current_process();
    const struct ipc64_perm *perm = &s->ds.shm_perm;
    uint32_t granted = perm->mode;
    if (p->euid == 0) return true;
    if (p->euid == perm->cuid || p->euid == perm->uid)
        granted >>= 6;
    else if (p->egid == perm->cgid || p->egid == perm->gid)
        granted >>= 3;
    return (wanted & ~granted & 7) == 0;
}

static bool owned(const struct segment *s) {
    uint32_t euid = current_process()->euid;
    return euid == 0 || euid == s->ds.shm_perm.uid || euid == s->ds.shm_perm.cuid;
}

static int64_t now_s(void) { return clock_realtime_ns() / NSEC_PER_SEC; }

/* The file of a segment went: nothing is attached any more, and it was removed. */
static void release_segment(struct file *f) {
    struct segment *s = (struct segment *)f->priv2;
    if (s != NULL) {
        segments[s->id % MAX_SEGMENTS] = NULL;
        used_segments--;
        kfree(s);
    }
    ramfs_regular_ops.release(f);
}

/* ramfs's operations for mapped files, and our release. */
static const struct file_ops *segment_ops(void) {
    static struct file_ops ops;
    ops = ramfs_regular_ops;
    ops.release = release_segment;
    return &ops;
}

static int create(int32_t key, uint64_t size, uint32_t flags) {
    char name[32];
    const struct process *p = current_process();
    if (size == 0 || size > SHM_PAGE_LIMIT) return -EINVAL;
    if (flags & SHM_HUGETLB) /* the pool is empty */
        return hugetlb_size(flags >> SHM_HUGE_SHIFT & SHM_HUGE_MASK) != 0 ? -ENOMEM : -EINVAL;
    if (used_segments == MAX_SEGMENTS) return -ENOSPC;
    if (!(flags & SHM_NORESERVE) && page_up(size) > frame_usage().limit) return -ENOMEM;
    if (segments == NULL) segments = kzalloc(MAX_SEGMENTS * sizeof(*segments));
    struct segment *s = segments != NULL ? kzalloc(sizeof(*s)) : NULL;
    ksnprintf(name, sizeof(name), "/SYSV%08x", (uint32_t)key);
    struct file *f =
        s != NULL ? shmem_create(name, page_up(size), flags & PERM_BITS, F_SEAL_SEAL) : NULL;
    if (f == NULL) {
        kfree(s);
        return -ENOMEM;
    }
    uint32_t slot = 0;
    while (segments[slot] != NULL)
        slot++;
    sequence = (sequence + 1) & SEQUENCE_MAX;
    f->ops = segment_ops();
    f->priv2 = (uint64_t)s;
    s->file = f;
    s->id = (int32_t)(sequence * MAX_SEGMENTS + slot);
    s->ds.shm_perm = (struct ipc64_perm){.key = key,
                                         .uid = p->euid,
                                         .gid = p->egid,
                                         .cuid = p->euid,
                                         .cgid = p->egid,
                                         .mode = flags & PERM_BITS,
                                         .seq = (uint16_t)sequence};
    s->ds.shm_segsz = size;
    s->ds.shm_cpid = p->pid;
    s->ds.shm_ctime = now_s();
    segments[slot] = s;
    used_segments++;
    return s->id;
}

int shm_get(int32_t key, uint64_t size, uint32_t flags) {
    struct segment *s = find_key(key);
    if (s == NULL) {
        if (key != IPC_PRIVATE && !(flags & IPC_CREAT)) return -ENOENT;
        return create(key, size, flags);
    }
    if ((flags & IPC_CREAT) && (flags & IPC_EXCL)) return -EEXIST;
    uint32_t wanted = (flags >> 6 | flags >> 3 | flags) & 7;
    if (size > s->ds.shm_segsz) return -EINVAL;
    return permitted(s, wanted) ? s->id : -EACCES;
}

int64_t shm_attach(int id, gva_t addr, uint32_t flags) {
    struct mm *mm = current_mm();
    if (addr & PAGE_MASK) {
        if (!(flags & SHM_RND)) return -EINVAL;
        addr = page_down(addr);
        if (addr == 0 && (flags & SHM_REMAP)) return -EINVAL;
    } else if (addr == 0 && (flags & SHM_REMAP)) {
        return -EINVAL;
    }
    struct segment *s = segment_of(id);
    if (s == NULL) return -EINVAL;
    bool write = !(flags & SHM_RDONLY), exec = (flags & SHM_EXEC) != 0;
    if (!permitted(s, 4u | (write ? 2 : 0) | (exec ? 1 : 0))) return -EACCES;
    uint64_t len = page_up(s->ds.shm_segsz);
    uint32_t prot = PROT_READ | (write ? PROT_WRITE : 0) | (exec ? PROT_EXEC : 0);
    uint32_t map = MAP_SHARED;
    if (addr != 0) {
        if (addr > HERMIT_USER_TOP || len > HERMIT_USER_TOP - addr) return -EINVAL;
        if (!(flags & SHM_REMAP) && mm_mapped_in(mm, addr, len) != 0) return -EINVAL;
        map |= MAP_FIXED;
    }
    int r = mm_may_map(mm, len, addr != 0 ? mm_mapped_in(mm, addr, len) : 0, prot, map);
    if (r != 0) return r;
    int64_t at = mm_map(mm, addr, len, prot, map, s->file, 0, NULL);
    if (at < 0) return at;
    struct vma *v = mm_find(mm, (gva_t)at);
    if (v != NULL && !write) v->state |= VMA_READ_ONLY;
    s->ds.shm_atime = now_s();
    s->ds.shm_lpid = current_process()->pid;
    return at;
}

/* shmdt(2): the pieces of the one segment whose first byte would be at addr. */
int shm_detach(gva_t addr) {
    struct mm *mm = current_mm();
    const struct file *file = NULL;
    struct segment *s = NULL;
    if (addr & PAGE_MASK) return -EINVAL;
    for (struct vma *v = mm_next(mm, addr); v != NULL;) {
        bool ours = v->file != NULL && v->file->ops->release == release_segment &&
                    v->start - addr == v->offset && (file == NULL || v->file == file);
        gva_t next = v->end;
        if (ours && file == NULL) {
            file = v->file;
            s = (struct segment *)file->priv2;
            s->ds.shm_dtime = now_s();
            s->ds.shm_lpid = current_process()->pid;
        }
        if (ours) {
            int r = mm_unmap(mm, v->start, v->end - v->start);
            if (r != 0) return r;
        }
        if (file != NULL && next - addr >= (1ULL << 46)) break;
        v = mm_next(mm, next);
    }
    return file != NULL ? 0 : -EINVAL;
}

static void fill(const struct segment *s, struct shmid64_ds *out) {
    *out = s->ds;
    out->shm_nattch = s->file->refs - (s->doomed ? 0 : 1);
    if (s->doomed) out->shm_perm.mode |= SHM_DEST;
}

static int set(struct segment *s, gva_t buf) {
    struct shmid64_ds in;
    if (get_user(in, buf) != 0) return -EFAULT;
    if (!owned(s)) return -EPERM;
    struct ipc64_perm *perm = &s->ds.shm_perm;
    perm->uid = in.shm_perm.uid;
    perm->gid = in.shm_perm.gid;
    perm->mode = (perm->mode & ~(uint32_t)PERM_BITS) | (in.shm_perm.mode & PERM_BITS);
    s->ds.shm_ctime = now_s();
    return 0;
}

static int remove(struct segment *s) {
    if (!owned(s)) return -EPERM;
    if (s->doomed) return 0;
    s->doomed = true;
    s->ds.shm_perm.key = IPC_PRIVATE;
    file_put(s->file); /* frees the segment unless it is attached */
    return 0;
}

/* The highest slot in use, as SHM_INFO and IPC_INFO answer. */
static int highest(void) {
    int i = segments != NULL ? MAX_SEGMENTS - 1 : 0;
    while (i > 0 && segments[i] == NULL)
        i--;
    return i;
}

static int info(int cmd, gva_t buf) {
    if (cmd == IPC_INFO) {
        struct shminfo64 limits = {.shmmax = SHM_PAGE_LIMIT,
                                   .shmmin = 1,
                                   .shmmni = MAX_SEGMENTS,
                                   .shmseg = MAX_SEGMENTS,
                                   .shmall = SHM_PAGE_LIMIT};
        return put_user(limits, buf) != 0 ? -EFAULT : highest();
    }
    struct shm_info sum = {.used_ids = (int)used_segments};
    for (uint32_t i = 0; i < MAX_SEGMENTS && segments != NULL; i++) {
        const struct rnode *n = segments[i] != NULL ? segments[i]->file->priv : NULL;
        if (n == NULL) continue;
        sum.shm_tot += n->size >> PAGE_SHIFT;
        sum.shm_rss += n->pages;
    }
    return put_user(sum, buf) != 0 ? -EFAULT : highest();
}

static int stat(struct segment *s, int cmd, gva_t buf) {
    struct shmid64_ds out;
    if (cmd != SHM_STAT_ANY && !permitted(s, 4)) return -EACCES;
    fill(s, &out);
    if (put_user(out, buf) != 0) return -EFAULT;
    return cmd == IPC_STAT ? 0 : s->id;
}

int shm_control(int id, int cmd, gva_t buf) {
    if (cmd < 0 || id < 0) return -EINVAL;
    if (cmd == IPC_INFO || cmd == SHM_INFO) return info(cmd, buf);
    bool by_slot = cmd == SHM_STAT || cmd == SHM_STAT_ANY;
    struct segment *s =
        by_slot ? (id <= highest() && segments != NULL ? segments[id] : NULL) : segment_of(id);
    switch (cmd) {
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY:
        return s != NULL ? stat(s, cmd, buf) : -EINVAL;
    case IPC_SET:
        return s != NULL ? set(s, buf) : -EINVAL;
    case IPC_RMID:
        return s != NULL ? remove(s) : -EINVAL;
    case SHM_LOCK:
    case SHM_UNLOCK:
        if (s == NULL) return -EINVAL;
        if (!owned(s)) return -EPERM;
        if (cmd == SHM_LOCK)
            s->ds.shm_perm.mode |= SHM_IS_LOCKED;
        else
            s->ds.shm_perm.mode &= ~(uint32_t)SHM_IS_LOCKED;
        return 0;
    default:
        return -EINVAL;
    }
}
