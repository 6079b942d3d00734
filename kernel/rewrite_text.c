/* SPDX-License-Identifier: MIT */
/* Text that the host's cache has rewritten (hermit/rewrite_cache.h).  Owns the files of kind
 * text_ops and mm.texts.
 *
 * Such a mapping belongs to a file of its own: pages that changed are the cache's, all others the
 * original's.  The stubs are mapped where their object's addresses end.  As long as a piece of the
 * text is there, so are they.  If the program wants their place, or the text to be other than
 * executable, the text becomes the original's again, under the program's feet. */
#include <hermit/linux_abi.h>
#include <hermit/rewrite_cache.h>
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/heap.h>
#include <kernel/rewrite.h>
#include <kernel/smp.h>
#include <kernel/stats.h>
#include <kernel/string.h>
#include <kernel/vfs.h>

#include "mm_internal.h"

#define ROOM_MAX (64ULL << 20) /* bytes kept free above an object */
/* Where the commonest sites lead when they become jumps (rewrite_lazy.c): behind nearly all of
 * libc's comes `cmp $-4096, %rax`, 48 3d 00 f0 ff ff, and the jump goes 0x3d48LL bytes ahead. */
#define LAZY_ROOM 0x3d5000ULL
#define EAGER_BYTES (16 * PAGE_SIZE) /* of stubs: a fault costs more than all their entries */
#define CHUNK 128u                   /* bytes on the stack */

struct rewritten_text {
    LIST_ENTRY(rewritten_text) link;
    struct mm *mm;
    struct file *file, *original; /* of this kind; what it stands for (a reference) */
    const struct rewritten *is;   /* the original's */
    gva_t stubs;
    uint64_t stubs_len;
};

/* Where the cache's file has page `offset` of the original; 0: it is the original's. */
static uint64_t cached_offset(const struct hermit_cached *c, uint64_t offset) {
    uint64_t page = offset >> PAGE_SHIFT;
    uint32_t low = 0, high = c->npages;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (c->pages[mid] < page)
            low = mid + 1;
        else
            high = mid;
    }
    bool found = low < c->npages && c->pages[low] == page;
    return found ? (1ULL + low) << PAGE_SHIFT : 0;
}

static int text_page(struct file *f, uint64_t offset, bool shared_write, gpa_t *out) {
    const struct rewritten_text *t = f->priv;
    uint64_t at = cached_offset(t->is->head, offset);
    struct file *from = at != 0 ? t->is->file : t->original;
    return from->ops->page(from, at != 0 ? at : offset, false, out);
}

static int text_getattr(struct file *f, struct hc_attr *attr) {
    const struct rewritten_text *t = f->priv;
    return file_getattr(t->original, attr);
}

/* The last mapping is gone. */
static void text_release(struct file *f) {
    struct rewritten_text *t = f->priv;
    LIST_REMOVE(t, link);
    struct vma *v = mm_find(t->mm, t->stubs);
    if (v != NULL && v->file == t->is->file && (v->state & VMA_STUBS)) {
        pages_unmap(t->mm, v->start, v->end);
        vma_remove(t->mm, v);
    }
    file_put(t->original);
    kfree(t);
}

static const struct file_ops text_ops = {
    .getattr = text_getattr,
    .page = text_page,
    .release = text_release,
};

static struct rewritten_text *text_of(const struct vma *v) {
    return v->file != NULL && v->file->ops == &text_ops ? v->file->priv : NULL;
}

struct file *rewrite_original_file(struct file *f) {
    return f->ops == &text_ops ? ((struct rewritten_text *)f->priv)->original : f;
}

/* As file_ops.rewritten. */
static const struct rewritten *look_up(struct file *f, bool executed) {
    return rewrite_enabled() && f->ops->rewritten != NULL ? f->ops->rewritten(f, executed) : NULL;
}

static const struct rewritten *rewritten(struct file *f, bool executed) {
    const struct rewritten *is = look_up(f, executed);
    return is != NULL && is->head != NULL ? is : NULL;
}

