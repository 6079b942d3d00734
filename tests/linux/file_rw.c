/* SPDX-License-Identifier: MIT */
/* read(2), write(2), close(2), fsync(2): content, offsets, end of file and errors. */
#include "check.h"

#define BIG (4 << 20)

static void small_file(void) {
    char buf[64] = {0};
    int fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "hello world", 11), 11);
    CHECK_EQ(read(fd, buf, sizeof buf), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(read(fd, buf, 5), 5);
    CHECK(memcmp(buf, "hello", 5) == 0);
    CHECK_EQ(read(fd, buf, sizeof buf), 6);
    CHECK(memcmp(buf, " world", 6) == 0);
    CHECK_EQ(read(fd, buf, 0), 0);
    CHECK_EQ(write(fd, buf, 0), 0);
    CHECK_EQ(lseek(fd, 6, SEEK_SET), 6);
    CHECK_EQ(write(fd, "W", 1), 1);
    CHECK_OK(fsync(fd));
    CHECK_OK(fdatasync(fd));
    CHECK_OK(close(fd));
    CHECK_STR(get_file("a"), "hello World");
    ok("small file");
}

static void holes(void) {
    char buf[16];
    int fd = open("hole", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(lseek(fd, 100000, SEEK_SET), 100000);
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 100001);
    CHECK_EQ(lseek(fd, 50000, SEEK_SET), 50000);
    CHECK_EQ(read(fd, buf, sizeof buf), sizeof buf);
    for (size_t i = 0; i < sizeof buf; i++)
        CHECK_EQ(buf[i], 0);
    CHECK_EQ(lseek(fd, 200000, SEEK_SET), 200000);
    CHECK_EQ(read(fd, buf, sizeof buf), 0);
    CHECK_OK(close(fd));
    ok("holes");
}

static void append(void) {
    put_file("app", "one");
    int fd = open("app", O_RDWR | O_APPEND);
    CHECK(fd >= 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_EQ(write(fd, "two", 3), 3);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(write(fd, "three", 5), 5);
    CHECK_OK(close(fd));
    CHECK_STR(get_file("app"), "onetwothree");

    /* Two descriptors of their own open: each keeps its own offset. */
    int first = open("app", O_RDONLY), second = open("app", O_RDONLY);
    char c;
    CHECK_EQ(read(first, &c, 1), 1);
    CHECK_EQ(read(first, &c, 1), 1);
    CHECK_EQ(c, 'n');
    CHECK_EQ(read(second, &c, 1), 1);
    CHECK_EQ(c, 'o');
    CHECK_OK(close(first));
    CHECK_OK(close(second));
    ok("append and offsets");
}

static void big_file(void) {
    unsigned char *data = malloc(BIG), *back = malloc(BIG);
    CHECK(data != NULL && back != NULL);
    for (size_t i = 0; i < BIG; i++)
        data[i] = (unsigned char)(i * 2654435761u >> 24);
    int fd = open("big", O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, data, BIG), BIG);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(read(fd, back, BIG), BIG);
    CHECK(memcmp(data, back, BIG) == 0);
    /* Odd sizes across page boundaries. */
    CHECK_EQ(lseek(fd, 4093, SEEK_SET), 4093);
    CHECK_EQ(read(fd, back, 12347), 12347);
    CHECK(memcmp(data + 4093, back, 12347) == 0);
    CHECK_EQ(lseek(fd, -100, SEEK_END), BIG - 100);
    CHECK_EQ(read(fd, back, 4096), 100);
    CHECK(memcmp(data + BIG - 100, back, 100) == 0);
    CHECK_OK(close(fd));
    free(data);
    free(back);
    ok("4 MiB file");
}

static void errors(void) {
    char buf[8];
    int rd = open("a", O_RDONLY), wr = open("a", O_WRONLY), dir = open(".", O_RDONLY);
    CHECK(rd >= 0 && wr >= 0 && dir >= 0);
    CHECK_ERR(write(rd, "x", 1), EBADF);
    CHECK_ERR(read(wr, buf, 1), EBADF);
    CHECK_ERR(read(dir, buf, 1), EISDIR);
    CHECK_ERR(write(dir, buf, 1), EBADF);
    CHECK_ERR(read(-1, buf, 1), EBADF);
    CHECK_ERR(write(-1, buf, 1), EBADF);
    CHECK_ERR(read(999, buf, 1), EBADF);
    CHECK_ERR(close(-1), EBADF);
    CHECK_ERR(close(999), EBADF);
    CHECK_ERR(fsync(-1), EBADF);
    CHECK_ERR(read(rd, bad_pointer(), 4), EFAULT);
    CHECK_ERR(write(wr, bad_pointer(), 4), EFAULT);
    CHECK_OK(close(rd));
    CHECK_ERR(close(rd), EBADF);
    CHECK_ERR(read(rd, buf, 1), EBADF);
    CHECK_OK(close(wr));
    CHECK_OK(close(dir));
    ok("errors");
}

/* A buffer whose second page is bad: what fits is transferred, or EFAULT if nothing does. */
static void half_bad_buffer(void) {
    char *pages =
        mmap(NULL, 2 * CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
    CHECK_OK(mprotect(pages + CHECK_PAGE, CHECK_PAGE, PROT_NONE));
    int fd = open("/dev/zero", O_RDONLY);
    CHECK(fd >= 0);
    memset(pages, 1, CHECK_PAGE);
    ssize_t n = read(fd, pages + CHECK_PAGE - 100, 200);
    CHECK(n == 100 || (n == -1 && errno == EFAULT));
    CHECK_ERR(read(fd, pages + CHECK_PAGE, 10), EFAULT);
    CHECK_OK(close(fd));
    ok("half bad buffer");
}

int main(void) {
    scratch();
    small_file();
    holes();
    append();
    big_file();
    errors();
    half_bad_buffer();
    return 0;
}
