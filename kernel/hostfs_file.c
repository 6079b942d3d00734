/* SPDX-License-Identifier: MIT */
/* Open host files: attributes, positions, directories, and the files that the loader opened
 * before boot.  Owns nothing. */
#include <hermit/boot.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/job.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/wait.h>

#include "hostfs.h"

bool hostfs_interrupted(void) {
    signal_collect_events();
    if (!signal_pending()) return false;
    percpu()->pending = 1; /* the exit path delivers it */
    return true;
}

int hostfs_getattr(struct file *f, struct hc_attr *attr) {
    struct hostfs_file *hf = hostfs_file(f);
    if (hf->is_program) {
        *attr = boot_info()->prog_attr;
        return 0;
    }
    if (hf->is_cache) { /* nobody can open it: what a mapping shows */
        *attr = (struct hc_attr){.mode = S_IFREG | 0400, .nlink = 1, .size = hf->size};
        return 0;
    }
    if ((S_ISDIR(f->mode) || S_ISREG(f->mode)) && hostfs_stamp_good(&hf->opened)) {
        *attr = hf->attr; /* the fstat(2) that follows the open(2), or a lock */
        hf->unasked = 0;
        return 0;
    }
    union hc_args args = {.file_attr = {.handle = hf->handle, .attr = frame_gpa(attr)}};
    int64_t r = hypercall(HC_FILE_STAT, &args);
    if (r < 0) return (int)r;
    hf->size = attr->size;
    hf->unasked = 0;
    return 0;
}

int hostfs_setattr(struct file *f, const struct hc_attr *attr, uint32_t mask) {
    struct hostfs_file *hf = hostfs_file(f);
    union hc_args args = {
        .file_attr = {.handle = hf->handle, .mask = mask, .attr = frame_gpa(attr)}};
    if (mask & HC_SET_SIZE) hostfs_truncating(f->mnt, f, attr->size);
    int64_t r = hypercall(HC_FILE_SETATTR, &args);
    if (r == 0 && (mask & HC_SET_SIZE) != 0) {
        hostfs_pages_drop(hf, min(hf->size, attr->size), UINT64_MAX);
        hf->size = attr->size;
    }
    return (int)r;
}

static int sync_call(struct file *f, enum hc_sync_what what) {
    union hc_args args = {.file_sync = {.handle = hostfs_file(f)->handle, .what = what}};
    return (int)job_run(HC_FILE_SYNC, &args);
}

int hostfs_sync(struct file *f, bool datasync) {
    return sync_call(f, datasync ? HC_SYNC_DATA : HC_SYNC_FILE);
}

int hostfs_syncfs(struct file *f) {
    return f->mnt && !f->mnt->readonly ? sync_call(f, HC_SYNC_FS) : 0;
}

static int hostfs_allocate(struct file *f, int mode, int64_t offset, int64_t len) {
    struct hostfs_file *hf = hostfs_file(f);
    union hc_args args = {
        .file_allocate = {
            .handle = hf->handle, .mode = (uint32_t)mode, .offset = offset, .len = len}};
    int64_t r = hypercall(HC_FILE_ALLOCATE, &args);
    if (r == -EINTR && hostfs_interrupted()) r = -ERESTARTSYS;
    if (r == 0 && mode != 0) hostfs_pages_drop(hf, (uint64_t)offset, UINT64_MAX);
    return (int)r;
}

int64_t hostfs_seek(struct file *f, int64_t offset, int whence) {
    union hc_args args = {.file_seek = {.handle = hostfs_file(f)->handle,
                                        .whence = (uint32_t)whence,
                                        .offset = offset}};
    int64_t r = hypercall(HC_FILE_SEEK, &args);
    if (r >= 0) f->pos = r;
    return r;
}

static int64_t regular_seek(struct file *f, int64_t offset, int whence) {
    struct hostfs_file *hf = hostfs_file(f);
    struct hc_attr attr;
    int64_t base = whence == SEEK_CUR ? f->pos : 0;
    if (hf->stdio) return hostfs_seek(f, offset, whence);
    if (whence > SEEK_END && hf->handle != NO_HANDLE) return hostfs_seek(f, offset, whence);
    if (whence > SEEK_END) return -EINVAL;
    if (whence == SEEK_END) {
        int r = hostfs_getattr(f, &attr);
        if (r != 0) return r;
        base = (int64_t)attr.size;
    }
    if (__builtin_add_overflow(base, offset, &offset) || offset < 0) return -EINVAL;
    f->pos = offset;
    return offset;
}

static int64_t host_piece(struct file *f, int64_t pos, uint32_t *handle) {
    const struct hostfs_file *hf = hostfs_file(f);
    struct hc_attr attr;
    if (hf->handle == NO_HANDLE || hf->stdio || hf->is_program || hf->is_cache) return -EOPNOTSUPP;
    int r = hostfs_getattr(f, &attr);
    if (r != 0) return r;
    *handle = hf->handle;
    return max((int64_t)attr.size - pos, (int64_t)0);
}

