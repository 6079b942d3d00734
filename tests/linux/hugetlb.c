/* SPDX-License-Identifier: MIT */
/* MAP_HUGETLB, MFD_HUGETLB and SHM_HUGETLB on a machine that has reserved no huge pages. */
#include <sys/shm.h>
#include <sys/vfs.h>

#include "check.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define MIB (1UL << 20)
#define HUGE (2 * MIB)
#define LOG(n) ((n) << 26)
#define HUGETLBFS 0x958458f6L
#define ZERO_RANGE 0x10 /* FALLOC_FL_ZERO_RANGE, of which musl says nothing */

static void expect(size_t len, int flags, int fd, off_t at, int err) {
    CHECK(mmap(NULL, len, RW, flags, fd, at) == MAP_FAILED);
    CHECK_EQ(errno, err);
}

/* The number in /proc/meminfo. */
static long meminfo(const char *name) {
    char line[200];
    long value = -1;
    FILE *f = fopen("/proc/meminfo", "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, name, strlen(name)) == 0) value = atol(line + strlen(name));
    fclose(f);
    return value;
}

static void anonymous(void) {
    const int huge = ANON | MAP_HUGETLB;
    expect(HUGE, huge, -1, 0, ENOMEM);
    expect(HUGE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0, ENOMEM);
    expect(CHECK_PAGE, huge, -1, 0, ENOMEM);
    expect(HUGE, huge | LOG(21), -1, 0, ENOMEM);
    expect(HUGE, huge | LOG(20), -1, 0, EINVAL);
    expect(0, huge, -1, 0, EINVAL);
    expect(HUGE, MAP_SHARED | MAP_HUGETLB, -1, 0, EBADF);
    void *odd = (void *)0x100001000;
    CHECK(mmap(odd, HUGE, RW, huge | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL);
    int fd = memfd_create("plain", 0);
    CHECK_OK(ftruncate(fd, HUGE));
    expect(HUGE, MAP_SHARED | MAP_HUGETLB, fd, 0, EINVAL);
    CHECK_OK(close(fd));
    ok("mmap");
}

static void create(void) {
    CHECK_ERR(memfd_create("h", MFD_HUGETLB | LOG(20)), ENODEV);
    CHECK_ERR(memfd_create("h", LOG(21)), EINVAL);
    int fd = memfd_create("h", MFD_HUGETLB | LOG(21));
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
    CHECK_OK(close(fd));
    fd = memfd_create("h", MFD_HUGETLB | MFD_ALLOW_SEALING);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
    CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_GROW);
    CHECK_ERR(ftruncate(fd, HUGE), EPERM);
    CHECK_OK(close(fd));
    ok("memfd_create");
}

static void sizes(int fd) {
    struct stat st;
    struct statfs fs;
    CHECK_ERR(ftruncate(fd, CHECK_PAGE), EINVAL);
    CHECK_ERR(ftruncate(fd, HUGE + 1), EINVAL);
    CHECK_OK(ftruncate(fd, HUGE));
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_size, HUGE);
    CHECK_EQ(st.st_blksize, HUGE);
    CHECK_EQ(st.st_blocks, 0);
    CHECK(S_ISREG(st.st_mode));
    CHECK_OK(fstatfs(fd, &fs));
    CHECK_EQ(fs.f_type, HUGETLBFS);
    CHECK_EQ(fs.f_bsize, HUGE);
    ok("size");
}

static void contents(int fd) {
    char bytes[4] = "xxxx";
    CHECK_ERR(write(fd, "x", 1), EINVAL);
    CHECK_EQ(read(fd, bytes, 1), 1);
    CHECK_EQ(bytes[0], 0);
    CHECK_EQ(pread(fd, bytes, 4, HUGE - 2), 2);
    CHECK_EQ(pread(fd, bytes, 4, HUGE), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_END), HUGE);
    CHECK_ERR(fallocate(fd, 0, 0, HUGE), ENOSPC);
    CHECK_ERR(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, HUGE), ENOSPC);
    CHECK_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, HUGE));
    CHECK_ERR(fallocate(fd, ZERO_RANGE, 0, HUGE), EOPNOTSUPP);
    CHECK_OK(fsync(fd));
    ok("contents");
}

static void mapped(int fd) {
    expect(HUGE, MAP_SHARED, fd, 0, ENOMEM);
    expect(HUGE, MAP_SHARED | MAP_HUGETLB, fd, 0, ENOMEM);
    expect(HUGE, MAP_PRIVATE, fd, 0, ENOMEM);
    expect(CHECK_PAGE, MAP_SHARED, fd, 0, ENOMEM);
    expect(HUGE, MAP_SHARED, fd, CHECK_PAGE, EINVAL);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_RDWR);
    CHECK(again >= 0);
    CHECK_ERR(write(again, "x", 1), EINVAL);
    expect(HUGE, MAP_SHARED, again, 0, ENOMEM);
    CHECK_OK(close(again));
    ok("mmap of such a file");
}

static void segments(void) {
    CHECK_ERR(shmget(IPC_PRIVATE, HUGE, IPC_CREAT | SHM_HUGETLB | 0600), ENOMEM);
    CHECK_ERR(shmget(IPC_PRIVATE, HUGE, IPC_CREAT | SHM_HUGETLB | LOG(21) | 0600), ENOMEM);
    CHECK_ERR(shmget(IPC_PRIVATE, HUGE, IPC_CREAT | SHM_HUGETLB | LOG(20) | 0600), EINVAL);
    ok("shmget");
}

int main(void) {
    if (meminfo("HugePages_Total:") != 0 || meminfo("Hugepagesize:") != 2048) {
        printf("ok: this machine has huge pages reserved, or of another size\n");
        return 0;
    }
    anonymous();
    create();
    int fd = memfd_create("h", MFD_HUGETLB);
    CHECK(fd >= 0);
    sizes(fd);
    contents(fd);
    mapped(fd);
    segments();
    return 0;
}
