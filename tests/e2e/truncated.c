/* SPDX-License-Identifier: MIT */
/* Maps a file that somebody else shortens while it is mapped: usage: truncated FILE.  Says "ready"
 * and waits for a line on standard input; the file has four pages and is then one page long. */
#include "../linux/check.h"
#include "../linux/fault.h"

#define RW (PROT_READ | PROT_WRITE)
#define SIZE (4 * CHECK_PAGE)

int main(int argc, char **argv) {
    char line[16];
    fault_setup();
    CHECK_EQ(argc, 2);
    int fd = open(argv[1], O_RDWR), zero = open("/dev/zero", O_RDWR);
    CHECK(fd >= 0 && zero >= 0);
    unsigned char *p = mmap(NULL, SIZE, RW, MAP_SHARED, fd, 0);
    unsigned char *own = mmap(NULL, SIZE, RW, MAP_PRIVATE, fd, 0);
    unsigned char *fresh = mmap(NULL, SIZE, RW, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED && own != MAP_FAILED && fresh != MAP_FAILED);
    for (size_t at = 0; at < SIZE; at += CHECK_PAGE) {
        CHECK_EQ(p[at], 'x');
        CHECK_EQ(own[at], 'x');
    }
    CHECK_EQ(write(STDOUT_FILENO, "ready\n", 6), 6);
    CHECK(read(STDIN_FILENO, line, sizeof line) > 0);

    CHECK_EQ(p[0], 'x');
    CHECK_EQ(write(STDOUT_FILENO, p, 1), 1);
    CHECK_ERR(write(STDOUT_FILENO, p + CHECK_PAGE, 10), EFAULT);
    CHECK_ERR(read(zero, p + 2 * CHECK_PAGE, 10), EFAULT);
    CHECK_ERR(open((char *)p + 3 * CHECK_PAGE, O_RDONLY), EFAULT);
    for (size_t at = CHECK_PAGE; at < SIZE; at += CHECK_PAGE) {
        CHECK_EQ(fault_reading(p + at + 5), SIGBUS);
        CHECK_EQ(fault_code(), BUS_ADRERR);
        CHECK(fault_address() == p + at + 5);
        CHECK_EQ(fault_writing(p + at + 6), SIGBUS);
        CHECK_EQ(fault_reading(own + at), SIGBUS);
        CHECK_EQ(fault_writing(fresh + at), SIGBUS);
    }
    own[0] = 'y';
    CHECK_EQ(p[0], 'x');
    CHECK_OK(ftruncate(fd, SIZE));
    CHECK_EQ(p[CHECK_PAGE], 0);
    ok("a file truncated by others");
    return 0;
}
