/* SPDX-License-Identifier: MIT */
/* Small reads at one place again and again, with locks taken before them as a database does: each
 * sees the file as it is, its end included. */
#include "check.h"

#include <sys/mman.h>

#define TIMES 200

static void lock(int fd, short type) {
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = 1 << 20, .l_len = 1};
    CHECK_OK(fcntl(fd, F_SETLK, &l));
}

static off_t size_of(int fd) {
    struct stat st;
    CHECK_OK(fstat(fd, &st));
    return st.st_size;
}

/* Reads 4 bytes at 100 under a lock, `times` times: they are `want`. */
static void header_is(int fd, uint32_t want, int times) {
    for (int i = 0; i < times; i++) {
        uint32_t got;
        lock(fd, F_RDLCK);
        CHECK_EQ(pread(fd, &got, sizeof got, 100), (ssize_t)sizeof got);
        CHECK_EQ(got, want);
        lock(fd, F_UNLCK);
    }
}

static void changes_are_seen(int fd, int other) {
    header_is(fd, 0, TIMES);
    for (uint32_t i = 1; i < TIMES; i++) {
        CHECK_EQ(pwrite(i % 2 != 0 ? other : fd, &i, sizeof i, 100), (ssize_t)sizeof i);
        header_is(fd, i, 3);
    }
    uint32_t *p = mmap(NULL, CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
    CHECK(p != MAP_FAILED);
    for (uint32_t i = 1; i < TIMES; i++) {
        p[25] = i << 8;
        header_is(fd, i << 8, 2);
    }
    CHECK_OK(munmap(p, CHECK_PAGE));
    ok("changes are seen");
}

static void sizes_are_seen(int fd, int other) {
    char buf[8];
    header_is(fd, (TIMES - 1) << 8, TIMES);
    for (int i = 0; i < TIMES; i++) {
        lock(fd, F_RDLCK);
        CHECK_OK(ftruncate(other, 102));
        CHECK_EQ(size_of(fd), 102);
        CHECK_EQ(pread(fd, buf, 4, 100), 2);
        CHECK_OK(ftruncate(other, 50));
        CHECK_EQ(pread(fd, buf, 4, 100), 0);
        CHECK_EQ(size_of(fd), 50);
        CHECK_EQ(pwrite(other, "abcd", 4, 100), 4);
        CHECK_EQ(pread(fd, buf, 8, 98), 6);
        CHECK(memcmp(buf, "\0\0abcd", 6) == 0);
        CHECK_EQ(size_of(fd), 104);
        lock(fd, F_UNLCK);
    }
    ok("sizes are seen");
}

static void arguments(int fd) {
    char buf[8];
    CHECK_OK(ftruncate(fd, CHECK_PAGE + 2));
    for (int i = 0; i < TIMES; i++) {
        lock(fd, F_RDLCK);
        CHECK_EQ(pread(fd, buf, 8, CHECK_PAGE - 4), 6); /* across a page */
        CHECK_EQ(pread(fd, buf, 8, CHECK_PAGE), 2);
        CHECK_ERR(pread(fd, bad_pointer(), 8, 100), EFAULT);
        CHECK_EQ(pread(fd, buf, 0, 100), 0);
        CHECK_ERR(pread(fd, buf, 1, -1), EINVAL);
        lock(fd, F_UNLCK);
    }
    /* read(2) moves the position. */
    for (int i = 0; i < 300; i++) {
        lock(fd, F_RDLCK);
        CHECK_EQ(lseek(fd, i, SEEK_SET), i);
        CHECK_EQ(read(fd, buf, 1), 1);
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), i + 1);
        lock(fd, F_UNLCK);
    }
    ok("arguments");
}

#define PAGES 64u

/* Page `page` as its `version`th writing left it. */
static void fill(unsigned char *to, unsigned page, unsigned version) {
    for (unsigned i = 0; i < CHECK_PAGE; i++)
        to[i] = (unsigned char)(page * 7 + version * 31 + i / 16);
}

/* A database's pages: read, and now and then written, in no order and without locks. */
static void pages_are_seen(int fd, int other) {
    static unsigned char want[PAGES * CHECK_PAGE], got[4 * CHECK_PAGE];
    unsigned random = 1;
    for (unsigned page = 0; page < PAGES; page++) {
        fill(want + page * CHECK_PAGE, page, 0);
        CHECK_EQ(pwrite(fd, want + page * CHECK_PAGE, CHECK_PAGE, (off_t)(page * CHECK_PAGE)),
                 (ssize_t)CHECK_PAGE);
    }
    for (unsigned i = 1; i < 4000; i++) {
        random = random * 1103515245 + 12345;
        unsigned page = random >> 16 & (PAGES - 1), len = random >> 8 & (sizeof got - 1);
        off_t at = (off_t)(page * CHECK_PAGE + (i % 3 == 0 ? random >> 4 & 4095 : 0));
        if (i % 3 != 0) len = CHECK_PAGE;
        if (i % 5 == 0) {
            fill(want + page * CHECK_PAGE, page, i);
            CHECK_EQ(pwrite(i % 2 ? fd : other, want + page * CHECK_PAGE, CHECK_PAGE,
                            (off_t)(page * CHECK_PAGE)),
                     (ssize_t)CHECK_PAGE);
        }
        ssize_t left = (ssize_t)sizeof want - (ssize_t)at, n = pread(fd, got, len, at);
        CHECK_EQ(n, (ssize_t)len < left ? (ssize_t)len : left);
        CHECK(memcmp(got, want + at, (size_t)n) == 0);
    }
    for (unsigned page = PAGES; page > 0; page--) {
        CHECK_OK(ftruncate(other, (off_t)(page * CHECK_PAGE - 100)));
        CHECK_EQ(pread(fd, got, CHECK_PAGE, (off_t)((page - 1) * CHECK_PAGE)), 4096 - 100);
        CHECK_EQ(pread(fd, got, CHECK_PAGE, (off_t)(page * CHECK_PAGE)), 0);
    }
    ok("pages are seen");
}

int main(void) {
    scratch();
    int fd = open("f", O_RDWR | O_CREAT, 0600), other = open("f", O_RDWR);
    CHECK(fd >= 0 && other >= 0);
    CHECK_OK(ftruncate(fd, 3 * CHECK_PAGE));
    changes_are_seen(fd, other);
    sizes_are_seen(fd, other);
    arguments(fd);
    pages_are_seen(fd, other);
    return 0;
}
