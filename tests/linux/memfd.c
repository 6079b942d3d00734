/* SPDX-License-Identifier: MIT */
/* memfd_create(2), seals, shm_open(3), and what truncation does to mappings. */
#include "check.h"
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)

static unsigned char *map(int fd, size_t pages, int prot, int flags) {
    unsigned char *p = mmap(NULL, pages * CHECK_PAGE, prot, flags, fd, 0);
    CHECK(p != MAP_FAILED);
    return p;
}

static void create(void) {
    char link[64], path[64], big[300];
    struct stat st;
    int fd = memfd_create("name", MFD_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    CHECK_OK(fstat(fd, &st));
    CHECK(S_ISREG(st.st_mode));
    CHECK_EQ(st.st_mode & 07777, 0777);
    CHECK_EQ(st.st_nlink, 0);
    CHECK_EQ(st.st_size, 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, link, sizeof link - 1);
    CHECK(n > 0);
    link[n] = 0;
    CHECK_STR(link, "/memfd:name (deleted)");
    CHECK_EQ(write(fd, "hello", 5), 5);
    int again = open(path, O_RDONLY);
    CHECK(again >= 0);
    CHECK_EQ(read(again, link, sizeof link), 5);
    CHECK_OK(close(again));
    CHECK_OK(close(fd));
    memset(big, 'x', sizeof big);
    big[249] = 0;
    fd = memfd_create(big, 0);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    big[249] = 'x';
    big[250] = 0;
    CHECK_ERR(memfd_create(big, 0), EINVAL);
    CHECK_ERR(memfd_create("x", 0x80), EINVAL);
    CHECK_ERR(memfd_create(bad_pointer(), 0), EFAULT);
    ok("memfd_create");
}

static void sharing(void) {
    int fd = memfd_create("m", 0);
    CHECK_OK(ftruncate(fd, 4 * CHECK_PAGE));
    unsigned char *a = map(fd, 4, RW, MAP_SHARED), *b = map(fd, 4, PROT_READ, MAP_SHARED);
    unsigned char *own = map(fd, 4, RW, MAP_PRIVATE);
    a[5000] = 7;
    CHECK_EQ(b[5000], 7);
    CHECK_EQ(own[5000], 7);
    own[5000] = 8;
    CHECK_EQ(b[5000], 7);
    unsigned char c = 9;
    CHECK_EQ(pwrite(fd, &c, 1, 5000), 1);
    CHECK_EQ(a[5000], 9);
    CHECK_EQ(own[5000], 8);
    CHECK_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, CHECK_PAGE, CHECK_PAGE));
    CHECK_EQ(a[5000], 0);
    CHECK_EQ(own[5000], 8); /* a private copy stays */
    a[5000] = 1;
    CHECK_OK(madvise(a + CHECK_PAGE, CHECK_PAGE, MADV_DONTNEED));
    CHECK_EQ(a[5000], 1);
    CHECK_OK(madvise(a + CHECK_PAGE, CHECK_PAGE, MADV_REMOVE));
    CHECK_EQ(b[5000], 0);
    CHECK_ERR(madvise(own, CHECK_PAGE, MADV_REMOVE), EACCES);
    CHECK_OK(close(fd));
    CHECK_EQ(own[5000], 8);
    CHECK_OK(munmap(a, 4 * CHECK_PAGE));
    CHECK_OK(munmap(b, 4 * CHECK_PAGE));
    CHECK_OK(munmap(own, 4 * CHECK_PAGE));
    ok("sharing, holes");
}

static void truncation(int fd) {
    CHECK_OK(ftruncate(fd, 4 * CHECK_PAGE));
    unsigned char *a = map(fd, 4, RW, MAP_SHARED), *own = map(fd, 4, RW, MAP_PRIVATE);
    memset(a, 1, 4 * CHECK_PAGE);
    own[3 * CHECK_PAGE] = 2;
    CHECK_OK(ftruncate(fd, CHECK_PAGE + 10));
    CHECK_EQ(a[CHECK_PAGE], 1);
    CHECK_EQ(a[CHECK_PAGE + 10], 0);
    CHECK_EQ(fault_reading(a + 2 * CHECK_PAGE), SIGBUS);
    CHECK_EQ(fault_code(), BUS_ADRERR);
    CHECK(fault_address() == a + 2 * CHECK_PAGE);
    CHECK_EQ(fault_writing(a + 3 * CHECK_PAGE + 123), SIGBUS);
    CHECK(fault_address() == a + 3 * CHECK_PAGE + 123);
    CHECK_EQ(fault_reading(own + 3 * CHECK_PAGE), SIGBUS);
    /* The kernel's own access is EFAULT. */
    int out = open("/dev/zero", O_RDWR);
    CHECK_ERR(read(out, a + 2 * CHECK_PAGE, 10), EFAULT);
    CHECK_OK(close(out));
    CHECK_OK(ftruncate(fd, 4 * CHECK_PAGE));
    CHECK_EQ(a[2 * CHECK_PAGE], 0);
    CHECK_EQ(own[3 * CHECK_PAGE], 0);
    CHECK_OK(munmap(a, 4 * CHECK_PAGE));
    CHECK_OK(munmap(own, 4 * CHECK_PAGE));
    CHECK_OK(close(fd));
}

