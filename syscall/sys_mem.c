/* SPDX-License-Identifier: MIT */
/* Memory: mmap(2) and its family, brk(2), mlock(2). */
#include <kernel/frame.h>
#include <kernel/mm.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define PROT_RWX (PROT_READ | PROT_WRITE | PROT_EXEC)
/* Flags that MAP_SHARED_VALIDATE knows; anything else is a promise that cannot be kept. */
#define MAP_KNOWN                                                                                  \
    (MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | MAP_DENYWRITE |            \
     MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |       \
     MAP_HUGETLB | MAP_FIXED_NOREPLACE)

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
    return mm_map(current_mm(), addr, len, (uint32_t)prot, flags, f, offset, NULL);
}

/* MAP_32BIT: Linux looks in the second GiB only. */
#define LOW_START 0x40000000ULL
#define LOW_END 0x80000000ULL

/* A free range for MAP_32BIT, or 0. */
static gva_t find_low(uint64_t len) {
    gva_t at = LOW_START;
    if (len > LOW_END - LOW_START) return 0;
    while (at <= LOW_END - len) {
        struct vma *next = mm_next(current_mm(), at);
        if (next == NULL || next->start >= at + len) return at;
        at = next->end;
    }
    return 0;
}

/* mmap(2) */
int64_t sys_mmap(gva_t addr, uint64_t len, int prot, uint32_t flags, int fd, int64_t offset) {
    uint32_t type = flags & MAP_TYPE;
    if (offset & (int64_t)PAGE_MASK) return -EINVAL;
    if (flags & MAP_32BIT && !(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) && len != 0) {
        addr = find_low(page_up(len));
        if (addr == 0) return -ENOMEM;
    }
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
    else if (flags & MAP_HUGETLB)
        at = f == NULL ? -ENOMEM : -EINVAL; /* no huge page pool */
    else if (f != NULL)
        at = map_file(addr, len, prot, flags, f, (uint64_t)offset);
    else
        at = mm_map(current_mm(), addr, len, (uint32_t)prot, flags, NULL, 0, NULL);
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
    return mm_protect(current_mm(), addr, len, (uint32_t)(prot & PROT_RWX));
}

/* mremap(2) */
int64_t sys_mremap(gva_t addr, uint64_t old_len, uint64_t new_len, uint32_t flags, gva_t new_addr) {
    return mm_remap(current_mm(), addr, old_len, new_len, flags, new_addr);
}

/* brk(2): never an error, but the break as it is. */
int64_t sys_brk(gva_t brk) { return (int64_t)mm_brk(current_mm(), brk); }
