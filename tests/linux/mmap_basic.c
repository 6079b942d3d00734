/* SPDX-License-Identifier: MIT */
/* mmap(2), munmap(2) of anonymous memory: content, placement, flags, errors, faults. */
#include "check.h"
#include "fault.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static void content(void) {
    size_t size = 64 * CHECK_PAGE;
    unsigned char *p = mmap(NULL, size, RW, ANON, -1, 0);
    CHECK(p != MAP_FAILED);
    CHECK_EQ((uintptr_t)p % CHECK_PAGE, 0);
    for (size_t i = 0; i < size; i += 97)
        CHECK_EQ(p[i], 0);
    memset(p, 0xa5, size);
    CHECK_OK(munmap(p, size));
    CHECK_EQ(fault_reading(p), SIGSEGV);
    CHECK_EQ(fault_code(), SEGV_MAPERR);
    CHECK(fault_address() == p);
    /* Fresh memory is zero although pages are reused. */
    p = mmap(NULL, size, RW, ANON, -1, 0);
    for (size_t i = 0; i < size; i++)
        CHECK_EQ(p[i], 0);
    CHECK_OK(munmap(p, size));
    /* A length is rounded up to pages. */
    p = mmap(NULL, 1, RW, ANON, -1, 0);
    p[CHECK_PAGE - 1] = 1;
    CHECK_OK(munmap(p, 1));
    CHECK_EQ(fault_reading(p + CHECK_PAGE - 1), SIGSEGV);
    ok("content");
}

static void partial_unmap(void) {
    unsigned char *p = mmap(NULL, 5 * CHECK_PAGE, RW, ANON, -1, 0);
    CHECK(p != MAP_FAILED);
    memset(p, 7, 5 * CHECK_PAGE);
    CHECK_OK(munmap(p + 2 * CHECK_PAGE, CHECK_PAGE));
    CHECK_EQ(p[2 * CHECK_PAGE - 1], 7);
    CHECK_EQ(p[3 * CHECK_PAGE], 7);
    CHECK_EQ(fault_reading(p + 2 * CHECK_PAGE), SIGSEGV);
    /* Unmapping what is not mapped succeeds; so does a range with holes. */
    CHECK_OK(munmap(p + 2 * CHECK_PAGE, CHECK_PAGE));
    CHECK_OK(munmap(p, 5 * CHECK_PAGE));
    CHECK_EQ(fault_reading(p), SIGSEGV);
    ok("partial munmap");
}