static void size_seals(void) {
    int fd = memfd_create("s", MFD_ALLOW_SEALING);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
    CHECK_OK(ftruncate(fd, 2 * CHECK_PAGE));
    CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    CHECK_ERR(ftruncate(fd, CHECK_PAGE), EPERM);
    CHECK_OK(ftruncate(fd, 3 * CHECK_PAGE));
    CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    CHECK_ERR(ftruncate(fd, 4 * CHECK_PAGE), EPERM);
    CHECK_ERR(fallocate(fd, 0, 0, 4 * CHECK_PAGE), EPERM);
    CHECK_OK(fallocate(fd, 0, 0, 3 * CHECK_PAGE));
    CHECK_ERR(pwrite(fd, "x", 1, 3 * CHECK_PAGE), EPERM);
    CHECK_EQ(pwrite(fd, "x", 1, 3 * CHECK_PAGE - 1), 1);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW);
    CHECK_ERR(fcntl(fd, F_ADD_SEALS, 0x1000), EINVAL);
    CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
    CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
    CHECK_OK(close(fd));
    fd = memfd_create("none", 0);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
    CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    CHECK_OK(close(fd));
    int fds[2];
    CHECK_OK(pipe(fds));
    CHECK_ERR(fcntl(fds[0], F_GET_SEALS), EINVAL);
    CHECK_ERR(fcntl(fds[1], F_ADD_SEALS, F_SEAL_GROW), EINVAL);
    CHECK_OK(close(fds[0]));
    CHECK_OK(close(fds[1]));
    ok("seals of size");
}

static void write_seals(void) {
    int fd = memfd_create("w", MFD_ALLOW_SEALING);
    CHECK_OK(ftruncate(fd, CHECK_PAGE));
    unsigned char *p = map(fd, 1, RW, MAP_SHARED);
    p[0] = 5;
    CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    CHECK_OK(munmap(p, CHECK_PAGE));
    CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    CHECK_ERR(write(fd, "x", 1), EPERM);
    CHECK_ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, CHECK_PAGE), EPERM);
    CHECK_MAP_ERR(mmap(NULL, CHECK_PAGE, RW, MAP_SHARED, fd, 0), EPERM);
    p = map(fd, 1, RW, MAP_PRIVATE);
    CHECK_EQ(p[0], 5);
    p[0] = 6;
    CHECK_OK(munmap(p, CHECK_PAGE));
    CHECK_OK(close(fd));

    /* Existing mappings go on writing. */
    fd = memfd_create("f", MFD_ALLOW_SEALING);
    CHECK_OK(ftruncate(fd, CHECK_PAGE));
    p = map(fd, 1, RW, MAP_SHARED);
    CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
    p[0] = 7;
    CHECK_ERR(write(fd, "x", 1), EPERM);
    CHECK_MAP_ERR(mmap(NULL, CHECK_PAGE, RW, MAP_SHARED, fd, 0), EPERM);
    unsigned char *q = map(fd, 1, PROT_READ, MAP_SHARED);
    CHECK_EQ(q[0], 7);
    CHECK_ERR(mprotect(q, CHECK_PAGE, RW), EACCES);
    CHECK_OK(munmap(p, CHECK_PAGE));
    CHECK_OK(munmap(q, CHECK_PAGE));
    CHECK_OK(close(fd));
    ok("seals against writing");
}

static void named(void) {
    int fd = shm_open("/hermit-test-shm", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0);
    CHECK_ERR(shm_open("/hermit-test-shm", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_OK(ftruncate(fd, CHECK_PAGE));
    unsigned char *p = map(fd, 1, RW, MAP_SHARED);
    p[1] = 3;
    int other = shm_open("/hermit-test-shm", O_RDONLY, 0);
    CHECK(other >= 0);
    unsigned char *q = map(other, 1, PROT_READ, MAP_SHARED);
    CHECK_EQ(q[1], 3);
    CHECK_OK(shm_unlink("/hermit-test-shm"));
    CHECK_ERR(shm_open("/hermit-test-shm", O_RDWR, 0), ENOENT);
    p[2] = 4;
    CHECK_EQ(q[2], 4);
    CHECK_OK(munmap(p, CHECK_PAGE));
    CHECK_OK(munmap(q, CHECK_PAGE));
    CHECK_OK(close(fd));
    CHECK_OK(close(other));
    ok("shm_open");
}

static void anonymous(void) {
    unsigned char *p = mmap(NULL, 2 * CHECK_PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    p[CHECK_PAGE] = 5;
    /* mremap(2) with length 0 maps the same pages once more. */
    unsigned char *q = mremap(p, 0, 2 * CHECK_PAGE, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q != p);
    CHECK_EQ(q[CHECK_PAGE], 5);
    q[3] = 6;
    CHECK_EQ(p[3], 6);
    CHECK_OK(madvise(p, 2 * CHECK_PAGE, MADV_DONTNEED));
    CHECK_EQ(p[3], 6);
    CHECK_OK(madvise(p, 2 * CHECK_PAGE, MADV_REMOVE));
    CHECK_EQ(q[3], 0);
    CHECK_OK(munmap(q, 2 * CHECK_PAGE));
    CHECK_EQ(p[3], 0);
    CHECK_OK(munmap(p, 2 * CHECK_PAGE));
    ok("shared anonymous memory");
}

int main(void) {
    fault_setup();
    scratch();
    create();
    sharing();
    truncation(memfd_create("t", 0));
    truncation(open("file", O_RDWR | O_CREAT, 0600));
    ok("truncation");
    size_seals();
    write_seals();
    named();
    anonymous();
    return 0;
}