void hostfs_release(struct file *f) {
    struct hostfs_file *hf = hostfs_file(f);
    bool mapped = hf->windows != NULL;
    hostfs_map_release(hf);
    hostfs_rewritten_release(hf);
    hostfs_close(f, mapped);
    hostfs_small_release(hf);
    kfree(hf->early);
    kfree(hf);
    f->priv = NULL;
}

const struct file_ops hostfs_regular_ops = {
    .read = hostfs_read,
    .write = hostfs_write,
    .seek = regular_seek,
    .getattr = hostfs_getattr,
    .xattr = hostfs_xattr,
    .setattr = hostfs_setattr,
    .ioctl = hostfs_ioctl,
    .sync = hostfs_sync,
    .syncfs = hostfs_syncfs,
    .allocate = hostfs_allocate,
    .page = hostfs_page,
    .read_frames = hostfs_read_frames,
    .lock = hostfs_lock,
    .statfs = hostfs_statfs,
    .rewritten = hostfs_rewritten,
    .host_piece = host_piece,
    .release = hostfs_release,
};

/* Opened with O_PATH. */
const struct file_ops hostfs_object_ops = {
    .getattr = hostfs_getattr,
    .xattr = hostfs_xattr,
    .statfs = hostfs_statfs,
    .release = hostfs_release,
};

const struct file_ops *hostfs_ops_for(uint32_t mode, uint32_t flags) {
    if ((flags & O_PATH) != 0) return &hostfs_object_ops;
    if (S_ISREG(mode)) return &hostfs_regular_ops;
    return S_ISDIR(mode) ? &hostfs_dir_ops : &hostfs_stream_ops;
}

struct file *hostfs_stdio(uint32_t handle) {
    struct hermit_boot_stdio is = boot_info()->stdio[handle];
    struct hostfs_file *hf = kzalloc(sizeof(*hf));
    struct file *f = hf != NULL ? file_new(&hostfs_stream_ops, O_RDWR, S_IFCHR) : NULL;
    if (f == NULL) {
        kfree(hf);
        return NULL;
    }
    hf->handle = handle;
    hf->stdio = true;
    f->priv = hf;
    hostfs_use_stdio(handle);
    struct hc_attr attr;
    union hc_args args = {.file_attr = {.handle = handle, .attr = frame_gpa(&attr)}};
    if (is.mode == 0) {
        int64_t flags = hypercall(HC_FILE_STAT, &args);
        if (flags >= 0) is = (struct hermit_boot_stdio){attr.mode, (uint32_t)flags};
    }
    if (is.mode == 0) return f;
    f->mode = is.mode & S_IFMT;
    /* O_NONBLOCK belongs to the open file that other processes share; the program sets its own. */
    f->flags = is.flags & (O_ACCMODE | O_APPEND | O_LARGEFILE | O_NONBLOCK);
    f->ops = hostfs_ops_for(f->mode, f->flags);
    return f;
}

/* The mount that covers a canonical path: the longest prefix. */
static struct mount *mount_of(const char *path) {
    struct mount *best = NULL;
    for (struct mount *m = vfs_first_mount(); m != NULL; m = m->next) {
        uint32_t n = m->path_len;
        bool root = n == 1;
        if (!root && (strncmp(path, m->path, n) != 0 || (path[n] != 0 && path[n] != '/'))) continue;
        if (best == NULL || n > best->path_len) best = m;
    }
    return best;
}

static void add_boot_window(struct hostfs_file *hf, const struct hermit_boot *boot) {
    struct hostfs_window *w = kzalloc(sizeof(*w));
    if (w == NULL) return;
    w->len = page_up(boot->prog_attr.size);
    w->gpa = boot->prog_gpa;
    w->of_boot = true;
    hf->windows = w;
}

struct file *hostfs_boot_program(void) {
    const struct hermit_boot *boot = boot_info();
    if (boot->prog_handle == HERMIT_BOOT_NO_HANDLE && boot->prog_gpa == 0) return NULL;
    struct hostfs_file *hf = kzalloc(sizeof(*hf));
    struct file *f = hf != NULL ? file_new(&hostfs_regular_ops, O_RDONLY, S_IFREG) : NULL;
    if (f == NULL) {
        kfree(hf);
        return NULL;
    }
    hf->handle = boot->prog_handle;
    hf->is_program = true;
    hf->size = boot->prog_attr.size;
    if (boot->prog_gpa != 0) add_boot_window(hf, boot);
    hostfs_rewritten_boot(hf);
    f->priv = hf;
    f->path = kstrdup(boot_string(boot->program));
    f->mnt = mount_of(boot_string(boot->program));
    return f;
}
