/* SPDX-License-Identifier: MIT */
/* mremap(2): grow, shrink, move, MREMAP_FIXED, errors. */
#include "check.h"
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)

static unsigned char *pages(size_t count) {
    unsigned char *p = mmap(NULL, count * CHECK_PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    for (size_t i = 0; i < count; i++)
        p[i * CHECK_PAGE] = (unsigned char)(i + 1);
    return p;
}

static void grow_and_shrink(void) {
    unsigned char *p = pages(8);
    CHECK(mremap(p, 8 * CHECK_PAGE, 3 * CHECK_PAGE, 0) == p);
    CHECK_EQ(p[2 * CHECK_PAGE], 3);
    CHECK_EQ(fault_reading(p + 3 * CHECK_PAGE), SIGSEGV);
    /* The hole behind it is free again: growing in place succeeds. */
    CHECK(mremap(p, 3 * CHECK_PAGE, 6 * CHECK_PAGE, 0) == p);
    CHECK_EQ(p[2 * CHECK_PAGE], 3);
    CHECK_EQ(p[5 * CHECK_PAGE], 0);
    CHECK(mremap(p, 6 * CHECK_PAGE, 6 * CHECK_PAGE, 0) == p);
    CHECK_OK(munmap(p, 6 * CHECK_PAGE));
    ok("grow and shrink in place");
}

static void move(void) {
    unsigned char *p = pages(6);
    /* A mapping right behind forbids growth in place. */
    unsigned char *q = p + 2 * CHECK_PAGE;
    CHECK(mmap(q, CHECK_PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == q);
    CHECK_MAP_ERR(mremap(p, 2 * CHECK_PAGE, 4 * CHECK_PAGE, 0), ENOMEM);
    unsigned char *n = mremap(p, 2 * CHECK_PAGE, 400 * CHECK_PAGE, MREMAP_MAYMOVE);
    CHECK(n != MAP_FAILED && n != p);
    CHECK_EQ(n[0], 1);
    CHECK_EQ(n[CHECK_PAGE], 2);
    CHECK_EQ(n[399 * CHECK_PAGE], 0);
    CHECK_EQ(fault_reading(p), SIGSEGV);
    n[300 * CHECK_PAGE] = 77;
    n = mremap(n, 400 * CHECK_PAGE, 4000 * CHECK_PAGE, MREMAP_MAYMOVE);
    CHECK(n != MAP_FAILED);
    CHECK_EQ(n[300 * CHECK_PAGE], 77);
    CHECK_OK(munmap(n, 4000 * CHECK_PAGE));
    CHECK_OK(munmap(p, 6 * CHECK_PAGE));
    ok("move");
}

static void fixed(void) {
    unsigned char *from = pages(4), *to = pages(8);
    unsigned char *n = mremap(from, 4 * CHECK_PAGE, 4 * CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                              to + 2 * CHECK_PAGE);
    CHECK(n == to + 2 * CHECK_PAGE);
    CHECK_EQ(n[3 * CHECK_PAGE], 4);
    CHECK_EQ(to[CHECK_PAGE], 2);
    CHECK_EQ(to[6 * CHECK_PAGE], 7);
    CHECK_EQ(fault_reading(from), SIGSEGV);
    CHECK_MAP_ERR(mremap(n, CHECK_PAGE, CHECK_PAGE, MREMAP_FIXED, to), EINVAL);
    CHECK_MAP_ERR(
        mremap(n, 2 * CHECK_PAGE, 2 * CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, n + CHECK_PAGE),
        EINVAL);
    CHECK_MAP_ERR(mremap(n, CHECK_PAGE, CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 1), EINVAL);
    CHECK_OK(munmap(to, 8 * CHECK_PAGE));
    ok("MREMAP_FIXED");
}

static void file_mapping(void) {
    scratch();
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    CHECK_EQ(pwrite(fd, "first", 5, 0), 5);
    CHECK_EQ(pwrite(fd, "third", 5, 2 * CHECK_PAGE), 5);
    char *p = mmap(NULL, CHECK_PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    p = mremap(p, CHECK_PAGE, 3 * CHECK_PAGE, MREMAP_MAYMOVE);
    CHECK(p != MAP_FAILED);
    CHECK(memcmp(p, "first", 5) == 0);
    CHECK(memcmp(p + 2 * CHECK_PAGE, "third", 5) == 0);
    CHECK_OK(munmap(p, 3 * CHECK_PAGE));
    CHECK_OK(close(fd));
    ok("file mapping");
}

static void errors(void) {
    unsigned char *p = pages(2);
    CHECK_MAP_ERR(mremap(p + 1, CHECK_PAGE, CHECK_PAGE, 0), EINVAL);
    CHECK_MAP_ERR(mremap(p, CHECK_PAGE, 0, 0), EINVAL);
    CHECK_MAP_ERR(mremap(p, CHECK_PAGE, 2 * CHECK_PAGE, 0x100), EINVAL);
    CHECK_OK(munmap(p, 2 * CHECK_PAGE));
    CHECK_MAP_ERR(mremap(p, CHECK_PAGE, 2 * CHECK_PAGE, MREMAP_MAYMOVE), EFAULT);
    ok("errors");
}

int main(void) {
    fault_setup();
    grow_and_shrink();
    move();
    fixed();
    file_mapping();
    errors();
    return 0;
}
