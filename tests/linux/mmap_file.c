/* SPDX-License-Identifier: MIT */
/* mmap(2) of files, private and shared; msync(2); SIGBUS beyond the end. */
#include "check.h"
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)
#define PAGES 10

static int pattern_file(const char *path) {
    static unsigned char data[PAGES * CHECK_PAGE];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i / CHECK_PAGE * 16 + i % 13);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, data, sizeof data), sizeof data);
    return fd;
}

static unsigned char expected(size_t i) { return (unsigned char)(i / CHECK_PAGE * 16 + i % 13); }

static void private_mapping(void) {
    unsigned char back[4];
    int fd = pattern_file("p");
    unsigned char *p = mmap(NULL, PAGES * CHECK_PAGE, RW, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    for (size_t i = 0; i < PAGES * CHECK_PAGE; i += 31)
        CHECK_EQ(p[i], expected(i));
    p[5000] = 0xee;
    CHECK_EQ(p[5000], 0xee);
    CHECK_EQ(pread(fd, back, 1, 5000), 1);
    CHECK_EQ(back[0], expected(5000));
    /* At an offset, and alive after the descriptor is closed. */
    unsigned char *q = mmap(NULL, 2 * CHECK_PAGE, PROT_READ, MAP_PRIVATE, fd, 3 * CHECK_PAGE);
    CHECK(q != MAP_FAILED);
    CHECK_OK(close(fd));
    CHECK_EQ(q[0], expected(3 * CHECK_PAGE));
    CHECK_EQ(q[CHECK_PAGE + 7], expected(4 * CHECK_PAGE + 7));
    CHECK_EQ(fault_writing(q), SIGSEGV);
    CHECK_EQ(fault_code(), SEGV_ACCERR);
    CHECK_OK(munmap(q, 2 * CHECK_PAGE));
    CHECK_OK(munmap(p, PAGES * CHECK_PAGE));
    ok("MAP_PRIVATE");
}

static void shared_mapping(void) {
    unsigned char back[4];
    int fd = pattern_file("s");
    unsigned char *p = mmap(NULL, PAGES * CHECK_PAGE, RW, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    p[100] = 0x11;
    p[9 * CHECK_PAGE] = 0x22;
    CHECK_OK(msync(p, PAGES * CHECK_PAGE, MS_SYNC));
    CHECK_EQ(pread(fd, back, 1, 100), 1);
    CHECK_EQ(back[0], 0x11);
    CHECK_EQ(pread(fd, back, 1, 9 * CHECK_PAGE), 1);
    CHECK_EQ(back[0], 0x22);
    CHECK_EQ(pwrite(fd, "\x33", 1, 200), 1);
    CHECK_EQ(p[200], 0x33);
    /* A second mapping of the same file shows the same bytes. */
    unsigned char *q = mmap(NULL, CHECK_PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(q != MAP_FAILED);
    p[300] = 0x44;
    CHECK_EQ(q[300], 0x44);
    CHECK_OK(munmap(q, CHECK_PAGE));
    CHECK_OK(munmap(p, PAGES * CHECK_PAGE));
    CHECK_EQ(pread(fd, back, 1, 300), 1);
    CHECK_EQ(back[0], 0x44);
    CHECK_OK(close(fd));
    ok("MAP_SHARED");
}

static void fixed_over(void) {
    int fd = pattern_file("x");
    unsigned char *area = mmap(NULL, 4 * CHECK_PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    area[0] = 9;
    CHECK(mmap(area + CHECK_PAGE, CHECK_PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd,
               2 * CHECK_PAGE) == area + CHECK_PAGE);
    CHECK_EQ(area[0], 9);
    CHECK_EQ(area[CHECK_PAGE + 5], expected(2 * CHECK_PAGE + 5));
    CHECK_EQ(area[2 * CHECK_PAGE], 0);
    CHECK_OK(munmap(area, 4 * CHECK_PAGE));
    CHECK_OK(close(fd));
    ok("MAP_FIXED over memory");
}

static void beyond_the_end(void) {
    int fd = open("short", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK_EQ(write(fd, "abc", 3), 3);
    unsigned char *p = mmap(NULL, 3 * CHECK_PAGE, RW, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    CHECK(memcmp(p, "abc\0\0", 5) == 0);
    CHECK_EQ(p[CHECK_PAGE - 1], 0);
    CHECK_EQ(fault_reading(p + CHECK_PAGE), SIGBUS);
    CHECK_EQ(fault_code(), BUS_ADRERR);
    CHECK_EQ(fault_writing(p + 2 * CHECK_PAGE), SIGBUS);
    p[10] = 'x'; /* beyond the end, in the last page: does not reach the file */
    char back[16];
    CHECK_EQ(pread(fd, back, sizeof back, 0), 3);
    CHECK_OK(ftruncate(fd, 2 * CHECK_PAGE));
    CHECK_EQ(fault_reading(p + CHECK_PAGE), 0);
    CHECK_EQ(p[CHECK_PAGE], 0);
    CHECK_OK(munmap(p, 3 * CHECK_PAGE));
    CHECK_OK(close(fd));
    ok("SIGBUS beyond the end");
}

static void errors(void) {
    int rd = open("s", O_RDONLY), wr = open("s", O_WRONLY), dir = open(".", O_RDONLY), fds[2];
    CHECK_MAP_ERR(mmap(NULL, CHECK_PAGE, RW, MAP_SHARED, rd, 0), EACCES);
    CHECK_MAP_ERR(mmap(NULL, CHECK_PAGE, PROT_READ, MAP_SHARED, wr, 0), EACCES);
    CHECK_MAP_ERR(mmap(NULL, CHECK_PAGE, PROT_READ, MAP_PRIVATE, wr, 0), EACCES);
    CHECK_MAP_ERR(syscall(SYS_mmap, NULL, CHECK_PAGE, PROT_READ, MAP_PRIVATE, rd, 100), EINVAL);
    CHECK_MAP_ERR(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, rd, 0), EINVAL);
    CHECK_MAP_ERR(mmap(NULL, CHECK_PAGE, PROT_READ, MAP_PRIVATE, 999, 0), EBADF);
    CHECK_MAP_ERR(mmap(NULL, CHECK_PAGE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
    CHECK_OK(pipe(fds));
    CHECK_MAP_ERR(mmap(NULL, CHECK_PAGE, PROT_READ, MAP_PRIVATE, fds[0], 0), ENODEV);
    void *p = mmap(NULL, CHECK_PAGE, RW, MAP_PRIVATE, rd, 0);
    CHECK(p != MAP_FAILED);
    CHECK_ERR(msync((char *)p + 1, CHECK_PAGE, MS_SYNC), EINVAL);
    CHECK_ERR(msync(p, CHECK_PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    CHECK_OK(munmap(p, CHECK_PAGE));
    CHECK_ERR(msync(p, CHECK_PAGE, MS_SYNC), ENOMEM);
    p = mmap(NULL, CHECK_PAGE, PROT_READ, MAP_SHARED, rd, 0);
    CHECK_ERR(mprotect(p, CHECK_PAGE, RW), EACCES);
    CHECK_OK(munmap(p, CHECK_PAGE));
    CHECK_OK(close(rd));
    CHECK_OK(close(wr));
    CHECK_OK(close(dir));
    ok("errors");
}

/* System calls read from and write into file mappings. */
static void as_buffers(void) {
    int fd = pattern_file("buffer"), out = open("out", O_RDWR | O_CREAT, 0600);
    unsigned char *p = mmap(NULL, PAGES * CHECK_PAGE, RW, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    CHECK_EQ(write(out, p + 4000, 20000), 20000);
    CHECK_EQ(pread(out, p + 100, 5000, 10000), 5000);
    for (size_t i = 0; i < 5000; i += 11)
        CHECK_EQ(p[100 + i], expected(14000 + i));
    CHECK_OK(munmap(p, PAGES * CHECK_PAGE));
    CHECK_OK(close(fd));
    CHECK_OK(close(out));
    ok("as buffers");
}

int main(void) {
    fault_setup();
    scratch();
    private_mapping();
    shared_mapping();
    fixed_over();
    beyond_the_end();
    errors();
    as_buffers();
    return 0;
}