static void fixed(void) {
    unsigned char *area = mmap(NULL, 8 * CHECK_PAGE, RW, ANON, -1, 0);
    CHECK(area != MAP_FAILED);
    memset(area, 1, 8 * CHECK_PAGE);
    unsigned char *mid = area + 3 * CHECK_PAGE;
    CHECK(mmap(mid, 2 * CHECK_PAGE, RW, ANON | MAP_FIXED, -1, 0) == mid);
    CHECK_EQ(mid[0], 0);
    CHECK_EQ(mid[-1], 1);
    CHECK_EQ(mid[2 * CHECK_PAGE], 1);
    CHECK_MAP_ERR(mmap(mid + 1, CHECK_PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
    CHECK_MAP_ERR(mmap(mid, CHECK_PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    CHECK_OK(munmap(mid, CHECK_PAGE));
    CHECK(mmap(mid, CHECK_PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == mid);
    /* A free hint is taken, an occupied one is not. */
    CHECK_OK(munmap(mid, CHECK_PAGE));
    CHECK(mmap(mid, CHECK_PAGE, RW, ANON, -1, 0) == mid);
    unsigned char *other = mmap(mid, CHECK_PAGE, RW, ANON, -1, 0);
    CHECK(other != MAP_FAILED && other != mid);
    CHECK_OK(munmap(other, CHECK_PAGE));
    CHECK_OK(munmap(area, 8 * CHECK_PAGE));
    unsigned char *low = mmap(NULL, CHECK_PAGE, RW, ANON | MAP_32BIT, -1, 0);
    CHECK(low != MAP_FAILED && (uintptr_t)low < 0x80000000UL);
    CHECK_OK(munmap(low, CHECK_PAGE));
    unsigned char *hint = (unsigned char *)0x51230000;
    CHECK(mmap(hint, 4 * CHECK_PAGE, RW, ANON | MAP_32BIT, -1, 0) == hint);
    low = mmap(hint + CHECK_PAGE, CHECK_PAGE, RW, ANON | MAP_32BIT, -1, 0);
    CHECK(low != MAP_FAILED && (low < hint || low >= hint + 4 * CHECK_PAGE));
    CHECK((uintptr_t)low < 0x80000000UL);
    CHECK_OK(munmap(low, CHECK_PAGE));
    low = mmap((void *)0x100000000UL, CHECK_PAGE, RW, ANON | MAP_32BIT, -1, 0);
    CHECK(low != MAP_FAILED && (uintptr_t)low < 0x80000000UL);
    CHECK_OK(munmap(low, CHECK_PAGE));
    CHECK_OK(munmap(hint, 4 * CHECK_PAGE));
    ok("MAP_FIXED, hints");
}

static void errors(void) {
    CHECK_MAP_ERR(mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
    CHECK_MAP_ERR(mmap(NULL, CHECK_PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_MAP_ERR(mmap(NULL, CHECK_PAGE, RW, MAP_PRIVATE, -1, 0), EBADF);
    CHECK_MAP_ERR(syscall(SYS_mmap, NULL, CHECK_PAGE, RW, ANON, -1, 1), EINVAL);
    CHECK_MAP_ERR(syscall(SYS_mmap, NULL, ~0UL, RW, ANON, -1, 0), ENOMEM);
    CHECK_MAP_ERR(syscall(SYS_mmap, NULL, 1UL << 47, RW, ANON | MAP_NORESERVE, -1, 0), ENOMEM);
    CHECK_MAP_ERR(syscall(SYS_mmap, 0x800000000000UL, CHECK_PAGE, RW, ANON | MAP_FIXED, -1, 0),
                  ENOMEM);
    CHECK_ERR(syscall(SYS_munmap, 0x10001, CHECK_PAGE), EINVAL);
    CHECK_ERR(syscall(SYS_munmap, 0x10000, 0), EINVAL);
    CHECK_ERR(syscall(SYS_munmap, 0x800000000000UL, CHECK_PAGE), EINVAL);
    ok("errors");
}

/* Reserving costs nothing: 64 GiB of address space, a page here and there. */
static void reservation(void) {
    size_t size = 64UL << 30;
    unsigned char *p = mmap(NULL, size, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED);
    CHECK_EQ(fault_reading(p + (1UL << 30)), SIGSEGV);
    CHECK_EQ(fault_code(), SEGV_ACCERR);
    for (size_t at = 0; at < size; at += 8UL << 30) {
        CHECK_OK(mprotect(p + at, CHECK_PAGE, RW));
        p[at] = 1;
    }
    CHECK_OK(munmap(p, size));
    p = mmap(NULL, size, RW, ANON | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED);
    p[size - 1] = 9;
    p[size / 2] = 8;
    CHECK_EQ(p[size - 1] + p[size / 2], 17);
    CHECK_OK(munmap(p, size));
    ok("64 GiB reservation");
}

static void shared_anonymous(void) {
    int *p = mmap(NULL, CHECK_PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    p[10] = 5;
    CHECK_EQ(p[10], 5);
    CHECK_OK(munmap(p, CHECK_PAGE));
    unsigned char *now = mmap(NULL, 16 * CHECK_PAGE, RW, ANON | MAP_POPULATE, -1, 0);
    CHECK(now != MAP_FAILED);
    CHECK_EQ(now[15 * CHECK_PAGE], 0);
    CHECK_OK(munmap(now, 16 * CHECK_PAGE));
    ok("MAP_SHARED, MAP_POPULATE");
}

int main(void) {
    fault_setup();
    content();
    partial_unmap();
    fixed();
    errors();
    reservation();
    shared_anonymous();
    return 0;
}
