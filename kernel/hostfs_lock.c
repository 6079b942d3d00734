/* SPDX-License-Identifier: MIT */
/* Locks on files of writable shares, as other processes of the host see them.  An open file's
 * flock and OFD locks are those of its handle.  The record locks of a process belong to no open
 * file: the host holds them on a handle of their own. */
#include <kernel/filelock.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/smp.h>
#include <kernel/wait.h>

#include "hostfs.h"

#define UNASKED_MAX 8

static int64_t reopen(uint32_t handle) {
    union hc_args args = {.file_reopen = {.handle = handle}};
    return hypercall(HC_FILE_REOPEN, &args);
}

/* Who takes a lock looks at the file next: its attributes come along, unless nobody asks. */
static int64_t lock_and_look(struct hostfs_file *hf, union hc_args *args) {
    struct hc_attr attr = {0};
    struct hostfs_stamp now = hostfs_stamp_now();
    args->file_lock.attr = frame_gpa(&attr);
    int64_t r = hypercall(HC_FILE_LOCK, args);
    if (r != 0) return r;
    hf->attr = attr;
    hf->size = attr.size;
    hf->opened = (struct hostfs_stamp){now.ns, hypercall_news()};
    hostfs_sized(hf, now.ns);
    hf->unasked++;
    return 0;
}

/* Nobody need wait until a lock has been given up, if whatever could tell others of it is a call,
 * which comes later: not other CPUs' calls, not memory shared with them. */
static bool posts_unlock(void) { return !smp_active && !hostfs_shares_memory(); }

int64_t hostfs_lock(struct file *f, struct host_lock *l) {
    struct hostfs_file *hf = hostfs_file(f);
    uint32_t handle = hf->handle;
    if (handle == NO_HANDLE || f->mnt == NULL || f->mnt->readonly) goto nobody;
    if (!S_ISREG(f->mode) && l->what != HC_LOCK_WHOLE) goto nobody;
    if (l->owner != NULL) {
        if (*l->owner == NO_HANDLE && l->type != F_UNLCK) {
            int64_t r = reopen(handle);
            if (r < 0) return r == -EMFILE || r == -ENOMEM ? -ENOLCK : r;
            *l->owner = (uint32_t)r;
        }
        handle = *l->owner;
        if (handle == NO_HANDLE) goto nobody;
    }
    hf->locked = true;
    union hc_args args = {
        .file_lock = {
            .handle = handle, .what = l->what, .start = l->start, .len = l->len, .type = l->type}};
    if (l->what == HC_LOCK_RANGE && l->type == F_UNLCK && posts_unlock()) {
        hypercall_post(HC_FILE_LOCK, &args);
        return 0;
    }
    if (l->what == HC_LOCK_RANGE && l->type != F_UNLCK && hf->unasked < UNASKED_MAX)
        return lock_and_look(hf, &args);
    int64_t r = hypercall(HC_FILE_LOCK, &args);
    if (l->what != HC_LOCK_QUERY || r != 0) return r;
    l->start = args.file_lock.start;
    l->len = args.file_lock.len;
    l->type = args.file_lock.type;
    l->pid = args.file_lock.pid;
    return 0;
nobody:
    if (l->what == HC_LOCK_QUERY) l->type = F_UNLCK;
    return 0;
}
