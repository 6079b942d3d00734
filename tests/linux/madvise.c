/* SPDX-License-Identifier: MIT */
/* madvise(2), mincore(2), mlock(2). */
#include "check.h"

#define RW (PROT_READ | PROT_WRITE)
#define COUNT 16

static unsigned char *pages(void) {
    unsigned char *p = mmap(NULL, COUNT * CHECK_PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    memset(p, 6, COUNT * CHECK_PAGE);
    return p;
}

static void dont_need(void) {
    unsigned char *p = pages();
    CHECK_OK(madvise(p + CHECK_PAGE, 4 * CHECK_PAGE, MADV_DONTNEED));
    CHECK_EQ(p[CHECK_PAGE - 1], 6);
    for (size_t i = CHECK_PAGE; i < 5 * CHECK_PAGE; i += 100)
        CHECK_EQ(p[i], 0);
    CHECK_EQ(p[5 * CHECK_PAGE], 6);
    p[CHECK_PAGE] = 8;
    CHECK_EQ(p[CHECK_PAGE], 8);
    CHECK_OK(madvise(p, COUNT * CHECK_PAGE, MADV_DONTNEED));
    CHECK_EQ(p[COUNT * CHECK_PAGE - 1], 0);
    CHECK_OK(munmap(p, COUNT * CHECK_PAGE));

    /* A private file mapping falls back to the file's content. */
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    CHECK_EQ(write(fd, "file", 4), 4);
    p = mmap(NULL, CHECK_PAGE, RW, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    memcpy(p, "mine", 4);
    CHECK_OK(madvise(p, CHECK_PAGE, MADV_DONTNEED));
    CHECK(memcmp(p, "file", 4) == 0);
    CHECK_OK(munmap(p, CHECK_PAGE));
    CHECK_OK(close(fd));
    ok("MADV_DONTNEED");
}

static void hints(void) {
    static const int advice[] = {MADV_NORMAL,   MADV_RANDOM,   MADV_SEQUENTIAL,
                                 MADV_WILLNEED, MADV_DONTFORK, MADV_DOFORK};
    unsigned char *p = pages();
    for (size_t i = 0; i < sizeof advice / sizeof *advice; i++) {
        CHECK_OK(madvise(p, COUNT * CHECK_PAGE, advice[i]));
        CHECK_EQ(p[100], 6);
    }
    CHECK_OK(madvise(p, COUNT * CHECK_PAGE, MADV_FREE));
    CHECK(p[100] == 6 || p[100] == 0);
    p[100] = 7;
    CHECK_EQ(p[100], 7);
    CHECK_OK(madvise(p, 0, MADV_NORMAL));
    CHECK_OK(munmap(p, COUNT * CHECK_PAGE));
    ok("hints");
}

static void errors(void) {
    unsigned char *p = pages();
    CHECK_ERR(madvise(p + 1, CHECK_PAGE, MADV_NORMAL), EINVAL);
    CHECK_ERR(madvise(p, CHECK_PAGE, 12345), EINVAL);
    CHECK_OK(munmap(p + CHECK_PAGE, CHECK_PAGE));
    CHECK_ERR(madvise(p, 3 * CHECK_PAGE, MADV_NORMAL), ENOMEM);
    /* The mapped parts are acted on all the same. */
    CHECK_ERR(madvise(p, 3 * CHECK_PAGE, MADV_DONTNEED), ENOMEM);
    CHECK_EQ(p[0], 0);
    CHECK_EQ(p[2 * CHECK_PAGE], 0);
    CHECK_OK(munmap(p, COUNT * CHECK_PAGE));
    ok("errors");
}

static void residency(void) {
    unsigned char vec[COUNT];
    unsigned char *p = pages();
    CHECK_OK(mincore(p, COUNT * CHECK_PAGE, vec));
    for (int i = 0; i < COUNT; i++)
        CHECK_EQ(vec[i] & 1, 1);
    CHECK_ERR(mincore(p + 1, CHECK_PAGE, vec), EINVAL);
    CHECK_OK(mlock(p, CHECK_PAGE));
    CHECK_OK(munlock(p, CHECK_PAGE));
    CHECK_OK(munmap(p, COUNT * CHECK_PAGE));
    CHECK_ERR(mincore(p, CHECK_PAGE, vec), ENOMEM);
    ok("mincore, mlock");
}

int main(void) {
    scratch();
    dont_need();
    hints();
    errors();
    residency();
    return 0;
}
