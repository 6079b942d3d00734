/* SPDX-License-Identifier: MIT */
/* What may be mapped and locked: resource limits and overcommitment.  mlock(2), getrlimit(2). */
#include <hermit/linux_abi.h>
#include <kernel/frame.h>
#include <kernel/process.h>

#include "mm_internal.h"

static bool is_data(uint32_t prot, uint32_t flags) {
    return (prot & PROT_WRITE) && !(flags & (MAP_SHARED | MAP_GROWSDOWN));
}

uint64_t mm_data_bytes(struct mm *mm) {
    uint64_t sum = 0;
    struct vma *v;
    RB_FOREACH(v, vma_tree, &mm->vmas) {
        if (is_data(v->prot, v->flags)) sum += v->end - v->start;
    }
    return sum;
}

uint64_t mm_locked_bytes(struct mm *mm) {
    uint64_t sum = 0;
    struct vma *v;
    RB_FOREACH(v, vma_tree, &mm->vmas) {
        if (v->state & VMA_LOCKS) sum += v->end - v->start;
    }
    return sum;
}

uint64_t mm_mapped_in(struct mm *mm, gva_t addr, uint64_t len) {
    uint64_t sum = 0;
    for (struct vma *v = mm_next(mm, addr); v != NULL && v->start < addr + len;
         v = RB_NEXT(vma_tree, &mm->vmas, v)) {
        sum += min(v->end, addr + len) - max(v->start, addr);
    }
    return sum;
}

/* Linux's default heuristic (overcommit_memory 0): one request may be as large as all memory. */
static bool overcommits(uint64_t len, uint32_t prot, uint32_t flags) {
    if ((flags & MAP_NORESERVE) || !(prot & PROT_WRITE) || (flags & MAP_SHARED)) return false;
    return len > frame_usage().limit;
}

int mm_may_map(struct mm *mm, uint64_t len, uint64_t replaced, uint32_t prot, uint32_t flags) {
    const struct rlimit *limits = current_process()->limits;
    bool locked = (flags & MAP_LOCKED) || mm->new_state != 0;
    if (locked && current_process()->euid != 0) {
        uint64_t limit = limits[RLIMIT_MEMLOCK].rlim_cur;
        if (len > limit || mm_locked_bytes(mm) > limit - len) return -EAGAIN;
    }
    uint64_t mapped = mm->mapped - replaced;
    if (len > (uint64_t)RLIM_INFINITY - mapped || mapped + len > limits[RLIMIT_AS].rlim_cur) {
        return -ENOMEM;
    }
    if (is_data(prot, flags) && limits[RLIMIT_DATA].rlim_cur != (uint64_t)RLIM_INFINITY &&
        mm_data_bytes(mm) + len > limits[RLIMIT_DATA].rlim_cur) {
        return -ENOMEM;
    }
    return overcommits(len, prot, flags) ? -ENOMEM : 0;
}

static void set_locks(struct mm *mm, struct vma *v, uint32_t state) {
    v->state = (v->state & ~(uint32_t)VMA_LOCKS) | state;
    if (state == VMA_LOCKED && v->prot != PROT_NONE) pages_populate(mm, v, v->start, v->end);
}

int mm_lock(struct mm *mm, gva_t addr, uint64_t len, uint32_t state) {
    gva_t end = addr + len;
    if (!range_valid(addr, len)) return -ENOMEM;
    /* Up to the first gap, as in Linux. */
    int covered = range_covered(mm, addr, end);
    int r = vma_split_range(mm, addr, end);
    if (r != 0) return r;
    for (gva_t at = addr; at < end;) {
        struct vma *v = mm_find(mm, at);
        if (v == NULL) break;
        at = v->end;
        set_locks(mm, v, state);
        vma_merge(mm, v);
    }
    return covered;
}

void mm_lock_all(struct mm *mm, uint32_t state) {
    for (gva_t at = 0;;) {
        struct vma *v = mm_next(mm, at);
        if (v == NULL) return;
        at = v->end;
        set_locks(mm, v, state);
        vma_merge(mm, v);
    }
}