uint64_t rewrite_room(struct file *f, uint64_t len, bool executed) {
    const struct rewritten *is = look_up(f, executed);
    if (is == NULL || len > HERMIT_USER_TOP) return 0;
    if (is->head == NULL) return rewrite_lazy_enabled() ? LAZY_ROOM : 0;
    const struct hermit_cached *c = is->head;
    uint64_t end = c->low + page_up(len), all = c->stubs_addr + c->stubs_size;
    return all > end && all - end <= ROOM_MAX ? all - end : 0;
}

gva_t rewrite_choose(struct mm *mm, struct file *f, uint64_t len, bool executed) {
    uint64_t more = rewrite_room(f, len, executed);
    return more != 0 ? vma_find_free(mm, mm->mmap_top, page_up(len) + more) : 0;
}

/* Where the stubs belong if [offset, offset + len) is mapped at `at`; 0: this is not all text. */
static gva_t stubs_place(const struct hermit_cached *c, gva_t at, uint64_t len, uint64_t offset) {
    for (uint32_t i = 0; i < c->ntexts; i++) {
        const struct hermit_cached_text *t = &c->texts[i];
        if (offset < t->offset || offset - t->offset > t->len) continue;
        if (len > t->len - (offset - t->offset)) continue;
        gva_t stubs = at + (c->stubs_addr - (t->addr + (offset - t->offset)));
        return range_valid(stubs, c->stubs_size) && stubs >= at + len ? stubs : 0;
    }
    return 0;
}

static struct rewritten_text *find_text(struct mm *mm, const struct rewritten *is, gva_t stubs) {
    struct rewritten_text *t;
    LIST_FOREACH(t, &mm->texts, link) {
        if (t->is == is && t->stubs == stubs) return t;
    }
    return NULL;
}

static bool map_stubs(struct mm *mm, const struct rewritten *is, gva_t at) {
    const struct hermit_cached *c = is->head;
    uint64_t offset = (1ULL + c->npages) << PAGE_SHIFT;
    int64_t r = mm_map(mm, at, c->stubs_size, PROT_READ | PROT_EXEC,
                       MAP_PRIVATE | MAP_FIXED_NOREPLACE, is->file, offset, NULL);
    if (r < 0) return false;
    rewrite_stubs_mapped(mm, at, c->stubs_size);
    pages_populate(mm, mm_find(mm, at), at, at + min(c->stubs_size, (uint64_t)EAGER_BYTES));
    return true;
}

static struct rewritten_text *make_text(struct mm *mm, struct file *f, const struct rewritten *is,
                                        gva_t stubs) {
    struct rewritten_text *t = kzalloc(sizeof(*t));
    struct file *file = t != NULL ? file_new(&text_ops, O_RDONLY, S_IFREG) : NULL;
    if (file == NULL || !map_stubs(mm, is, stubs)) {
        kfree(file);
        kfree(t);
        return NULL;
    }
    *t = (struct rewritten_text){.mm = mm,
                                 .file = file,
                                 .original = file_ref(f),
                                 .is = is,
                                 .stubs = stubs,
                                 .stubs_len = is->head->stubs_size};
    file->priv = t;
    file->path = f->path != NULL ? kstrdup(f->path) : NULL;
    file->unlinked = f->unlinked;
    LIST_INSERT_HEAD(&mm->texts, t, link);
    return t;
}

void rewrite_text_mapped(struct mm *mm, gva_t at, uint64_t len, struct file *f, uint64_t offset) {
    const struct rewritten *is = rewritten(f, true);
    len = page_up(len);
    gva_t stubs = is != NULL ? stubs_place(is->head, at, len, offset) : 0;
    if (stubs == 0 || vma_split_range(mm, at, at + len) != 0) return;
    struct rewritten_text *t = find_text(mm, is, stubs);
    bool is_new = t == NULL;
    if (is_new) t = make_text(mm, f, is, stubs);
    if (t == NULL) return;
    struct vma *v = mm_find(mm, at);
    pages_unmap(mm, at, at + len); /* MAP_POPULATE, locked memory */
    file_put(v->file);
    v->file = is_new ? t->file : file_ref(t->file);
    hermit_stats.cached_objects++;
}

