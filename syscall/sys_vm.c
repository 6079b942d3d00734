/* SPDX-License-Identifier: MIT */
/* Memory of processes by number, and protection keys: process_vm_readv(2), pkeys(7). */
#include <hermit/linux_abi.h>
#include <kernel/frame.h>
#include <kernel/sched.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define PIECE 512u /* bytes copied at once */

struct cursor {
    struct iovec iov[UIO_MAXIOV / 64];
    gva_t at;             /* of the program's vector */
    uint64_t left, index; /* entries not loaded yet; current one in iov */
    uint64_t loaded, done;
};

/* The rest of the current entry, skipping empty ones and loading more: 1, 0 at the end, -EFAULT. */
static int current_piece(struct cursor *c, gva_t *base, uint64_t *len) {
    for (;;) {
        if (c->index == c->loaded) {
            if (c->left == 0) return 0;
            c->loaded = min(c->left, (uint64_t)ARRAY_LEN(c->iov));
            if (copy_from_user(c->iov, c->at, c->loaded * sizeof(c->iov[0])) != 0) return -EFAULT;
            c->at += c->loaded * sizeof(c->iov[0]);
            c->left -= c->loaded;
            c->index = 0;
        }
        const struct iovec *v = &c->iov[c->index];
        if (c->done < v->iov_len) {
            *base = (gva_t)v->iov_base + c->done;
            *len = v->iov_len - c->done;
            return 1;
        }
        c->index++;
        c->done = 0;
    }
}

/* Copies from one vector to the other until either ends: bytes, or -EFAULT if there are none. */
static int64_t copy_vectors(struct cursor *to, struct cursor *from) {
    char buf[PIECE];
    int64_t total = 0;
    for (;;) {
        gva_t dst, src;
        uint64_t dst_len, src_len;
        int a = current_piece(to, &dst, &dst_len), b = current_piece(from, &src, &src_len);
        if (a <= 0 || b <= 0) return (a < 0 || b < 0) && total == 0 ? -EFAULT : total;
        uint64_t n = min(min(dst_len, src_len), (uint64_t)PIECE);
        /* Page by page, so that what lies before a fault has been copied. */
        n = min(n, min(PAGE_SIZE - (dst & PAGE_MASK), PAGE_SIZE - (src & PAGE_MASK)));
        if (copy_from_user(buf, src, n) != 0 || copy_to_user(dst, buf, n) != 0) {
            return total == 0 ? -EFAULT : total;
        }
        to->done += n;
        from->done += n;
        total += (int64_t)n;
    }
}

static int64_t transfer(int pid, gva_t local, uint64_t locals, gva_t remote, uint64_t remotes,
                        uint32_t flags, bool write) {
    struct cursor here = {.at = local, .left = locals}, there = {.at = remote, .left = remotes};
    if (flags != 0 || locals > UIO_MAXIOV || remotes > UIO_MAXIOV) return -EINVAL;
    const struct thread *t = thread_find(pid);
    if (t == NULL) return no_process(pid);
    return write ? copy_vectors(&there, &here) : copy_vectors(&here, &there);
}

/* process_vm_readv(2): of the caller's own process. */
int64_t sys_process_vm_readv(int pid, gva_t local, uint64_t locals, gva_t remote, uint64_t remotes,
                             uint32_t flags) {
    return transfer(pid, local, locals, remote, remotes, flags, false);
}

/* process_vm_writev(2) */
int64_t sys_process_vm_writev(int pid, gva_t local, uint64_t locals, gva_t remote, uint64_t remotes,
                              uint32_t flags) {
    return transfer(pid, local, locals, remote, remotes, flags, true);
}

/* pkey_alloc(2): as on a machine without protection keys. */
int64_t sys_pkey_alloc(uint32_t flags, uint32_t rights) {
    const uint32_t known = PKEY_DISABLE_ACCESS | PKEY_DISABLE_WRITE;
    return flags != 0 || rights & ~known ? -EINVAL : -ENOSPC;
}

/* pkey_free(2) */
int64_t sys_pkey_free(int key) { return -EINVAL; }

/* pkey_mprotect(2) */
int64_t sys_pkey_mprotect(gva_t addr, uint64_t len, int prot, int key) {
    return key == -1 ? sys_mprotect(addr, len, prot) : -EINVAL;
}
