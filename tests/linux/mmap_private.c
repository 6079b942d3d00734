/* SPDX-License-Identifier: MIT */
/* Writes to private mappings of files, in no order: each page is its own copy of the file's. */
#include "check.h"

#include <stdbool.h>
#include <sys/mman.h>

#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)
#define PAGES 150
#define TAIL 100 /* bytes of the file in its last page */
#define LARGE_PAGES 2000

static unsigned char expected(size_t at) { return (unsigned char)(at / CHECK_PAGE * 7 + at % 251); }

static int open_file(const char *name, size_t bytes) {
    unsigned char *buf = malloc(bytes);
    CHECK(buf != NULL);
    for (size_t i = 0; i < bytes; i++)
        buf[i] = expected(i);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, buf, bytes), (ssize_t)bytes);
    CHECK_OK(close(fd));
    free(buf);
    fd = open(name, O_RDONLY);
    CHECK(fd >= 0);
    return fd;
}

/* Every page but those in `written` as the file has it. */
static void check_rest(const unsigned char *p, size_t pages, const unsigned char *written) {
    for (size_t i = 0; i < pages; i++) {
        for (size_t k = 0; k < CHECK_PAGE; k += 97) {
            if (k == 0 && written[i]) continue;
            CHECK_EQ(p[i * CHECK_PAGE + k], expected(i * CHECK_PAGE + k));
        }
    }
}

static void scattered(size_t pages, size_t step, bool read_first) {
    int fd = open_file("f", pages * CHECK_PAGE);
    unsigned char *p = mmap(NULL, pages * CHECK_PAGE, RW, MAP_PRIVATE, fd, 0);
    unsigned char *q = mmap(NULL, pages * CHECK_PAGE, PROT_READ, MAP_SHARED, fd, 0);
    unsigned char *written = calloc(pages, 1), *none = calloc(pages, 1);
    CHECK(p != MAP_FAILED && q != MAP_FAILED && written != NULL && none != NULL);
    if (read_first) check_rest(p, pages, written);
    for (size_t i = 0, at = 3; i < pages / 2; i++, at = (at + step) % pages) {
        p[at * CHECK_PAGE] = (unsigned char)(at ^ 0x5a);
        written[at] = 1;
        CHECK_EQ(p[at * CHECK_PAGE + 1], expected(at * CHECK_PAGE + 1));
    }
    check_rest(p, pages, written);
    for (size_t i = 0; i < pages; i++)
        if (written[i]) CHECK_EQ(p[i * CHECK_PAGE], (unsigned char)(i ^ 0x5a));
    check_rest(q, pages, none);
    /* Other mappings have copies of their own. */
    unsigned char *r = mmap(NULL, pages * CHECK_PAGE, RW, MAP_PRIVATE, fd, 0);
    CHECK(r != MAP_FAILED);
    r[5 * CHECK_PAGE] = 1;
    written[5] = 1;
    check_rest(r, pages, written);
    CHECK_OK(munmap(r, pages * CHECK_PAGE));
    CHECK_OK(munmap(q, pages * CHECK_PAGE));
    CHECK_OK(munmap(p, pages * CHECK_PAGE));
    CHECK_OK(close(fd));
    free(written);
    free(none);
}

/* The file ends within the mapping, and within a page. */
static void end_of_file(void) {
    int fd = open_file("e", 9 * CHECK_PAGE + TAIL);
    unsigned char *p = mmap(NULL, 20 * CHECK_PAGE, RW, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    p[2 * CHECK_PAGE] = 1;
    for (size_t i = 0; i < CHECK_PAGE; i++)
        CHECK_EQ(p[9 * CHECK_PAGE + i], i < TAIL ? expected(9 * CHECK_PAGE + i) : 0);
    CHECK_EQ(fault_writing(p + 10 * CHECK_PAGE), SIGBUS);
    CHECK_EQ(fault_reading(p + 19 * CHECK_PAGE), SIGBUS);
    p[9 * CHECK_PAGE + TAIL] = 7;
    CHECK_EQ(p[9 * CHECK_PAGE + TAIL], 7);
    CHECK_OK(munmap(p, 20 * CHECK_PAGE));
    CHECK_OK(close(fd));
    ok("end of file");
}

static void protections(void) {
    int fd = open_file("p", 32 * CHECK_PAGE);
    unsigned char *p = mmap(NULL, 32 * CHECK_PAGE, RW, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    p[0] = 9;
    CHECK_OK(mprotect(p, 16 * CHECK_PAGE, PROT_READ)); /* as ld.so does with RELRO */
    CHECK_EQ(fault_writing(p + CHECK_PAGE), SIGSEGV);
    CHECK_EQ(p[0], 9);
    p[20 * CHECK_PAGE] = 8;
    CHECK_EQ(p[CHECK_PAGE], expected(CHECK_PAGE));
    for (int i = 0; i < 100; i++) { /* to and fro: wider rights hold at once, lesser ones too */
        CHECK_OK(mprotect(p, CHECK_PAGE, RW));
        p[1] = (unsigned char)i;
        CHECK_OK(mprotect(p, CHECK_PAGE, i % 2 != 0 ? PROT_READ : PROT_NONE));
        CHECK_EQ(fault_writing(p), SIGSEGV);
        if (i % 2 == 0) CHECK_EQ(fault_reading(p), SIGSEGV);
    }
    CHECK_OK(mprotect(p, CHECK_PAGE, PROT_READ));
    CHECK_EQ(p[1], 99);
    /* What is given up comes from the file again. */
    CHECK_OK(madvise(p + 20 * CHECK_PAGE, CHECK_PAGE, MADV_DONTNEED));
    CHECK_EQ(p[20 * CHECK_PAGE], expected(20 * CHECK_PAGE));
    CHECK_OK(munmap(p, 32 * CHECK_PAGE));
    CHECK_OK(close(fd));
    ok("protections");
}

int main(void) {
    scratch();
    fault_setup();
    scattered(PAGES, 37, false);
    scattered(PAGES, 37, true);
    ok("scattered writes");
    scattered(LARGE_PAGES, 701, true);
    ok("a large mapping");
    end_of_file();
    protections();
    return 0;
}
