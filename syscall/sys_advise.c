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
    case MADV_REMOVE:
    case MADV_DONTNEED_LOCKED:
    case MADV_WIPEONFORK:
    case MADV_KEEPONFORK:
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
    if (err != 0) return err;
    if (len > HERMIT_USER_TOP || addr > HERMIT_USER_TOP - len) return -ENOMEM;
    if (vec > HERMIT_USER_TOP || len >> PAGE_SHIFT > HERMIT_USER_TOP - vec) return -EFAULT;
    return mm_incore(current_mm(), addr, len, vec);
}

/* mlock2(2): the guest never takes a page away, so being present is all there is to it. */
int64_t sys_mlock2(gva_t addr, uint64_t len, uint32_t flags) {
    if (flags & ~(uint32_t)MLOCK_ONFAULT) return -EINVAL;
    uint64_t limit = current_process()->limits[RLIMIT_MEMLOCK].rlim_cur;
    struct mm *mm = current_mm();
    if (limit == 0 && !process_capable(CAP_IPC_LOCK)) return -EPERM;
    len += addr & PAGE_MASK;
    addr = page_down(addr);
    len = page_up(len);
    if (!process_capable(CAP_IPC_LOCK)) {
        if (len > limit || mm_locked_bytes(mm) > limit - len) return -ENOMEM;
    }
    int err = check_range(addr, &len, -EINVAL);
    if (err != 0 || len == 0) return err;
    return mm_lock(mm, addr, len, flags & MLOCK_ONFAULT ? VMA_LOCKONFAULT : VMA_LOCKED);
}

/* mlock(2) */
int64_t sys_mlock(gva_t addr, uint64_t len) { return sys_mlock2(addr, len, 0); }

/* munlock(2): checks the range as mlock does. */
int64_t sys_munlock(gva_t addr, uint64_t len) {
    len += addr & PAGE_MASK;
    addr = page_down(addr);
    int err = check_range(addr, &len, -EINVAL);
    return err != 0 || len == 0 ? err : mm_lock(current_mm(), addr, len, 0);
}

/* mlockall(2) */
int64_t sys_mlockall(uint32_t flags) {
    const uint32_t known = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;
    struct mm *mm = current_mm();
    if (flags == 0 || flags & ~known || flags == MCL_ONFAULT) return -EINVAL;
    uint64_t limit = current_process()->limits[RLIMIT_MEMLOCK].rlim_cur;
    if (!process_capable(CAP_IPC_LOCK)) {
        if (limit == 0) return -EPERM;
        if ((flags & MCL_CURRENT) && mm->mapped > limit) return -ENOMEM;
    }
    uint32_t state = flags & MCL_ONFAULT ? VMA_LOCKONFAULT : VMA_LOCKED;
    mm->new_state = flags & MCL_FUTURE ? state : 0;
    if (flags & MCL_CURRENT) mm_lock_all(mm, state);
    return 0;
}

/* munlockall(2) */
int64_t sys_munlockall(void) {
    current_mm()->new_state = 0;
    mm_lock_all(current_mm(), 0);
    return 0;
}