/* Puts the original's bytes where `bytes`, n of the page at `offset` from `into` on, are the
 * cache's. */
static void show_page(const struct rewritten_text *t, uint64_t offset, uint64_t into,
                      uint8_t *bytes, uint64_t n) {
    uint8_t old[CHUNK], new[CHUNK];
    gpa_t from, to;
    uint64_t at = cached_offset(t->is->head, offset);
    if (at == 0 || t->original->ops->page(t->original, offset, false, &from) != 0) return;
    if (t->is->file->ops->page(t->is->file, at, false, &to) == 0) {
        for (uint64_t done = 0, part; done < n; done += part) {
            part = min(n - done, (uint64_t)CHUNK);
            if (user_copy(old, frame_ptr(from + into + done), part) != 0) break;
            if (user_copy(new, frame_ptr(to + into + done), part) != 0) break;
            for (uint64_t i = 0; i < part; i++)
                if (old[i] != new[i] && bytes[done + i] == new[i]) bytes[done + i] = old[i];
        }
        if (frame_is_ram(to)) frame_put(to); /* the references just taken */
    }
    if (frame_is_ram(from)) frame_put(from);
}

void rewrite_show_text(struct mm *mm, gva_t at, uint8_t *bytes, uint64_t n) {
    const struct vma *v = mm_find(mm, at);
    const struct rewritten_text *t = v != NULL ? text_of(v) : NULL;
    if (t == NULL) return;
    uint64_t offset = v->offset + (page_down(at) - v->start);
    show_page(t, offset, at & PAGE_MASK, bytes, min(n, PAGE_SIZE - (at & PAGE_MASK)));
}

struct restore {
    const struct vma *vma;
    const struct rewritten_text *text;
};

/* A copy that the process has for itself: a debugger wrote to it, or a site was patched. */
static bool restore_copy(uint64_t *pte, gva_t at, void *arg) {
    const struct restore *r = arg;
    gpa_t gpa = *pte & PTE_GPA;
    if (!(*pte & (PTE_P | PTE_NONE)) || !frame_is_ram(gpa)) return false;
    show_page(r->text, r->vma->offset + (at - r->vma->start), 0, frame_ptr(gpa), PAGE_SIZE);
    return false;
}

/* The other CPUs do not run the program until the kernel is left. */
static void restore_text(struct rewritten_text *t) {
    struct mm *mm = t->mm;
    struct file *file = file_ref(t->file);
    struct stale stale = {0}; /* everything is flushed */
    struct vma *v;
    smp_flush(mm->root);
    rewrite_leave_stubs(mm);
    RB_FOREACH(v, vma_tree, &mm->vmas) {
        if (v->file != file) continue;
        struct restore r = {v, t};
        rewrite_undo(mm, v->start, v->end, false); /* a jump there may consist of changed bytes */
        pages_drop_file(mm, v, v->start, v->end, &stale);
        pages_walk(mm, v->start, v->end, restore_copy, &r, &stale);
        v->file = file_ref(t->original);
        file_put(file);
    }
    paging_flush(mm->root);
    file_put(file); /* and the stubs go */
    percpu()->full_restore = 1;
}

static bool overlaps(gva_t start, gva_t end, gva_t at, uint64_t len) {
    return at < end && start < at + len;
}

void rewrite_restore(struct mm *mm, gva_t start, gva_t end, bool text) {
    struct rewritten_text *t, *next;
    LIST_FOREACH_SAFE(t, &mm->texts, link, next) {
        if (overlaps(start, end, t->stubs, t->stubs_len)) restore_text(t);
    }
    if (LIST_EMPTY(&mm->texts) || !text) return;
    for (struct vma *v = mm_next(mm, start); v != NULL && v->start < end; v = mm_next(mm, v->end)) {
        t = text_of(v);
        if (t != NULL) restore_text(t);
    }
}
