/* SPDX-License-Identifier: MIT */
/* Open host directories.  A program that opens one mostly reads it next: the listing comes with
 * the open.  Owns the buffer in which it comes. */
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/string.h>

#include "hostfs.h"

/* With the heap's own header this stays below a power of two of frames. */
#define GETDENTS_MAX (32768 - 64)

static struct arrival {
    struct hc_attr attrs[HC_MAX_AHEAD];
    char records[GETDENTS_MAX];
} * arrival;

/* The program reads the directories that it opens; without that a listing is not asked for. */
static bool program_lists;

void hostfs_list_ask(struct hc_fs_open *call) {
    if (!program_lists) return;
    if (arrival == NULL) arrival = kmalloc(sizeof(*arrival));
    if (arrival == NULL) return;
    call->records = frame_gpa(arrival->records);
    call->room = sizeof(arrival->records);
    call->attrs = frame_gpa(arrival->attrs);
    call->attrs_room = hostfs_attrs_wanted() ? HC_MAX_AHEAD : 0;
}

void hostfs_list_take(struct hostfs_file *hf, struct mount *m, const char *rel,
                      const struct hc_fs_open *call) {
    hostfs_attrs_forget(m, rel);
    if (call->len == 0) return;
    struct hostfs_early *e = kmalloc(sizeof(*e) + call->len);
    if (e == NULL) return;
    *e = (struct hostfs_early){.stamp = hf->opened, .len = call->len, .at_end = call->at_end != 0};
    memcpy(e->records, arrival->records, call->len);
    hf->early = e;
    hostfs_attrs_list(m, rel, e->records, e->len, arrival->attrs, call->attrs_count, hf->opened);
}

static void drop_early(struct hostfs_file *hf) {
    if (hf->early != NULL && hf->early->next == 0) program_lists = false; /* it was for nothing */
    kfree(hf->early);
    hf->early = NULL;
}

/* A directory's position is the d_off of an entry. */
static int64_t dir_seek(struct file *f, int64_t offset, int whence) {
    hostfs_file(f)->at_end = false;
    drop_early(hostfs_file(f));
    if (whence == SEEK_CUR && __builtin_add_overflow(f->pos, offset, &offset)) return -EINVAL;
    if (whence > SEEK_CUR) return hostfs_seek(f, offset, whence);
    if (offset < 0) return -EINVAL;
    f->pos = offset;
    return offset;
}

/* Bytes of whole records in records[0, len) that fit in room; *last is the end of the last one. */
static uint32_t whole_records(const char *records, uint32_t len, uint64_t room, int64_t *last) {
    uint32_t at = 0;
    while (at < len) {
        const struct linux_dirent64 *e = (const struct linux_dirent64 *)(records + at);
        kassert(e->d_reclen != 0);
        if (at + e->d_reclen > room) break;
        *last = e->d_off;
        at += e->d_reclen;
    }
    return at;
}

static int64_t deliver_early(struct file *f, gva_t buf, uint64_t len) {
    struct hostfs_file *hf = hostfs_file(f);
    struct hostfs_early *e = hf->early;
    int64_t pos = 0;
    uint32_t n = whole_records(e->records + e->next, e->len - e->next, len, &pos);
    if (n == 0) return -EINVAL;
    if (copy_to_user(buf, e->records + e->next, n) != 0) return -EFAULT;
    e->next += n;
    f->pos = pos;
    if (e->next < e->len) return n;
    hf->at_end = e->at_end;
    drop_early(hf);
    return n;
}

static int64_t ask_host(struct file *f, gva_t buf, uint64_t len) {
    struct hostfs_file *hf = hostfs_file(f);
    char *records = kmalloc(len);
    if (records == NULL) return -ENOMEM;
    union hc_args args = {
        .file_getdents = {
            .handle = hf->handle, .offset = f->pos, .buf = frame_gpa(records), .len = len}};
    int64_t r = hypercall(HC_FILE_GETDENTS, &args);
    if (r > 0 && copy_to_user(buf, records, (uint64_t)r) != 0) r = -EFAULT;
    if (r > 0) {
        const char *rel = hostfs_rel(f);
        if (f->pos == 0) program_lists = true;
        whole_records(records, (uint32_t)r, (uint64_t)r, &f->pos);
        hf->at_end = args.file_getdents.at_end != 0;
        if (rel != NULL)
            hostfs_attrs_list(f->mnt, rel, records, (uint32_t)r, NULL, 0,
                              (struct hostfs_stamp){0, 0});
    }
    kfree(records);
    return r;
}

static int64_t dir_getdents(struct file *f, gva_t buf, uint64_t len) {
    struct hostfs_file *hf = hostfs_file(f);
    if (hf->at_end) { /* said once; asked again, the host is asked too */
        hf->at_end = false;
        return 0;
    }
    hf->opened.ns = 0; /* reading may set the access time */
    len = min(len, (uint64_t)GETDENTS_MAX);
    if (len == 0) return -EINVAL;
    if (hf->early != NULL && hostfs_stamp_good(&hf->early->stamp))
        return deliver_early(f, buf, len);
    drop_early(hf);
    return ask_host(f, buf, len);
}

static void dir_release(struct file *f) {
    drop_early(hostfs_file(f));
    hostfs_release(f);
}

const struct file_ops hostfs_dir_ops = {
    .seek = dir_seek,
    .getdents = dir_getdents,
    .getattr = hostfs_getattr,
    .xattr = hostfs_xattr,
    .setattr = hostfs_setattr,
    .sync = hostfs_sync,
    .syncfs = hostfs_syncfs,
    .lock = hostfs_lock,
    .statfs = hostfs_statfs,
    .release = dir_release,
};
