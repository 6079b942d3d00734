/* SPDX-License-Identifier: MIT */
/* Memory: mmap(2) and its family, brk(2), mlock(2). */
#include <kernel/frame.h>
#include <kernel/hugetlb.h>
#include <kernel/mm.h>
#include <kernel/rewrite.h>
#include <kernel/shmem.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define PROT_RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
/* Flags that MAP_SHARED_VALIDATE knows; anything else is a promise that cannot be kept. */
#define MAP_KNOWN                                                                                  \
    (MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | MAP_DENYWRITE |            \
     MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |       \
     MAP_HUGETLB | MAP_FIXED_NOREPLACE)

static int may_map(gva_t addr, uint64_t len, int prot, uint32_t flags) {
    struct mm *mm = current_mm();
    bool fixed = (flags & MAP_FIXED) != 0;
    uint64_t replaced = fixed && addr <= HERMIT_USER_TOP && len <= HERMIT_USER_TOP - addr
                            ? mm_mapped_in(mm, addr, page_up(len))
                            : 0;
    uint64_t limit = current_process()->limits[RLIMIT_MEMLOCK].rlim_cur;
    if ((flags & MAP_LOCKED) && limit == 0 && !process_privileged()) return -EPERM;
    return mm_may_map(mm, page_up(len), replaced, (uint32_t)prot, flags);
}

/* personality(2), READ_IMPLIES_EXEC */
static uint32_t implied_prot(int prot) {
    bool implied = (prot & PROT_READ) && (current_thread()->personality & READ_IMPLIES_EXEC);
    return (uint32_t)(prot & PROT_RWX) | (implied ? PROT_EXEC : 0u);
}

/* Anonymous memory.  What is shared is a file without a name. */
static int64_t map_memory(gva_t addr, uint64_t len, int prot, uint32_t flags) {
    struct file *f = NULL;
    int r = may_map(addr, len, prot, flags);
    if (r != 0) return r;
    if ((flags & MAP_TYPE) == MAP_SHARED) {
        if (!(flags & MAP_NORESERVE) && page_up(len) > frame_usage().limit) return -ENOMEM;
        if (len > HERMIT_USER_TOP) return -ENOMEM;
        f = shmem_create("/dev/zero", page_up(len), 0777, F_SEAL_SEAL);
        if (f == NULL) return -ENOMEM;
    }
    int64_t at = mm_map(current_mm(), addr, len, (uint32_t)prot, flags, f, 0, NULL);
    if (f != NULL) file_put(f);
    return at;
}

static int64_t map_file(gva_t addr, uint64_t len, int prot, uint32_t flags, struct file *f,
                        uint64_t offset) {
    if (!file_readable(f)) return -EACCES;
    uint32_t type = flags & MAP_TYPE;
    if (type == MAP_SHARED_VALIDATE) {
        if (flags & ~(uint32_t)MAP_KNOWN) return -EOPNOTSUPP;
        flags = (flags & ~(uint32_t)MAP_TYPE) | MAP_SHARED;
        type = MAP_SHARED;
    }
    if (type == MAP_SHARED && prot & PROT_WRITE && !file_writable(f)) return -EACCES;
    if (f->ops->page == NULL) return -ENODEV;
    /* Of devices only /dev/zero has pages, and each mapping its own. */
    if (S_ISCHR(f->mode) && type == MAP_SHARED) return map_memory(addr, len, prot, flags);
    bool read_only = false;
    int r = type == MAP_SHARED ? shmem_may_share(f, (uint32_t)prot, &read_only) : 0;
    if (r == 0) r = may_map(addr, len, prot, flags);
    if (r != 0) return r;
    bool text = (prot & PROT_RWX) == (PROT_READ | PROT_EXEC) && type == MAP_PRIVATE;
    bool stubs = text && rewrite_find_stubs(f, offset, len, &offset);
    bool loads = type == MAP_PRIVATE && !(prot & PROT_WRITE) && offset == 0 && addr == 0;
    if (loads && !(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
        addr = rewrite_choose(current_mm(), f, len, text);
    int64_t at = mm_map(current_mm(), addr, len, (uint32_t)prot, flags, f, offset, NULL);
    if (at > 0 && stubs) rewrite_stubs_mapped(current_mm(), (gva_t)at, len);
    if (at > 0 && text && !stubs) rewrite_text_mapped(current_mm(), (gva_t)at, len, f, offset);
    struct vma *v = at > 0 && read_only ? mm_find(current_mm(), (gva_t)at) : NULL;
    if (v != NULL) v->state |= VMA_READ_ONLY;
    if (at > 0 && f->ops->mapped != NULL) f->ops->mapped(f);
    return at;
}

/* MAP_32BIT: where the hint says if that is below 2 GiB and free, else Linux looks in the second
 * GiB only. */
#define LOW_START 0x40000000ULL
#define LOW_END 0x80000000ULL

/* A free range for MAP_32BIT, or 0. */
static gva_t find_low(gva_t hint, uint64_t len) {
    gva_t at = LOW_START;
    if (len <= LOW_END && hint >= HERMIT_USER_MIN && hint <= LOW_END - len) {
        struct vma *next = mm_next(current_mm(), page_up(hint));
        if (next == NULL || next->start >= page_up(hint) + len) return page_up(hint);
    }
    if (len > LOW_END - LOW_START) return 0;
    while (at <= LOW_END - len) {
        struct vma *next = mm_next(current_mm(), at);
        if (next == NULL || next->start >= at + len) return at;
        at = next->end;
    }
    return 0;
}

/* Huge pages, of which there are none: the pool is empty. Memory that is mapped MAP_NORESERVE could
 * not be used, either, so that is refused as well. */
static int64_t map_huge(gva_t addr, uint32_t flags, const struct file *f, uint64_t offset) {
    uint64_t size =
        f != NULL ? hugetlb_page_size(f) : hugetlb_size(flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK);
    if (size == 0 || offset & (size - 1)) return -EINVAL;
    if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) && addr & (size - 1)) return -EINVAL;
    return -ENOMEM;
}

