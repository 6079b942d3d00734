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

int main(void) {
    scratch();
    int fd = open("f", O_RDWR | O_CREAT, 0600), other = open("f", O_RDWR);
    CHECK(fd >= 0 && other >= 0);
    CHECK_OK(ftruncate(fd, 3 * CHECK_PAGE));
    changes_are_seen(fd, other);
    sizes_are_seen(fd, other);
    arguments(fd);
    return 0;
}
