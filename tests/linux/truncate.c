/* SPDX-License-Identifier: MIT */
/* truncate(2), ftruncate(2), fallocate(2). */
#include "check.h"

static off_t size_of(int fd) {
    struct stat st;
    CHECK_OK(fstat(fd, &st));
    return st.st_size;
}

static void sizes(void) {
    char buf[64];
    put_file("f", "0123456789");
    int fd = open("f", O_RDWR);
    CHECK_EQ(lseek(fd, 8, SEEK_SET), 8);
    CHECK_OK(ftruncate(fd, 4));
    CHECK_EQ(size_of(fd), 4);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 8);
    CHECK_EQ(read(fd, buf, 4), 0);
    /* What was cut off reads as zeros when the file grows again. */
    CHECK_OK(ftruncate(fd, 10));
    CHECK_EQ(pread(fd, buf, sizeof buf, 0), 10);
    CHECK(memcmp(buf, "0123\0\0\0\0\0\0", 10) == 0);
    CHECK_OK(truncate("f", 2));
    CHECK_EQ(size_of(fd), 2);
    CHECK_OK(truncate("f", 100000));
    CHECK_EQ(size_of(fd), 100000);
    CHECK_EQ(pread(fd, buf, 4, 99998), 2);
    CHECK_OK(ftruncate(fd, 5000));
    CHECK_EQ(pwrite(fd, "end", 3, 4997), 3);
    CHECK_OK(ftruncate(fd, 4998));
    CHECK_OK(ftruncate(fd, 8192));
    CHECK_EQ(pread(fd, buf, 3, 4997), 3);
    CHECK(memcmp(buf, "e\0\0", 3) == 0);
    CHECK_OK(ftruncate(fd, 0));
    CHECK_EQ(size_of(fd), 0);
    CHECK_OK(close(fd));
    ok("sizes");
}

static void errors(void) {
    int rd = open("f", O_RDONLY), fds[2], dir = open(".", O_RDONLY);
    CHECK_ERR(ftruncate(rd, 1), EINVAL);
    CHECK_ERR(ftruncate(-1, 1), EBADF);
    CHECK_ERR(ftruncate(dir, 1), EINVAL);
    CHECK_ERR(truncate("f", -1), EINVAL);
    CHECK_ERR(truncate("none", 1), ENOENT);
    CHECK_ERR(truncate(".", 1), EISDIR);
    CHECK_ERR(truncate("f/x", 1), ENOTDIR);
    CHECK_ERR(truncate(bad_pointer(), 1), EFAULT);
    CHECK_OK(pipe(fds));
    CHECK_ERR(ftruncate(fds[1], 1), EINVAL);
    CHECK_OK(close(rd));
    CHECK_OK(close(dir));
    int rw = open("f", O_RDWR);
    CHECK_ERR(ftruncate(rw, -1), EINVAL);
    CHECK_OK(close(rw));
    ok("errors");
}

static void allocate(void) {
    struct stat st;
    int fd = open("a", O_RDWR | O_CREAT, 0600);
    CHECK_OK(fallocate(fd, 0, 0, 10000));
    CHECK_EQ(size_of(fd), 10000);
    CHECK_OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 50000));
    CHECK_EQ(size_of(fd), 10000);
    CHECK_OK(fstat(fd, &st));
    CHECK(st.st_blocks * 512 >= 10000);
    CHECK_ERR(fallocate(fd, 0, -1, 10), EINVAL);
    CHECK_ERR(fallocate(fd, 0, 0, 0), EINVAL);
    CHECK_ERR(fallocate(-1, 0, 0, 10), EBADF);
    CHECK_OK(close(fd));
    fd = open("a", O_RDONLY);
    CHECK_ERR(fallocate(fd, 0, 0, 10), EBADF);
    CHECK_OK(close(fd));
    ok("fallocate");
}

int main(void) {
    scratch();
    sizes();
    errors();
    allocate();
    return 0;
}
