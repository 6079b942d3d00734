/* SPDX-License-Identifier: MIT */
/* lseek(2), with SEEK_DATA and SEEK_HOLE. */
#include "check.h"

static void positions(void) {
    put_file("f", "0123456789");
    int fd = open("f", O_RDONLY);
    CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
    CHECK_EQ(lseek(fd, 4, SEEK_CUR), 7);
    CHECK_EQ(lseek(fd, -2, SEEK_CUR), 5);
    CHECK_EQ(lseek(fd, -1, SEEK_END), 9);
    CHECK_EQ(lseek(fd, 100, SEEK_END), 110);
    CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_ERR(lseek(fd, -200, SEEK_CUR), EINVAL);
    CHECK_ERR(lseek(fd, -11, SEEK_END), EINVAL);
    CHECK_ERR(lseek(fd, 0, 99), EINVAL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 110);
    CHECK_ERR(lseek(-1, 0, SEEK_SET), EBADF);
    CHECK_EQ(lseek(fd, 0x100000000LL, SEEK_SET), 0x100000000LL);
    CHECK_OK(close(fd));
    ok("positions");
}

/* A file system without holes reports one extent of data and a hole at its end: both are right. */
static void holes(void) {
    enum { SIZE = 1 << 20, DATA = 1 << 19 };
    int fd = open("holes", O_RDWR | O_CREAT, 0600);
    CHECK_EQ(pwrite(fd, "data", 4, DATA), 4);
    CHECK_OK(ftruncate(fd, SIZE));
    off_t data = lseek(fd, 0, SEEK_DATA);
    CHECK(data == 0 || (data > 0 && data <= DATA));
    off_t hole = lseek(fd, DATA, SEEK_HOLE);
    CHECK(hole > DATA && hole <= SIZE);
    CHECK_EQ(lseek(fd, DATA, SEEK_DATA), DATA);
    off_t first = lseek(fd, 0, SEEK_HOLE);
    CHECK(first == 0 || first == SIZE);
    CHECK_ERR(lseek(fd, SIZE, SEEK_DATA), ENXIO);
    CHECK_ERR(lseek(fd, SIZE, SEEK_HOLE), ENXIO);
    CHECK_ERR(lseek(fd, SIZE + 5, SEEK_DATA), ENXIO);
    CHECK_OK(close(fd));
    ok("SEEK_DATA, SEEK_HOLE");
}

static void other_kinds(void) {
    int fds[2], fd = open("/dev/null", O_RDWR);
    CHECK_OK(pipe(fds));
    CHECK_ERR(lseek(fds[0], 0, SEEK_CUR), ESPIPE);
    CHECK_EQ(lseek(fd, 10, SEEK_SET), 0);
    CHECK_OK(close(fd));
    ok("pipes and devices");
}

int main(void) {
    scratch();
    positions();
    holes();
    other_kinds();
    return 0;
}
