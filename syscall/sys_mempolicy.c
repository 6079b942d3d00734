/* SPDX-License-Identifier: MIT */
/* Memory policies of a machine with one node: set_mempolicy(2), get_mempolicy(2), mbind(2). */
#include <hermit/linux_abi.h>
#include <kernel/mm.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define MODE_FLAGS (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING)
#define MAX_NODES (PAGE_SIZE * 8) /* bits of a mask that Linux looks at */
#define NODES 1ULL                /* the nodes that there are */

struct policy {
    uint32_t mode; /* with flags */
    uint64_t nodes;
};

/* Reads a program's node mask of max bits; nodes beyond the first word must not be set. */
static int read_nodes(gva_t mask, uint64_t max, uint64_t *nodes) {
    *nodes = 0;
    if (max == 0) return 0;
    if (--max == 0 || mask == 0) return 0; /* Linux takes one bit less than it is told */
    if (max > MAX_NODES) return -EINVAL;
    for (uint64_t word = 0; word * 64 < max; word++) {
        uint64_t bits;
        if (get_user(bits, mask + word * 8) != 0) return -EFAULT;
        if (max - word * 64 < 64) bits &= (1ULL << (max - word * 64)) - 1;
        if (word == 0)
            *nodes = bits;
        else if (bits != 0)
            return -EINVAL;
    }
    return 0;
}

/* Checks what set_mempolicy(2) and mbind(2) are given. */
static int read_policy(int mode, gva_t mask, uint64_t max, struct policy *p) {
    uint32_t flags = (uint32_t)mode & MODE_FLAGS, kind = (uint32_t)mode & ~(uint32_t)MODE_FLAGS;
    if (kind > MPOL_LOCAL) return -EINVAL;
    if ((flags & MPOL_F_STATIC_NODES) && (flags & MPOL_F_RELATIVE_NODES)) return -EINVAL;
    if ((flags & MPOL_F_NUMA_BALANCING) && kind != MPOL_BIND) return -EINVAL;
    int r = read_nodes(mask, max, &p->nodes);
    if (r != 0) return r;
    p->mode = (uint32_t)mode;
    if (kind == MPOL_DEFAULT) return p->nodes != 0 ? -EINVAL : 0;
    if (kind == MPOL_LOCAL) return p->nodes != 0 || flags != 0 ? -EINVAL : 0;
    if (p->nodes == 0) {
        p->mode = kind == MPOL_PREFERRED && flags == 0 ? MPOL_LOCAL : p->mode;
        return kind == MPOL_PREFERRED && flags == 0 ? 0 : -EINVAL;
    }
    p->nodes &= NODES;
    return p->nodes != 0 ? 0 : -EINVAL;
}

/* set_mempolicy(2) */
int64_t sys_set_mempolicy(int mode, gva_t mask, uint64_t max) {
    struct policy p;
    int r = read_policy(mode, mask, max, &p);
    if (r != 0) return r;
    current_thread()->mempolicy = p.mode;
    current_thread()->mempolicy_nodes = (uint32_t)p.nodes;
    return 0;
}

/* mbind(2): all memory is on the one node, which every valid policy allows. */
int64_t sys_mbind(gva_t addr, uint64_t len, int mode, gva_t mask, uint64_t max, uint32_t flags) {
    struct policy p;
    if (flags & ~(uint32_t)(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) return -EINVAL;
    int r = read_policy(mode, mask, max, &p);
    if (r != 0) return r;
    if ((flags & MPOL_MF_MOVE_ALL) && !process_privileged()) return -EPERM;
    if ((addr & PAGE_MASK) || page_up(len) < len || addr + page_up(len) < addr) return -EINVAL;
    len = page_up(len);
    if (len == 0) return 0;
    return mm_mapped_in(current_mm(), addr, len) == len ? 0 : -EFAULT;
}

static int put_mask(gva_t at, uint64_t max, uint64_t nodes) {
    uint64_t bytes = (max + 63) / 64 * 8;
    if (at == 0) return 0;
    if (bytes < sizeof(nodes) || bytes > PAGE_SIZE) return -EINVAL;
    if (put_user(nodes, at) != 0) return -EFAULT;
    return clear_user(at + sizeof(nodes), bytes - sizeof(nodes));
}

/* get_mempolicy(2) */
int64_t sys_get_mempolicy(gva_t mode_at, gva_t mask, uint64_t max, gva_t addr, uint32_t flags) {
    const struct thread *t = current_thread();
    if (flags & ~(uint32_t)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED)) return -EINVAL;
    if (mask != 0 && max < NODES) return -EINVAL;
    int32_t mode = (int32_t)t->mempolicy;
    uint64_t nodes = t->mempolicy_nodes;
    if (flags & MPOL_F_MEMS_ALLOWED) {
        if (flags & (MPOL_F_NODE | MPOL_F_ADDR)) return -EINVAL;
        mode = 0;
        nodes = NODES;
    } else if (flags & MPOL_F_ADDR) {
        if (mm_find(current_mm(), addr) == NULL) return -EFAULT;
        if (flags & MPOL_F_NODE) mode = 0; /* the node that has the page */
    } else if (addr != 0) {
        return -EINVAL;
    } else if (flags & MPOL_F_NODE) {
        if (mode != MPOL_INTERLEAVE) return -EINVAL;
        mode = 0; /* where the next page goes */
    }
    if (mode_at != 0 && put_user(mode, mode_at) != 0) return -EFAULT;
    return put_mask(mask, max, nodes);
}
