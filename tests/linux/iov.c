/* SPDX-License-Identifier: MIT */
/* readv(2), writev(2), pread64(2), pwrite64(2), preadv(2), pwritev(2). */
#include "check.h"

#include <sys/uio.h>

static void vectors(void) {
    char a[4], b[5], c[16];
    struct iovec out[3] = {{(char *)"one", 3}, {NULL, 0}, {(char *)"twothree", 8}};
    struct iovec in[3] = {{a, 4}, {b, 5}, {c, 16}};
    int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK_EQ(writev(fd, out, 3), 11);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(readv(fd, in, 3), 11);
    CHECK(memcmp(a, "onet", 4) == 0 && memcmp(b, "wothr", 5) == 0 && memcmp(c, "ee", 2) == 0);
    CHECK_EQ(readv(fd, in, 3), 0);
    CHECK_EQ(writev(fd, out, 0), 0);
    CHECK_EQ(readv(fd, NULL, 0), 0);
    CHECK_EQ(preadv(fd, in, 2, 3), 8);
    CHECK(memcmp(a, "twot", 4) == 0);
    CHECK_EQ(pwritev(fd, out, 1, 3), 3);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 11);
    CHECK_OK(close(fd));
    CHECK_STR(get_file("f"), "oneonethree");
    ok("readv, writev");
}

static void many(void) {
    enum { COUNT = 1024, EACH = 37 };
    static char data[COUNT][EACH], back[COUNT][EACH];
    static struct iovec out[COUNT + 1], in[COUNT];
    for (int i = 0; i < COUNT; i++) {
        memset(data[i], i, EACH);
        out[i] = (struct iovec){data[i], EACH};
        in[i] = (struct iovec){back[i], EACH};
    }
    int fd = open("many", O_RDWR | O_CREAT, 0600);
    CHECK_EQ(writev(fd, out, COUNT), COUNT * EACH);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(readv(fd, in, COUNT), COUNT * EACH);
    CHECK(memcmp(data, back, sizeof data) == 0);
    out[COUNT] = out[0];
    CHECK_ERR(syscall(SYS_writev, fd, out, COUNT + 1L), EINVAL);
    CHECK_ERR(syscall(SYS_writev, fd, out, -1L), EINVAL);
    CHECK_OK(close(fd));
    ok("IOV_MAX segments");
}

static void positions(void) {
    char buf[8];
    put_file("p", "0123456789");
    int fd = open("p", O_RDWR);
    CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
    CHECK_EQ(pread(fd, buf, 4, 5), 4);
    CHECK(memcmp(buf, "5678", 4) == 0);
    CHECK_EQ(pread(fd, buf, 8, 8), 2);
    CHECK_EQ(pread(fd, buf, 8, 100), 0);
    CHECK_EQ(pwrite(fd, "XY", 2, 9), 2);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 2);
    CHECK_STR(get_file("p"), "012345678XY");
    CHECK_ERR(pread(fd, buf, 1, -1), EINVAL);
    CHECK_ERR(pwrite(fd, buf, 1, -1), EINVAL);
    CHECK_ERR(pread(-1, buf, 1, 0), EBADF);
    CHECK_OK(close(fd));
    ok("pread, pwrite");
}

static void errors(void) {
    char buf[8];
    struct iovec bad[2] = {{buf, 4}, {bad_pointer(), 4}};
    int fd = open("p", O_RDWR), rd = open("p", O_RDONLY), wr = open("p", O_WRONLY);
    CHECK_ERR(readv(fd, bad_pointer(), 1), EFAULT);
    CHECK_ERR(writev(fd, bad + 1, 1), EFAULT);
    CHECK_ERR(readv(fd, bad + 1, 1), EFAULT);
    CHECK_ERR(writev(rd, bad, 1), EBADF);
    CHECK_ERR(readv(wr, bad, 1), EBADF);
    CHECK_ERR(readv(-1, bad, 1), EBADF);
    /* A negative length, or lengths whose sum does not fit. */
    struct iovec negative = {buf, (size_t)-1};
    CHECK_ERR(readv(fd, &negative, 1), EINVAL);
    ssize_t n = readv(fd, bad, 2);
    CHECK(n == 4 || (n == -1 && errno == EFAULT));
    CHECK_OK(close(fd));
    CHECK_OK(close(rd));
    CHECK_OK(close(wr));
    ok("errors");
}

int main(void) {
    scratch();
    vectors();
    many();
    positions();
    errors();
    return 0;
}