/* mmap(2) */
int64_t sys_mmap(gva_t addr, uint64_t len, int prot, uint32_t flags, int fd, int64_t offset) {
    uint32_t type = flags & MAP_TYPE;
    if (offset & (int64_t)PAGE_MASK) return -EINVAL;
    if (flags & MAP_32BIT && !(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) && len != 0) {
        addr = find_low(addr, page_up(len));
        if (addr == 0) return -ENOMEM;
    }
    prot = (int)implied_prot(prot);
    struct file *f = NULL;
    if (!(flags & MAP_ANONYMOUS)) {
        f = fd_get_io(fd);
        if (f == NULL) return -EBADF;
    }
    bool shared_new = type == MAP_SHARED_VALIDATE && f != NULL;
    uint64_t end;
    int64_t at;
    if (len == 0)
        at = -EINVAL;
    else if (page_up(len) < len)
        at = -ENOMEM;
    else if (__builtin_add_overflow((uint64_t)offset, page_up(len), &end))
        at = -EOVERFLOW;
    else if (type != MAP_SHARED && type != MAP_PRIVATE && !shared_new)
        at = -EINVAL;
    else if (flags & MAP_HUGETLB || (f != NULL && hugetlb_page_size(f) != 0))
        at = map_huge(addr, flags, f, (uint64_t)offset);
    else if (f != NULL)
        at = map_file(addr, len, prot, flags, f, (uint64_t)offset);
    else
        at = map_memory(addr, len, prot, flags);
    if (f != NULL) file_put(f);
    return at;
}

/* munmap(2) */
int64_t sys_munmap(gva_t addr, uint64_t len) { return mm_unmap(current_mm(), addr, len); }

/* mprotect(2) */
int64_t sys_mprotect(gva_t addr, uint64_t len, int prot) {
    const int grows = PROT_GROWSDOWN | PROT_GROWSUP;
    if ((prot & grows) == grows || prot & ~(PROT_RWX | PROT_SEM | grows)) return -EINVAL;
    if (addr & PAGE_MASK) return -EINVAL;
    if (len == 0) return 0;
    if (page_up(len) < len) return -ENOMEM;
    if (prot & PROT_GROWSUP) return -EINVAL; /* no such mappings on x86 */
    if (prot & PROT_GROWSDOWN) {             /* down to the start of the stack that addr is in */
        struct vma *v = mm_find(current_mm(), addr);
        if (v == NULL) return -ENOMEM;
        if (!(v->flags & MAP_GROWSDOWN)) return -EINVAL;
        len += addr - v->start;
        addr = v->start;
    }
    return mm_protect(current_mm(), addr, len, implied_prot(prot));
}

/* mremap(2) */
int64_t sys_mremap(gva_t addr, uint64_t old_len, uint64_t new_len, uint32_t flags, gva_t new_addr) {
    return mm_remap(current_mm(), addr, old_len, new_len, flags, new_addr);
}

/* remap_file_pages(2): emulated by a mapping of its own, as in Linux since 4.0. */
int64_t sys_remap_file_pages(gva_t addr, uint64_t len, int prot, uint64_t page, uint32_t flags) {
    struct mm *mm = current_mm();
    uint64_t offset = page << PAGE_SHIFT;
    addr = page_down(addr);
    len = page_down(len);
    if (prot != 0 || len == 0 || addr + len < addr || offset >> PAGE_SHIFT != page ||
        offset + len < offset) {
        return -EINVAL;
    }
    struct vma *v = mm_find(mm, addr);
    if (v == NULL || !(v->flags & MAP_SHARED) || v->file == NULL) return -EINVAL;
    for (const struct vma *next = v; next->end < addr + len;) {
        next = mm_find(mm, next->end);
        bool same = next != NULL && next->file == v->file && next->prot == v->prot;
        if (!same || next->flags != v->flags) return -EINVAL;
    }
    struct file *f = file_ref(v->file);
    flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE | (flags & MAP_NONBLOCK);
    int64_t at = mm_map(mm, addr, len, v->prot, flags, f, offset, NULL);
    file_put(f);
    return at < 0 ? at : 0;
}

/* brk(2): never an error, but the break as it is. */
int64_t sys_brk(gva_t brk) { return (int64_t)mm_brk(current_mm(), brk); }
