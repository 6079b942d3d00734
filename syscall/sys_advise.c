/* SPDX-License-Identifier: MIT */
/* Advice and questions about mapped memory: madvise(2), msync(2), mincore(2), mlock(2). */
#include <kernel/mm.h>
#include <syscall/protos.h>
#include <syscall/user.h>

static bool advice_known(int advice) {
    switch (advice) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_DONTNEED:
    case MADV_FREE:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_COLD:
    case MADV_PAGEOUT:
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
        return true;
    /* These change what fork(2) does, so they cannot be mere hints: there is none yet. */
    case MADV_DONTFORK:
    case MADV_DOFORK:
        return true;
    default:
        return false;
    }
}

/* Page-aligned ranges of the program: rounds len up.  0, or `bad` where the range wraps. */
static int check_range(gva_t addr, uint64_t *len, int bad) {
    if (addr & PAGE_MASK) return -EINVAL;
    uint64_t rounded = page_up(*len), end;
    if (rounded < *len || __builtin_add_overflow(addr, rounded, &end)) return bad;
    *len = rounded;
    return 0;
}

/* madvise(2) */
int64_t sys_madvise(gva_t addr, uint64_t len, int advice) {
    if (!advice_known(advice)) return -EINVAL;
    int err = check_range(addr, &len, -EINVAL);
    if (err != 0 || len == 0) return err;
    return mm_advise(current_mm(), addr, len, advice);
}

/* msync(2) */
int64_t sys_msync(gva_t addr, uint64_t len, uint32_t flags) {
    if (flags & ~(uint32_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) return -EINVAL;
    if ((flags & MS_ASYNC) && (flags & MS_SYNC)) return -EINVAL;
    int err = check_range(addr, &len, -ENOMEM);
    if (err != 0 || len == 0) return err;
    return mm_sync(current_mm(), addr, len, (int)flags);
}

/* mincore(2) */
int64_t sys_mincore(gva_t addr, uint64_t len, gva_t vec) {
    int err = check_range(addr, &len, -ENOMEM);
    if (err != 0 || len == 0) return err;
    if (len > HERMIT_USER_TOP || addr > HERMIT_USER_TOP - len) return -ENOMEM;
    return mm_incore(current_mm(), addr, len, vec);
}

/* Makes [addr, addr+len) present, as mlock(2) promises; protected pages stay as they are. */
static int populate(gva_t addr, uint64_t len) {
    struct mm *mm = current_mm();
    for (gva_t at = addr; at < addr + len; at += PAGE_SIZE) {
        struct vma *v = mm_find(mm, at);
        gpa_t unused;
        if (v == NULL) return -ENOMEM;
        bool private_write = (v->prot & PROT_WRITE) && (v->flags & MAP_PRIVATE);
        if ((v->prot & (PROT_READ | PROT_WRITE)) == 0) continue;
        int err = mm_translate(mm, at, private_write ? MM_WRITE : MM_READ, &unused);
        if (err != 0) return -ENOMEM;
    }
    return 0;
}

/* mlock2(2): the guest never takes a page away, so being present is all there is to it. */
int64_t sys_mlock2(gva_t addr, uint64_t len, uint32_t flags) {
    if (flags & ~(uint32_t)MLOCK_ONFAULT) return -EINVAL;
    uint64_t limit = current_process()->limits[RLIMIT_MEMLOCK].rlim_cur;
    if (limit == 0 && !process_capable(CAP_IPC_LOCK)) return -EPERM;
    len += addr & PAGE_MASK;
    addr = page_down(addr);
    int err = check_range(addr, &len, -EINVAL);
    if (err != 0) return err;
    if (len > limit && !process_capable(CAP_IPC_LOCK)) return -ENOMEM;
    if (len > HERMIT_USER_TOP || addr > HERMIT_USER_TOP - len) return -ENOMEM;
    if (!(flags & MLOCK_ONFAULT)) return populate(addr, len);
    for (gva_t at = addr; at < addr + len;) {
        struct vma *v = mm_find(current_mm(), at);
        if (v == NULL) return -ENOMEM;
        at = v->end;
    }
    return 0;
}

/* mlock(2) */
int64_t sys_mlock(gva_t addr, uint64_t len) { return sys_mlock2(addr, len, 0); }

/* munlock(2): checks the range as mlock does. */
int64_t sys_munlock(gva_t addr, uint64_t len) {
    len += addr & PAGE_MASK;
    addr = page_down(addr);
    int err = check_range(addr, &len, -EINVAL);
    if (err != 0) return err;
    for (gva_t at = addr; at < addr + len;) {
        struct vma *v = mm_find(current_mm(), at);
        if (v == NULL) return -ENOMEM;
        at = v->end;
    }
    return 0;
}

/* mlockall(2): what is present stays present; untouched pages still come on demand. */
int64_t sys_mlockall(uint32_t flags) {
    const uint32_t known = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;
    if (flags == 0 || flags & ~known || flags == MCL_ONFAULT) return -EINVAL;
    uint64_t limit = current_process()->limits[RLIMIT_MEMLOCK].rlim_cur;
    if (process_capable(CAP_IPC_LOCK)) return 0;
    if (limit == 0) return -EPERM;
    return (flags & MCL_CURRENT) && current_mm()->mapped > limit ? -ENOMEM : 0;
}

/* munlockall(2) */
int64_t sys_munlockall(void) { return 0; }
