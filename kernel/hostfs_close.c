/* SPDX-License-Identifier: MIT */
/* Closing host files.  Owns the use counts of the standard streams and the handles that are to be
 * closed soon.
 *
 * What nobody can miss, a directory or a regular file that was open for reading and has no page
 * mapped, is closed together with the next open or before the next sleep.  Until then, and while
 * what its open told is good, who opens the same path gets the same handle. */
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/string.h>
#include <kernel/wait.h>

#include "hostfs.h"

#define STDIO 3
/* Flags of an open that are no matter of the loader's or cannot change its answer once it has
 * opened a regular file for reading. */
#define PLAIN_FLAGS (O_CLOEXEC | O_NONBLOCK | O_LARGEFILE | O_NOCTTY | O_NOFOLLOW)

static uint32_t stdio_users[STDIO]; /* open files that stand for the stream */
static uint32_t removals;

static struct late {
    uint32_t handle;
    struct mount *mnt;
    char *rel; /* owned; NULL: not to be opened again */
    struct hostfs_stamp opened;
    struct hc_attr attr;
} late[HC_MAX_CLOSE];
static uint32_t late_count;

void hostfs_use_stdio(uint32_t handle) { stdio_users[handle]++; }

uint32_t hostfs_take_closes(uint32_t *out) {
    uint32_t n = late_count;
    for (uint32_t i = 0; i < n; i++) {
        kfree(late[i].rel);
        out[i] = late[i].handle;
    }
    late_count = 0;
    return n;
}

/* Those that cannot be opened again, or all if there are many. */
uint32_t hostfs_take_old_closes(uint32_t *out) {
    uint32_t n = 0, left = 0;
    if (late_count == HC_MAX_CLOSE) return hostfs_take_closes(out);
    for (uint32_t i = 0; i < late_count; i++) {
        if (late[i].rel != NULL && hostfs_stamp_good(&late[i].opened)) {
            late[left++] = late[i];
        } else {
            kfree(late[i].rel);
            out[n++] = late[i].handle;
        }
    }
    late_count = left;
    return n;
}

static void close_now(uint32_t handle) {
    uint32_t more[HC_MAX_CLOSE];
    if (handle == NO_HANDLE) return;
    if (handle < STDIO && --stdio_users[handle] > 0) return;
    union hc_args args = {.file_close = {.handle = handle,
                                         .more_count = hostfs_take_closes(more),
                                         .more = frame_gpa(more)}};
    hypercall(HC_FILE_CLOSE, &args);
}

void hostfs_close_handle(uint32_t handle) { close_now(handle); }

static void flush_closes(void) {
    if (late_count == 0) return;
    kfree(late[--late_count].rel);
    close_now(late[late_count].handle);
}

uint32_t hostfs_removals(void) { return removals; }

void hostfs_names_go(void) {
    removals++;
    flush_closes();
}

static bool closes_late(const struct file *f, bool mapped) {
    const struct hostfs_file *hf = hostfs_file(f);
    if (hf->handle == NO_HANDLE || hf->handle < STDIO || mapped || hf->locked) return false;
    if ((f->flags & (O_ACCMODE | O_PATH)) != O_RDONLY || hf->removals != removals) return false;
    return S_ISDIR(f->mode) || S_ISREG(f->mode);
}

static bool is_plain(uint32_t flags) { return (flags & ~(uint32_t)PLAIN_FLAGS) == O_RDONLY; }

void hostfs_close(struct file *f, bool mapped) {
    const struct hostfs_file *hf = hostfs_file(f);
    if (!closes_late(f, mapped)) {
        close_now(hf->handle);
        return;
    }
    if (late_count == HC_MAX_CLOSE) flush_closes();
    const char *rel = hostfs_rel(f);
    bool again = S_ISREG(f->mode) && is_plain(f->flags) && rel != NULL && !f->unlinked &&
                 hostfs_stamp_good(&hf->opened);
    late[late_count++] = (struct late){.handle = hf->handle,
                                       .mnt = f->mnt,
                                       .rel = again ? kstrdup(rel) : NULL,
                                       .opened = hf->opened,
                                       .attr = hf->attr};
}

bool hostfs_open_again(struct mount *m, const char *rel, uint32_t flags, struct hostfs_file *hf) {
    if (!is_plain(flags)) return false;
    for (uint32_t i = 0; i < late_count; i++) {
        struct late *l = &late[i];
        if (l->rel == NULL || l->mnt != m || strcmp(l->rel, rel) != 0) continue;
        if (!hostfs_stamp_good(&l->opened)) return false;
        hf->handle = l->handle;
        hf->opened = l->opened;
        hf->attr = l->attr;
        hf->size = l->attr.size;
        hf->removals = removals;
        kfree(l->rel);
        *l = late[--late_count];
        return true;
    }
    return false;
}
