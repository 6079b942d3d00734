/* SPDX-License-Identifier: MIT */
/* Transfers between program memory and host files: program pages become guest-physical segments
 * and the loader reads or writes them in place.  Owns nothing. */
#include <hermit/linux_abi.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/job.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/wait.h>

#include "hostfs.h"

#define ELF_HEADER 64
#define FEW_SEGS 48   /* on the stack */
#define MANY_SEGS 248 /* one heap frame, header included */

/* A write so large may have to wait until the host has written back others. */
#define LARGE_WRITE (1u << 20)

/* One transfer.  What the host has in memory comes at once; if it has to wait for a disk and there
 * are other threads, they run meanwhile. */
static int64_t transfer(struct file *f, bool write, union hc_args *args, const struct hc_seg *segs,
                        int64_t want) {
    enum hc_nr nr = write ? HC_FILE_WRITE : HC_FILE_READ;
    struct hc_file_io *io = &args->file_io;
    bool disk = S_ISREG(f->mode) && job_worthwhile();
    if (disk && write) disk = want >= LARGE_WRITE || (f->flags & (O_SYNC | O_DSYNC)) != 0;
    if (disk && !write) {
        io->flags |= HC_IO_NOWAIT;
        int64_t r = hypercall(nr, args);
        if (r >= 0) return r;
        io->flags &= ~(uint32_t)HC_IO_NOWAIT;
        disk = r == -EAGAIN;
    }
    if (!disk || !job_pin(segs, io->count)) return hypercall(nr, args);
    int64_t r = job_run(nr, args);
    job_unpin(segs, io->count);
    return r;
}

static int64_t move_with(struct file *f, const struct uio *u, const struct hostfs_move *m,
                         struct hc_seg *segs, uint32_t max) {
    uint64_t at = m->from;
    int64_t r = 0;
    while (at < u->len) {
        uint32_t count;
        int64_t want = uio_segments(u, at, u->len - at, !m->write, segs, max, &count);
        r = want;
        if (want <= 0) break;
        int64_t offset = m->offset < 0 ? -1 : m->offset + (int64_t)(at - m->from);
        union hc_args args = {.file_io = {.handle = hostfs_file(f)->handle,
                                          .flags = m->flags,
                                          .offset = offset,
                                          .segs = frame_gpa(segs),
                                          .count = count}};
        r = transfer(f, m->write, &args, segs, want);
        if (r <= 0) break;
        at += (uint64_t)r;
        if (m->pos != NULL) *m->pos = args.file_io.pos;
        if (r < want && (m->write || !S_ISREG(f->mode))) break; /* a file may have more on disk */
    }
    return at > m->from ? (int64_t)(at - m->from) : r;
}

static uint64_t own_writes;

uint64_t hostfs_own_writes(void) { return own_writes; }

int64_t hostfs_move(struct file *f, const struct uio *u, const struct hostfs_move *m) {
    struct hc_seg few[FEW_SEGS];
    struct hc_seg *many = NULL;
    if (m->write && S_ISREG(f->mode)) {
        hypercall_note_news();
        own_writes++;
    }
    if (u->len - m->from > FEW_SEGS * PAGE_SIZE) many = kmalloc(MANY_SEGS * sizeof(*many));
    if (many == NULL) return move_with(f, u, m, few, FEW_SEGS);
    int64_t r = move_with(f, u, m, many, MANY_SEGS);
    kfree(many);
    return r;
}

/* From the window that the loader made before boot: no call at all. */
static int64_t read_program(const struct hostfs_file *hf, const struct uio *u, int64_t *pos) {
    uint64_t at = (uint64_t)*pos;
    if (at >= hf->size) return 0;
    uint64_t n = min(u->len, hf->size - at);
    if (uio_fill(u, 0, (const char *)frame_ptr(hf->windows->gpa) + at, n) != 0) return -EFAULT;
    *pos += (int64_t)n;
    return (int64_t)n;
}

/* The host's position counts, not the guest's: a redirected file whose position other processes
 * share, read or written at its current position. */
static bool at_shared_position(const struct file *f, const int64_t *pos) {
    return hostfs_file(f)->stdio && pos == &f->pos;
}

static bool position_free(void *file) { return !hostfs_file(file)->moving; }

/* Two threads read or write one open file one after the other where it stands.  0, or
 * -ERESTARTNOINTR to let a signal be delivered first. */
static int take_position(struct file *f, const int64_t *pos) {
    struct hostfs_file *hf = hostfs_file(f);
    if (pos != &f->pos) return 0;
    while (hf->moving)
        if (wait_until(position_free, f, NULL, 0, WAIT_FOREVER) != 0) return -ERESTARTNOINTR;
    hf->moving = true;
    return 0;
}

static void leave_position(struct file *f, const int64_t *pos) {
    if (pos != &f->pos) return;
    hostfs_file(f)->moving = false;
    if (job_worthwhile()) wait_poke();
}

/* Who reads that is likely to map the file's text. */
static bool begins_elf(const struct uio *u) {
    char magic[4];
    return uio_drain(u, 0, magic, sizeof(magic)) == 0 && memcmp(magic, "\177ELF", 4) == 0;
}

int64_t hostfs_read(struct file *f, const struct uio *u, int64_t *pos) {
    struct hostfs_file *hf = hostfs_file(f);
    if (u->len == 0) return 0;
    if (hf->is_program && hf->windows != NULL && hf->windows->of_boot)
        return read_program(hf, u, pos);
    int r = take_position(f, pos);
    if (r != 0) return r;
    bool shared = at_shared_position(f, pos);
    struct hostfs_move m = {.offset = shared ? -1 : *pos, .pos = shared ? pos : NULL};
    int64_t n;
    if (shared || !hostfs_read_small(f, u, *pos, &n)) {
        n = hostfs_move(f, u, &m);
        if (!shared) hostfs_small_done(f, *pos, n);
    }
    if (*pos == 0 && n >= ELF_HEADER && !shared) hf->elf = hf->elf || begins_elf(u);
    if (n > 0 && !shared) *pos += n;
    leave_position(f, pos);
    return n;
}

int64_t hostfs_write(struct file *f, const struct uio *u, int64_t *pos) {
    struct hostfs_file *hf = hostfs_file(f);
    if (u->len == 0) return 0;
    int r = take_position(f, pos);
    if (r != 0) return r;
    bool append = (f->flags & O_APPEND) != 0;
    bool reported = append || at_shared_position(f, pos);
    struct hostfs_move m = {.write = true,
                            .flags = append ? HC_IO_APPEND : 0,
                            .offset = reported ? -1 : *pos,
                            .pos = reported ? pos : NULL};
    int64_t n = hostfs_move(f, u, &m);
    if (n > 0 && !reported) *pos += n;
    leave_position(f, pos);
    if (n <= 0) return n;
    hostfs_pages_drop(hf, (uint64_t)(*pos - n), (uint64_t)*pos);
    if (!reported) hostfs_small_done(f, *pos - n, n);
    hf->size = max(hf->size, (uint64_t)*pos);
    return n;
}
