/* SPDX-License-Identifier: MIT */
/* Data of ramfs files: page frames under a radix tree of index frames, holes included.
 *
 * An index frame holds 512 frame addresses; a file of one page has no index at all.  Frames are
 * shared with mappings of the file through their reference counts. */
#include <hermit/linux_abi.h>
#include <kernel/frame.h>
#include <kernel/mm.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "ramfs.h"

#define SEALED_WRITE (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)
#define INDEX_BITS 9
#define INDEX_SIZE (1u << INDEX_BITS)

/* Number of pages that a tree of this height spans; 0: all that there can be. */
static uint64_t span(uint32_t height) {
    return height * INDEX_BITS < 64 ? 1ULL << (height * INDEX_BITS) : 0;
}

/* Adds levels until `page` is covered; false without memory. */
static bool raise_index(struct rnode *n, uint64_t page) {
    while (page >= span(n->height)) {
        gpa_t top;

        if (n->index) {
            top = frame_alloc();
            if (!top) return false;
            *(gpa_t *)frame_ptr(top) = n->index;
            n->index = top;
        }
        n->height++;
    }
    return true;
}

gpa_t rdata_page(struct rnode *n, uint64_t page, bool create) {
    gpa_t *slot = &n->index;

    if (page >= span(n->height)) {
        if (!create || !raise_index(n, page)) return 0;
    }
    for (uint32_t level = n->height; level > 0; level--) {
        if (!*slot) {
            if (!create) return 0;
            *slot = frame_alloc();
            if (!*slot) return 0;
        }
        slot = (gpa_t *)frame_ptr(*slot) + (page >> ((level - 1) * INDEX_BITS) & (INDEX_SIZE - 1));
    }
    if (!*slot && create) {
        *slot = frame_alloc();
        if (*slot) n->pages++;
    }
    return *slot;
}

/* Frees the pages in [first, last] of the subtree below *slot, whose pages start at `base`; the
 * depth of the recursion is the height (at most 7). */
static void prune(struct rnode *n, gpa_t *slot, uint32_t level, uint64_t base, uint64_t first,
                  uint64_t last) {
    uint64_t step = level ? span(level - 1) : 0;
    uint64_t from, to;
    gpa_t *entries;

    if (!*slot) return;
    if (level > 0) {
        entries = frame_ptr(*slot);
        from = first > base ? (first - base) / step : 0;
        to = min((last - base) / step, (uint64_t)INDEX_SIZE - 1);
        for (uint64_t i = from; i <= to; i++)
            prune(n, entries + i, level - 1, base + i * step, first, last);
        for (uint32_t i = 0; i < INDEX_SIZE; i++)
            if (entries[i]) return;
    } else {
        n->pages--;
    }
    frame_put(*slot);
    *slot = 0;
}

/* Frees whole pages first..last. */
static void drop_pages(struct rnode *n, uint64_t first, uint64_t last) {
    uint64_t end = span(n->height);

    if (end && first >= end) return;
    prune(n, &n->index, n->height, 0, first, last);
    if (!n->index) n->height = 0;
}

void rdata_free(struct rnode *n) { drop_pages(n, 0, UINT64_MAX >> PAGE_SHIFT); }

/* Clears part of a page, if it is there. */
static void clear_part(struct rnode *n, uint64_t offset, uint64_t len) {
    gpa_t frame = len ? rdata_page(n, offset >> PAGE_SHIFT, false) : 0;

    if (frame) memset((char *)frame_ptr(frame) + (offset & PAGE_MASK), 0, len);
}

static bool is_node(const struct file *f, const void *node) {
    return f->ops->page == rdata_map && f->priv == node;
}

/* Mappings lose whole pages [start, end) (bytes), which are about to go. */
static void unmap_pages(struct rnode *n, uint64_t start, uint64_t end, bool keep_private) {
    if (n->mapped && start < end) mm_file_gone(is_node, n, start, end, keep_private);
}

bool rnode_written_by_mapping(const struct rnode *n) {
    return n->mapped && mm_file_written(is_node, n);
}

int rdata_truncate(struct rnode *n, uint64_t size) {
    if (size > INT64_MAX) return -EFBIG;
    if (size < n->size && (n->seals & F_SEAL_SHRINK)) return -EPERM;
    if (size > n->size && (n->seals & F_SEAL_GROW)) return -EPERM;
    if (size < n->size) {
        unmap_pages(n, page_up(size), UINT64_MAX, false);
        clear_part(n, size, page_up(size) - size);
        drop_pages(n, page_up(size) >> PAGE_SHIFT, UINT64_MAX >> PAGE_SHIFT);
    }
    n->size = size;
    return 0;
}

int64_t rdata_read(struct file *f, const struct uio *u, int64_t *pos) {
    struct rnode *n = f->priv;
    uint64_t at = (uint64_t)*pos, done = 0, want;

    if (at >= n->size || u->len == 0) return 0;
    want = min(u->len, n->size - at);
    while (done < want) {
        uint64_t in_page = (at + done) & PAGE_MASK;
        uint64_t step = min(PAGE_SIZE - in_page, want - done);
        gpa_t frame = rdata_page(n, (at + done) >> PAGE_SHIFT, false);
        int r = frame ? uio_fill(u, done, (char *)frame_ptr(frame) + in_page, step)
                      : uio_clear(u, done, step);

        if (r) {
            if (done == 0) return r;
            break;
        }
        done += step;
    }
    *pos += (int64_t)done;
    if (!(f->flags & O_NOATIME)) rnode_accessed(n);
    return (int64_t)done;
}

