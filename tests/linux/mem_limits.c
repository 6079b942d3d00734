/* SPDX-License-Identifier: MIT */
/* Limits of memory, locking, advice about ranges, access by process number, keys, policies. */
#include <sys/resource.h>
#include <sys/uio.h>

#include "check.h"
#include "fault.h"

#ifndef MADV_POPULATE_READ /* newer than some libcs */
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define MIB (1UL << 20)

static unsigned char *anon(size_t bytes, int prot, int flags) {
    unsigned char *p = mmap(NULL, bytes, prot, flags | ANON, -1, 0);
    CHECK(p != MAP_FAILED);
    return p;
}

static void limit(int which, rlim_t soft) {
    struct rlimit r;
    CHECK_OK(getrlimit(which, &r));
    r.rlim_cur = soft == RLIM_INFINITY ? r.rlim_max : soft;
    CHECK_OK(setrlimit(which, &r));
}

static void address_space(void) {
    unsigned char *p = anon(16 * MIB, PROT_NONE, 0);
    limit(RLIMIT_AS, 64 * MIB);
    CHECK_MAP_ERR(mmap(NULL, 80 * MIB, PROT_NONE, ANON | MAP_NORESERVE, -1, 0), ENOMEM);
    CHECK_MAP_ERR(mremap(p, 16 * MIB, 80 * MIB, MREMAP_MAYMOVE), ENOMEM);
    CHECK_OK(munmap(anon(MIB, PROT_READ, 0), MIB));
    limit(RLIMIT_AS, RLIM_INFINITY);
    limit(RLIMIT_DATA, 32 * MIB);
    CHECK_MAP_ERR(mmap(NULL, 40 * MIB, RW, ANON, -1, 0), ENOMEM);
    unsigned char *q = anon(40 * MIB, PROT_READ, 0); /* not data until it may be written */
    CHECK_ERR(mprotect(q, 40 * MIB, RW), ENOMEM);
    CHECK_OK(munmap(q, 40 * MIB));
    char *top = sbrk(0);
    CHECK(syscall(SYS_brk, top + (40 << 20)) == (long)top);
    limit(RLIMIT_DATA, RLIM_INFINITY);
    CHECK_OK(munmap(p, 16 * MIB));
    ok("RLIMIT_AS, RLIMIT_DATA");
}

/* More than there can ever be is refused; a promise not to use it is not. */
static void overcommit(void) {
    size_t huge = 1UL << 44; /* 16 TiB */
    CHECK_MAP_ERR(mmap(NULL, huge, RW, ANON, -1, 0), ENOMEM);
    unsigned char *p = mmap(NULL, huge, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED);
    CHECK_OK(mprotect(p + huge / 2, CHECK_PAGE, RW));
    p[huge / 2] = 1;
    CHECK_OK(munmap(p, huge));
    CHECK_MAP_ERR(mmap(NULL, 2 * MIB, RW, ANON | MAP_HUGETLB, -1, 0), ENOMEM);
    const int huge_2m = MAP_HUGETLB | 21 << 26, huge_4k = MAP_HUGETLB | 12 << 26;
    CHECK_MAP_ERR(mmap(NULL, 2 * MIB, RW, ANON | huge_2m, -1, 0), ENOMEM);
    CHECK_MAP_ERR(mmap(NULL, 2 * MIB, RW, ANON | huge_4k, -1, 0), EINVAL);
    ok("overcommitment");
}

