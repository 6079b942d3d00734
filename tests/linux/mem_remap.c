/* SPDX-License-Identifier: MIT */
/* mremap(2) beyond growing: FIXED, DONTUNMAP, length 0, errors; remap_file_pages(2). */
#include "check.h"
#include "fault.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static unsigned char *pages(size_t n) {
    unsigned char *p = mmap(NULL, n * CHECK_PAGE, RW, ANON, -1, 0);
    CHECK(p != MAP_FAILED);
    for (size_t i = 0; i < n; i++)
        p[i * CHECK_PAGE] = (unsigned char)(i + 1);
    return p;
}

static void dont_unmap(void) {
    unsigned char *p = pages(4), *q;
    q = mremap(p, 4 * CHECK_PAGE, 4 * CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    CHECK(q != MAP_FAILED && q != p);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(q[i * CHECK_PAGE], i + 1);
        CHECK_EQ(p[i * CHECK_PAGE], 0); /* still mapped, empty */
    }
    p[0] = 9;
    CHECK_EQ(q[0], 1);
    unsigned char *r = pages(2);
    CHECK(mremap(p, 2 * CHECK_PAGE, 2 * CHECK_PAGE,
                 MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, r) == r);
    CHECK_EQ(r[0], 9);
    CHECK_EQ(p[0], 0);
    CHECK_MAP_ERR(mremap(p, CHECK_PAGE, 2 * CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL),
                  EINVAL);
    CHECK_MAP_ERR(mremap(p, CHECK_PAGE, CHECK_PAGE, MREMAP_DONTUNMAP, NULL), EINVAL);
    CHECK_OK(munmap(p, 4 * CHECK_PAGE));
    CHECK_OK(munmap(q, 4 * CHECK_PAGE));
    CHECK_OK(munmap(r, 2 * CHECK_PAGE));
    ok("MREMAP_DONTUNMAP");
}

static void fixed(void) {
    unsigned char *p = pages(4), *to = pages(8);
    /* Shrinks and moves at once; what was at the new place goes. */
    CHECK(mremap(p, 4 * CHECK_PAGE, 2 * CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                 to + CHECK_PAGE) == to + CHECK_PAGE);
    CHECK_EQ(to[0], 1);
    CHECK_EQ(to[CHECK_PAGE], 1);
    CHECK_EQ(to[2 * CHECK_PAGE], 2);
    CHECK_EQ(to[3 * CHECK_PAGE], 4);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(fault_reading(p + i * CHECK_PAGE), SIGSEGV);
    CHECK_MAP_ERR(mremap(to, CHECK_PAGE, CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 1),
                  EINVAL);
    CHECK_MAP_ERR(
        mremap(to, 2 * CHECK_PAGE, 2 * CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + CHECK_PAGE),
        EINVAL);
    CHECK_MAP_ERR(mremap(to, CHECK_PAGE, CHECK_PAGE, MREMAP_FIXED, p), EINVAL);
    CHECK_OK(munmap(to, 8 * CHECK_PAGE));
    ok("MREMAP_FIXED");
}

static void errors(void) {
    unsigned char *p = pages(4);
    CHECK_MAP_ERR(mremap(p, 0, CHECK_PAGE, MREMAP_MAYMOVE), EINVAL); /* private */
    /* Several mappings cannot grow as one, but can shrink. */
    CHECK_OK(mprotect(p + CHECK_PAGE, CHECK_PAGE, PROT_READ));
    CHECK_MAP_ERR(mremap(p, 3 * CHECK_PAGE, 4 * CHECK_PAGE, MREMAP_MAYMOVE), EFAULT);
    CHECK(mremap(p, 4 * CHECK_PAGE, 2 * CHECK_PAGE, 0) == p);
    CHECK_EQ(fault_reading(p + 2 * CHECK_PAGE), SIGSEGV);
    CHECK_MAP_ERR(mremap(p + 2 * CHECK_PAGE, CHECK_PAGE, 2 * CHECK_PAGE, MREMAP_MAYMOVE), EFAULT);
    /* No room behind it. */
    CHECK(mmap(p + 2 * CHECK_PAGE, CHECK_PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) !=
          MAP_FAILED);
    CHECK_MAP_ERR(mremap(p + CHECK_PAGE, CHECK_PAGE, 2 * CHECK_PAGE, 0), ENOMEM);
    CHECK_OK(munmap(p, 3 * CHECK_PAGE));
    ok("errors");
}

static void file_pages(void) {
    int fd = memfd_create("f", 0);
    CHECK_OK(ftruncate(fd, 4 * CHECK_PAGE));
    unsigned char *p = mmap(NULL, 4 * CHECK_PAGE, RW, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    for (unsigned i = 0; i < 4; i++)
        p[i * CHECK_PAGE] = (unsigned char)(i + 1);
    CHECK_OK(syscall(SYS_remap_file_pages, p, CHECK_PAGE, 0, 3, 0));
    CHECK_EQ(p[0], 4);
    CHECK_EQ(p[CHECK_PAGE], 2);
    CHECK_ERR(syscall(SYS_remap_file_pages, p, CHECK_PAGE, PROT_READ, 3, 0), EINVAL);
    CHECK_OK(munmap(p, 4 * CHECK_PAGE));
    CHECK_ERR(syscall(SYS_remap_file_pages, p, CHECK_PAGE, 0, 3, 0), EINVAL);
    CHECK_OK(close(fd));
    ok("remap_file_pages");
}

int main(void) {
    fault_setup();
    dont_unmap();
    fixed();
    errors();
    file_pages();
    return 0;
}