void rdata_mapped(struct file *f) {
    if (!(f->flags & O_NOATIME)) rnode_accessed(f->priv);
}

int64_t rdata_write(struct file *f, const struct uio *u, int64_t *pos) {
    struct rnode *n = f->priv;
    uint64_t at = (uint64_t)*pos, done = 0;
    int r = 0;

    if (f->flags & O_APPEND) at = n->size;
    if (u->len == 0) return 0;
    if (n->seals & SEALED_WRITE) return -EPERM;
    while (done < u->len) {
        uint64_t in_page = (at + done) & PAGE_MASK;
        uint64_t step = min(PAGE_SIZE - in_page, u->len - done);

        if ((n->seals & F_SEAL_GROW) && at + done + step > n->size) {
            r = -EPERM;
            break;
        }
        gpa_t frame = rdata_page(n, (at + done) >> PAGE_SHIFT, true);

        r = frame ? uio_drain(u, done, (char *)frame_ptr(frame) + in_page, step) : -ENOSPC;
        if (r) break;
        done += step;
    }
    if (done == 0) return r;
    n->size = max(n->size, at + done);
    *pos = (int64_t)(at + done);
    rnode_drop_privileges(n);
    rnode_touch(n);
    return (int64_t)done;
}

/* Number of pages from `page` on that are certainly a hole; 0: it is data. */
static uint64_t hole_at(struct rnode *n, uint64_t page) {
    gpa_t slot = n->index;

    if (page >= span(n->height)) return UINT64_MAX >> PAGE_SHIFT;
    for (uint32_t level = n->height; slot && level > 0; level--) {
        uint64_t below = span(level - 1);

        slot = ((gpa_t *)frame_ptr(slot))[page / below & (INDEX_SIZE - 1)];
        if (!slot) return below - page % below;
    }
    return slot ? 0 : 1;
}

/* The first page >= page (and < end) that is data (or, with hole, is not). */
static uint64_t next_page(struct rnode *n, uint64_t page, uint64_t end, bool hole) {
    while (page < end) {
        uint64_t skip = hole_at(n, page);

        if ((skip > 0) == hole) return page;
        page += hole ? 1 : skip;
    }
    return end;
}

int64_t rdata_seek(struct file *f, int64_t offset, int whence) {
    struct rnode *n = f->priv;
    int64_t base = whence == SEEK_CUR ? f->pos : whence == SEEK_END ? (int64_t)n->size : 0;
    uint64_t page, found;

    if (whence == SEEK_DATA || whence == SEEK_HOLE) {
        if (offset < 0 || (uint64_t)offset >= n->size) return -ENXIO;
        page = (uint64_t)offset >> PAGE_SHIFT;
        found = next_page(n, page, page_up(n->size) >> PAGE_SHIFT, whence == SEEK_HOLE);
        if (found > page) offset = (int64_t)min(found << PAGE_SHIFT, n->size);
        if (whence == SEEK_DATA && (uint64_t)offset >= n->size) return -ENXIO;
    } else if (__builtin_add_overflow(base, offset, &offset) || offset < 0) {
        return -EINVAL;
    }
    f->pos = offset;
    return offset;
}

static void punch(struct rnode *n, uint64_t offset, uint64_t end) {
    uint64_t first = page_up(offset), last = page_down(end);

    if (first > last) { /* inside one page */
        clear_part(n, offset, end - offset);
        return;
    }
    clear_part(n, offset, first - offset);
    clear_part(n, last, end - last);
    if (last > first) unmap_pages(n, first, last, true);
    if (last > first) drop_pages(n, first >> PAGE_SHIFT, (last >> PAGE_SHIFT) - 1);
}

int rdata_allocate(struct file *f, int mode, int64_t offset, int64_t len) {
    struct rnode *n = f->priv;
    uint64_t end = (uint64_t)offset + (uint64_t)len;

    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) return -EOPNOTSUPP;
    if (mode & FALLOC_FL_PUNCH_HOLE) {
        if (!(mode & FALLOC_FL_KEEP_SIZE)) return -EOPNOTSUPP;
        if (n->seals & SEALED_WRITE) return -EPERM;
        punch(n, (uint64_t)offset, min(end, max(page_up(n->size), (uint64_t)offset)));
        rnode_touch(n);
        return 0;
    }
    if ((n->seals & F_SEAL_GROW) && end > n->size) return -EPERM;
    if (page_up(end) - page_down(offset) > frame_usage().limit) return -ENOSPC;
    for (uint64_t page = (uint64_t)offset >> PAGE_SHIFT; page << PAGE_SHIFT < end; page++)
        if (!rdata_page(n, page, true)) return -ENOSPC;
    if (!(mode & FALLOC_FL_KEEP_SIZE)) n->size = max(n->size, end);
    rnode_touch(n);
    return 0;
}

int rdata_map(struct file *f, uint64_t offset, bool shared_write, gpa_t *out) {
    struct rnode *n = f->priv;

    if (offset >= n->size) return -ENXIO;
    n->mapped = true;
    /* A hole gets its frame now: a later write must reach whoever has mapped it. */
    *out = rdata_page(n, offset >> PAGE_SHIFT, true);
    if (!*out) return -ENOMEM;
    frame_ref(*out);
    if (shared_write)
        rnode_touch(n);
    else
        rnode_accessed(n);
    return 0;
}