static void locking(void) {
    unsigned char *p = anon(4 * CHECK_PAGE, RW, 0), vec[4];
    CHECK_OK(mlock(p + CHECK_PAGE, CHECK_PAGE));
    CHECK_OK(mincore(p, 4 * CHECK_PAGE, vec));
    CHECK(vec[1] & 1);
    CHECK_ERR(madvise(p + CHECK_PAGE, CHECK_PAGE, MADV_DONTNEED), EINVAL);
    CHECK_ERR(msync(p + CHECK_PAGE, CHECK_PAGE, MS_INVALIDATE), EBUSY);
    CHECK_OK(munlock(p, 4 * CHECK_PAGE));
    CHECK_OK(madvise(p, 4 * CHECK_PAGE, MADV_DONTNEED));
    CHECK_OK(msync(p, CHECK_PAGE, MS_INVALIDATE));
    CHECK_OK(munmap(p + 2 * CHECK_PAGE, CHECK_PAGE));
    CHECK_ERR(mlock(p, 4 * CHECK_PAGE), ENOMEM);
    CHECK_ERR(munlock(p + 2 * CHECK_PAGE, CHECK_PAGE), ENOMEM);
    CHECK_ERR(mincore(p, CHECK_PAGE, bad_pointer()), EFAULT);
    CHECK_OK(munlockall());
    CHECK_ERR(mlockall(0), EINVAL);
    CHECK_ERR(mlockall(MCL_ONFAULT), EINVAL);
    CHECK_ERR(mlockall(0x100), EINVAL);
    CHECK_OK(mlockall(MCL_FUTURE));
    unsigned char *q = anon(CHECK_PAGE, RW, 0);
    CHECK_ERR(madvise(q, CHECK_PAGE, MADV_DONTNEED), EINVAL);
    CHECK_OK(munlockall());
    CHECK_OK(madvise(q, CHECK_PAGE, MADV_DONTNEED));
    CHECK_OK(munmap(q, CHECK_PAGE));
    CHECK_OK(munmap(p, 4 * CHECK_PAGE));
    ok("locking");
}

static void advice(void) {
    unsigned char *p = anon(8 * CHECK_PAGE, RW, MAP_NORESERVE), vec[8];
    CHECK_OK(madvise(p, 4 * CHECK_PAGE, MADV_POPULATE_WRITE));
    CHECK_OK(mincore(p, 4 * CHECK_PAGE, vec));
    CHECK_EQ(vec[0] & vec[3] & 1, 1);
    CHECK_OK(mprotect(p, CHECK_PAGE, PROT_READ));
    CHECK_OK(madvise(p, CHECK_PAGE, MADV_POPULATE_READ));
    CHECK_ERR(madvise(p, CHECK_PAGE, MADV_POPULATE_WRITE), EINVAL);
    CHECK_ERR(madvise(p, CHECK_PAGE, MADV_REMOVE), EINVAL);
    p[CHECK_PAGE] = 3;
    static const int hints[] = {MADV_COLD,       MADV_PAGEOUT, MADV_WIPEONFORK, MADV_DONTFORK,
                                MADV_KEEPONFORK, MADV_DOFORK,  MADV_DONTDUMP,   MADV_DODUMP};
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        CHECK_OK(madvise(p + CHECK_PAGE, 3 * CHECK_PAGE, hints[i]));
    CHECK_EQ(p[CHECK_PAGE], 3);
    int fd = memfd_create("m", 0);
    CHECK_OK(ftruncate(fd, CHECK_PAGE));
    unsigned char *q = mmap(NULL, 2 * CHECK_PAGE, RW, MAP_SHARED, fd, 0);
    CHECK(q != MAP_FAILED);
    CHECK_ERR(madvise(q, CHECK_PAGE, MADV_FREE), EINVAL);
    CHECK_ERR(madvise(q, CHECK_PAGE, MADV_WIPEONFORK), EINVAL);
    CHECK_ERR(madvise(q, 2 * CHECK_PAGE, MADV_POPULATE_READ), EFAULT);
    CHECK_MAP_ERR(mmap(NULL, CHECK_PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0), EOPNOTSUPP);
    CHECK_OK(munmap(q, 2 * CHECK_PAGE));
    CHECK_OK(close(fd));
    CHECK_OK(munmap(p, 8 * CHECK_PAGE));
    ok("advice");
}

/* A mapping that grows down keeps its distance from what lies below. */
static void grows_down(void) {
    unsigned char *area = anon(4 * MIB, PROT_NONE, 0);
    CHECK_OK(munmap(area, 4 * MIB));
    unsigned char *top = area + 3 * MIB;
    CHECK(mmap(top, CHECK_PAGE, RW, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0) == top);
    top[0] = 1;
    top[-100] = 2;
    top[-CHECK_PAGE * 10] = 3;
    CHECK_EQ(top[-100], 2);
    CHECK_OK(munmap(area, 4 * MIB));
    CHECK(mmap(top, CHECK_PAGE, RW, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0) == top);
    unsigned char *below = top - 2 * CHECK_PAGE;
    CHECK(mmap(below, CHECK_PAGE, RW, ANON | MAP_FIXED, -1, 0) == below);
    CHECK_EQ(fault_writing(top - 1), SIGSEGV);
    CHECK_OK(munmap(area, 4 * MIB));
    ok("MAP_GROWSDOWN");
}

