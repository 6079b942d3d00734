/* SPDX-License-Identifier: MIT */
/* What the host's cache of rewritten objects has for an open host file.  Owns a hostfs_file's
 * `rewritten`. */
#include <hermit/boot.h>
#include <hermit/rewrite_cache.h>
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/rewrite.h>
#include <kernel/string.h>
#include <kernel/wait.h>

#include "hostfs.h"

#define STUBS_NAME "[hermit]" /* of their mappings, in /proc/self/maps */

/* The cache's file as one that can be mapped; takes over the window or the handle. */
static struct file *cache_file(uint64_t size, gpa_t gpa, uint32_t handle) {
    struct hostfs_file *hf = kzalloc(sizeof(*hf));
    struct hostfs_window *w = gpa != 0 ? kzalloc(sizeof(*w)) : NULL;
    struct file *f = file_new(&hostfs_regular_ops, O_RDONLY, S_IFREG);
    if (hf == NULL || f == NULL || (gpa != 0 && w == NULL)) {
        kfree(hf);
        kfree(w);
        kfree(f);
        return NULL;
    }
    hf->handle = handle;
    hf->is_cache = true;
    hf->no_windows = true;
    hf->size = size;
    if (w != NULL) *w = (struct hostfs_window){.len = size, .gpa = gpa};
    hf->windows = w;
    f->priv = hf;
    f->path = kstrdup(STUBS_NAME);
    return f;
}

static void give_back(uint64_t size, gpa_t gpa, uint32_t handle) {
    union hc_args args = {.file_unmap = {.gpa = gpa, .len = size}};
    if (gpa != 0) hypercall(HC_FILE_UNMAP, &args);
    if (handle != NO_HANDLE) hostfs_close_handle(handle);
}

/* Makes the answer the file's. */
static void keep(struct hostfs_file *hf, const struct hermit_cached *head, gpa_t gpa,
                 uint32_t handle) {
    struct rewritten *r = kzalloc(sizeof(*r));
    uint64_t bytes = sizeof(*head) + head->npages * sizeof(head->pages[0]);
    struct hermit_cached *copy = kmalloc(bytes);
    bool mapped = gpa == 0 || paging_direct_add(gpa, head->size);
    struct file *f =
        mapped && r != NULL && copy != NULL ? cache_file(head->size, gpa, handle) : NULL;
    if (f == NULL) {
        kfree(r);
        kfree(copy);
        give_back(head->size, gpa, handle);
        return;
    }
    memcpy(copy, head, bytes);
    *r = (struct rewritten){.file = f, .head = copy};
    hf->rewritten = r;
}

static void ask(struct hostfs_file *hf, bool executed) {
    gpa_t frame = frame_alloc_raw(0);
    if (frame == 0) return;
    const struct hermit_cached *head = frame_ptr(frame);
    union hc_args args = {
        .file_rewritten = {.handle = hf->handle, .executed = executed, .head = frame}};
    int64_t r = hypercall(HC_FILE_REWRITTEN, &args);
    hf->cache_asked = r != -ENOENT || executed;
    hf->no_sites = r == -ENODATA;
    if (r == 0) keep(hf, head, args.file_rewritten.gpa, args.file_rewritten.cached);
    frame_put(frame);
}

const struct rewritten *hostfs_rewritten(struct file *f, bool executed) {
    static const struct rewritten maybe;
    struct hostfs_file *hf = hostfs_file(f);
    if (hf->rewritten != NULL) return hf->rewritten;
    if (hf->is_cache || hf->handle == NO_HANDLE || !S_ISREG(f->mode)) return NULL;
    if (!executed && !hf->elf) return NULL;
    if (!hf->cache_asked && (boot_info()->flags & HERMIT_BOOT_CACHE)) ask(hf, executed);
    if (hf->rewritten != NULL) return hf->rewritten;
    return hf->no_sites ? NULL : &maybe;
}

void hostfs_rewritten_boot(struct hostfs_file *hf) {
    const struct hermit_boot *boot = boot_info();
    hf->cache_asked = true;
    if (boot->prog_cached == 0) return;
    const void *head = boot_string(boot->prog_cached);
    keep(hf, head, boot->prog_cached_gpa, boot->prog_cached_handle);
}

void hostfs_rewritten_release(struct hostfs_file *hf) {
    if (hf->rewritten == NULL) return;
    file_put(hf->rewritten->file);
    kfree(hf->rewritten->head);
    kfree(hf->rewritten);
}
