/* SPDX-License-Identifier: MIT */
/* Pages of host files for mmap(2): windows of the host's page cache in guest-physical space, or,
 * where the engine has none, frames filled by reading.  Owns both lists of a hostfs_file. */
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/mm.h>
#include <kernel/string.h>
#include <kernel/wait.h>

#include "hostfs.h"

#define GROWTH_MAX (64UL << 20) /* bytes mapped ahead of a growing file */
#define READ_AHEAD 16           /* pages per read without windows */

static uint32_t writable_windows;

bool hostfs_shares_memory(void) { return writable_windows > 0; }

static struct hostfs_window *find(const struct hostfs_file *hf, uint64_t offset, bool writable) {
    for (struct hostfs_window *w = hf->windows; w != NULL; w = w->next) {
        if (offset >= w->offset && offset - w->offset < w->len && (w->writable || !writable))
            return w;
    }
    return NULL;
}

/* Maps what no window of the kind covers yet.  A file that grows gets windows that double, so that
 * their number stays small; a window may reach past the end of the file. */
static int add_window(struct hostfs_file *hf, bool writable) {
    uint64_t covered = 0;
    for (const struct hostfs_window *w = hf->windows; w != NULL; w = w->next)
        if (w->writable || !writable) covered = max(covered, w->offset + w->len);
    uint64_t end = page_up(hf->size);
    if (covered != 0) end = max(end, covered + min(covered, (uint64_t)GROWTH_MAX));
    struct hostfs_window *w = kzalloc(sizeof(*w));
    if (w == NULL) return -ENOMEM;
    union hc_args args = {
        .file_map = {
            .handle = hf->handle, .writable = writable, .offset = covered, .len = end - covered}};
    int64_t r = hypercall(HC_FILE_MAP, &args);
    if (r < 0) {
        kfree(w);
        return (int)r;
    }
    *w = (struct hostfs_window){.next = hf->windows,
                                .offset = covered,
                                .len = end - covered,
                                .gpa = args.file_map.gpa,
                                .writable = writable};
    hf->windows = w;
    writable_windows += writable;
    return 0;
}

static int reserve_pages(struct hostfs_file *hf, uint64_t count) {
    if (count <= hf->page_count) return 0;
    gpa_t *pages = krealloc(hf->pages, count * sizeof(*pages));
    if (pages == NULL) return -ENOMEM;
    memset(pages + hf->page_count, 0, (count - hf->page_count) * sizeof(*pages));
    hf->pages = pages;
    hf->page_count = count;
    return 0;
}

/* Frames for pages first, first+1, ... that have none yet; how many. */
static uint32_t add_frames(struct hostfs_file *hf, uint64_t first, struct hc_seg *segs) {
    uint32_t n = 0;
    while (n < READ_AHEAD && first + n < hf->page_count && hf->pages[first + n] == 0) {
        gpa_t frame = frame_alloc();
        if (frame == 0) break;
        hf->pages[first + n] = frame;
        segs[n++] = (struct hc_seg){.gpa = frame, .len = PAGE_SIZE};
    }
    return n;
}

/* Fills page `first` and some that follow; what lies past the end of the file stays zero. */
static int read_pages(struct hostfs_file *hf, uint64_t first) {
    struct hc_seg segs[READ_AHEAD];
    uint32_t count = add_frames(hf, first, segs);
    if (count == 0) return -ENOMEM;
    union hc_args args = {.file_io = {.handle = hf->handle,
                                      .offset = (int64_t)(first << PAGE_SHIFT),
                                      .segs = frame_gpa(segs),
                                      .count = count}};
    int64_t r = hypercall(HC_FILE_READ, &args);
    uint64_t good = r > 0 ? page_up(r) >> PAGE_SHIFT : 0;
    for (uint64_t i = good; i < count; i++) { /* a short read: to be tried again when wanted */
        frame_put(hf->pages[first + i]);
        hf->pages[first + i] = 0;
    }
    if (r < 0) return (int)r;
    return good > 0 ? 0 : -ENXIO;
}

static int cached_page(struct hostfs_file *hf, uint64_t offset, bool shared_write, gpa_t *out) {
    uint64_t number = offset >> PAGE_SHIFT;
    if (shared_write) return -ENODEV; /* writes would not reach the file */
    int r = reserve_pages(hf, page_up(hf->size) >> PAGE_SHIFT);
    if (r == 0 && hf->pages[number] == 0) r = read_pages(hf, number);
    if (r != 0) return r;
    frame_ref(hf->pages[number]);
    *out = hf->pages[number];
    return 0;
}

static uint32_t truncations;

static bool is_of_mount(const struct file *f, const void *mount) {
    return f->ops->page == hostfs_page && f->mnt == mount;
}