static void by_number(void) {
    char from[] = "hello, process", to[32] = "";
    struct iovec a = {to, sizeof from}, b[2] = {{from, 7}, {from + 7, sizeof from - 7}};
    CHECK_EQ(process_vm_readv(getpid(), &a, 1, b, 2, 0), sizeof from);
    CHECK_STR(to, from);
    memset(to, 0, sizeof to);
    struct iovec src = {from, sizeof from}, dst = {to, sizeof from};
    CHECK_EQ(process_vm_writev(getpid(), &src, 1, &dst, 1, 0), sizeof from);
    CHECK_STR(to, from);
    CHECK_ERR(process_vm_readv(getpid(), &a, 1, b, 2, 1), EINVAL);
    struct iovec bad = {bad_pointer(), 10};
    CHECK_ERR(process_vm_readv(getpid(), &a, 1, &bad, 1, 0), EFAULT);
    struct iovec half[2] = {{from, 5}, {bad_pointer(), 10}};
    CHECK_EQ(process_vm_readv(getpid(), &a, 1, half, 2, 0), 5);
    CHECK_ERR(process_vm_readv(0x3ffffff, &a, 1, b, 2, 0), ESRCH);
    ok("process_vm_readv, process_vm_writev");
}

static void policies(void) {
    unsigned long nodes = 1;
    int mode = -1;
    CHECK_OK(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0));
    CHECK_EQ(mode, 0);
    CHECK_OK(syscall(SYS_set_mempolicy, 2, &nodes, 64)); /* MPOL_BIND */
    nodes = 0;
    CHECK_OK(syscall(SYS_get_mempolicy, &mode, &nodes, 64, NULL, 0));
    CHECK_EQ(mode, 2);
    CHECK_EQ(nodes, 1);
    CHECK_OK(syscall(SYS_set_mempolicy, 0, NULL, 0));
    CHECK_ERR(syscall(SYS_set_mempolicy, 99, NULL, 0), EINVAL);
    CHECK_ERR(syscall(SYS_set_mempolicy, 2, NULL, 0), EINVAL);
    unsigned char *p = anon(CHECK_PAGE, RW, 0);
    nodes = 1;
    CHECK_OK(syscall(SYS_mbind, p, CHECK_PAGE, 2, &nodes, 64, 0));
    CHECK_ERR(syscall(SYS_mbind, p + 1, CHECK_PAGE, 2, &nodes, 64, 0), EINVAL);
    CHECK_OK(munmap(p, CHECK_PAGE));
    CHECK_ERR(syscall(SYS_mbind, p, CHECK_PAGE, 2, &nodes, 64, 0), EFAULT);
    ok("memory policies");
}

static void keys(void) {
    CHECK_ERR(syscall(SYS_pkey_alloc, 1, 0), EINVAL);
    CHECK_ERR(syscall(SYS_pkey_alloc, 0, 0x100), EINVAL);
    CHECK_ERR(syscall(SYS_pkey_free, 15), EINVAL);
    unsigned char *p = anon(CHECK_PAGE, RW, 0);
    CHECK_OK(syscall(SYS_pkey_mprotect, p, CHECK_PAGE, PROT_READ, -1));
    CHECK_EQ(fault_writing(p), SIGSEGV);
    CHECK_ERR(syscall(SYS_pkey_mprotect, p, CHECK_PAGE, PROT_READ, 15), EINVAL);
    CHECK_OK(munmap(p, CHECK_PAGE));
    /* Without keys in the CPU: ENOSPC as the manual says, EINVAL from some versions of Linux. */
    long key = syscall(SYS_pkey_alloc, 0, 0);
    CHECK(key >= 0 || errno == ENOSPC || errno == EINVAL);
    ok("protection keys");
}

int main(void) {
    fault_setup();
    address_space();
    overcommit();
    locking();
    advice();
    grows_down();
    by_number();
    policies();
    keys();
    return 0;
}