static bool is_same_file(const struct file *f, const void *other) {
    if (f->ops->page != hostfs_page) return false;
    const struct hc_attr *a = &hostfs_file(f)->attr, *b = &hostfs_file(other)->attr;
    return a->ino == b->ino && a->dev == b->dev && a->ino != 0;
}

void hostfs_truncating(const struct mount *m, const struct file *f, uint64_t size) {
    truncations++;
    if (f != NULL)
        mm_file_gone(is_same_file, f, page_up(size), UINT64_MAX, false);
    else
        mm_file_gone(is_of_mount, m, page_up(size), UINT64_MAX, true);
}

static bool is_host_file(const struct file *f, const void *unused) {
    return f->ops->page == hostfs_page;
}

void hostfs_remap_all(void) {
    truncations++;
    mm_file_gone(is_host_file, NULL, 0, UINT64_MAX, true);
}

/* Looks at the size again if some file was truncated since it was seen. */
static void refresh_size(struct file *f) {
    struct hostfs_file *hf = hostfs_file(f);
    struct hc_attr attr;
    if (hf->sized == truncations || hf->is_program || hf->is_cache) return;
    hf->opened.ns = 0; /* not from what the open told */
    if (hostfs_getattr(f, &attr) == 0) hf->sized = truncations;
}

static uint64_t others_news(void) { return hypercall_news() - hostfs_own_writes(); }

void hostfs_sized(struct hostfs_file *hf, int64_t ns) {
    hf->sized_at = (struct hostfs_stamp){ns, others_news()};
}

bool hostfs_size_fresh(struct file *f) {
    struct hostfs_file *hf = hostfs_file(f);
    const struct hostfs_stamp *s = &hf->sized_at;
    int64_t now = clock_monotonic_ns();
    struct hc_attr attr;
    bool good = s->ns != 0 && now - s->ns < HOSTFS_MAX_AGE_NS && s->news == others_news();
    if (good && hf->sized == truncations) return true;
    hf->opened.ns = 0; /* not from what the open told */
    if (hostfs_getattr(f, &attr) != 0) return false;
    hf->sized = truncations;
    hostfs_sized(hf, now);
    return true;
}

int hostfs_page(struct file *f, uint64_t offset, bool shared_write, gpa_t *out) {
    struct hostfs_file *hf = hostfs_file(f);
    struct hc_attr attr;
    refresh_size(f);
    if (offset >= page_up(hf->size) &&
        (hostfs_getattr(f, &attr) != 0 || offset >= page_up(hf->size)))
        return -ENXIO;
    struct hostfs_window *w = find(hf, offset, shared_write);
    if (w == NULL && !hf->no_windows) {
        int r = add_window(hf, shared_write);
        if (r == -EACCES || r == -EPERM) return r;
        if (r != 0) hf->no_windows = true;
        w = find(hf, offset, shared_write);
    }
    if (w == NULL) return cached_page(hf, offset, shared_write, out);
    *out = w->gpa + (offset - w->offset);
    if (frame_is_ram(*out)) frame_ref(*out);
    return 0;
}

int64_t hostfs_read_frames(struct file *f, uint64_t offset, const struct hc_seg *segs,
                           uint32_t count) {
    const struct hostfs_file *hf = hostfs_file(f);
    if (hf->handle == NO_HANDLE || hf->stdio || (f->flags & O_DIRECT)) return -EOPNOTSUPP;
    /* A private page that was not written shows what becomes of the file: who has it open for
     * writing may look for that. */
    if ((f->flags & O_ACCMODE) != O_RDONLY) return -EOPNOTSUPP;
    union hc_args args = {.file_io = {.handle = hf->handle,
                                      .flags = HC_IO_NOWAIT,
                                      .offset = (int64_t)offset,
                                      .segs = frame_gpa(segs),
                                      .count = count}};
    int64_t n = hypercall(HC_FILE_READ, &args);
    /* Part of a page is all of it at the end of the file only: the rest may be on disk. */
    return n > 0 && offset + (uint64_t)n != hf->size ? n & ~(int64_t)PAGE_MASK : n;
}

void hostfs_pages_drop(struct hostfs_file *hf, uint64_t start, uint64_t end) {
    for (uint64_t i = start >> PAGE_SHIFT; i < hf->page_count && i << PAGE_SHIFT < end; i++) {
        if (hf->pages[i] != 0) frame_put(hf->pages[i]);
        hf->pages[i] = 0;
    }
}

void hostfs_map_release(struct hostfs_file *hf) {
    hostfs_pages_drop(hf, 0, UINT64_MAX);
    kfree(hf->pages);
    while (hf->windows != NULL) {
        struct hostfs_window *w = hf->windows;
        hf->windows = w->next;
        union hc_args args = {.file_unmap = {.gpa = w->gpa, .len = w->len}};
        if (!w->of_boot) hypercall(HC_FILE_UNMAP, &args);
        writable_windows -= w->writable;
        kfree(w);
    }
}
