/* SPDX-License-Identifier: MIT */
/* Calls that a libc makes under another name or not at all: what they do and what they refuse. */
#include "thread.h"

#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <utime.h>

#define ARCH_SET_FS 0x1002 /* <asm/prctl.h> */
#define ARCH_GET_FS 0x1003
#define CLOSE_RANGE 436
#define FACCESSAT2 439
#define FUTEX_WAITV 449
#define FCHMODAT2 452

static int file;

static void children(void) {
    int status;
    siginfo_t info;
    struct rusage usage;
    CHECK_ERR(syscall(SYS_wait4, -1, &status, 0, &usage), ECHILD);
    CHECK_ERR(syscall(SYS_wait4, -1, &status, WNOHANG, NULL), ECHILD);
    CHECK_ERR(syscall(SYS_wait4, getpid(), NULL, 0, NULL), ECHILD);
    CHECK_ERR(syscall(SYS_wait4, INT_MIN, NULL, 0, NULL), ESRCH);
    CHECK_ERR(syscall(SYS_wait4, -1, NULL, 0x1000, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_waitid, P_ALL, 0, &info, WEXITED, NULL), ECHILD);
    CHECK_ERR(syscall(SYS_waitid, P_PID, getpid(), &info, WEXITED | WNOHANG, NULL), ECHILD);
    CHECK_ERR(syscall(SYS_waitid, P_PID, 0, &info, WEXITED, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_waitid, P_PGID, -1, &info, WEXITED, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_waitid, P_ALL, 0, &info, 0, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_waitid, P_ALL, 0, &info, WEXITED | 0x1000, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_waitid, 9, 0, &info, WEXITED, NULL), EINVAL);
    ok("wait4, waitid");
}

static void times_of_files(void) {
    struct utimbuf times = {.actime = 100, .modtime = 200};
    struct timeval pair[2] = {{300, 1}, {400, 2}}, wrong[2] = {{1, 1000000}, {1, 0}};
    struct stat st;
    CHECK_OK(syscall(SYS_utime, "file", &times));
    CHECK_OK(stat("file", &st));
    CHECK(st.st_atime == 100 && st.st_mtime == 200);
    CHECK_OK(syscall(SYS_utime, "file", NULL));
    CHECK_ERR(syscall(SYS_utime, "absent", &times), ENOENT);
    CHECK_ERR(syscall(SYS_utime, "file", bad_pointer()), EFAULT);
    CHECK_OK(syscall(SYS_futimesat, AT_FDCWD, "file", pair));
    CHECK_OK(stat("file", &st));
    CHECK(st.st_atime == 300 && st.st_mtime == 400);
    CHECK_EQ(st.st_mtim.tv_nsec, 2000);
    CHECK_OK(syscall(SYS_futimesat, file, NULL, pair));
    CHECK_ERR(syscall(SYS_futimesat, AT_FDCWD, "file", wrong), EINVAL);
    CHECK_ERR(syscall(SYS_futimesat, 999, "file", pair), EBADF);
    CHECK_ERR(syscall(SYS_futimesat, file, "x", pair), ENOTDIR);
    ok("utime, futimesat");
}

static void nodes(void) {
    struct stat st;
    CHECK_OK(syscall(SYS_mknod, "fifo", S_IFIFO | 0600, 0));
    CHECK_OK(stat("fifo", &st));
    CHECK(S_ISFIFO(st.st_mode));
    CHECK_ERR(syscall(SYS_mknod, "fifo", S_IFIFO | 0600, 0), EEXIST);
    CHECK_ERR(syscall(SYS_mknod, "d", S_IFDIR | 0700, 0), EPERM);
    CHECK_ERR(syscall(SYS_mknod, "d", S_IFLNK | 0700, 0), EINVAL);
    CHECK_OK(syscall(SYS_mknodat, AT_FDCWD, "plain", 0600, 0));
    CHECK_OK(stat("plain", &st));
    CHECK(S_ISREG(st.st_mode));
    CHECK_ERR(syscall(SYS_mknodat, 999, "plain", 0600, 0), EBADF);
    CHECK_ERR(syscall(SYS_mknodat, file, "plain", 0600, 0), ENOTDIR);
    CHECK_ERR(syscall(SYS_mknodat, AT_FDCWD, "absent/x", 0600, 0), ENOENT);
    CHECK_EQ(unlink("fifo") | unlink("plain"), 0);
    ok("mknod, mknodat");
}

/* The old directory entries: the type is the last byte of each. */
static void directories(void) {
    char buf[1024];
    int fd = open(".", O_RDONLY | O_DIRECTORY), seen = 0;
    long n = syscall(SYS_getdents, fd, buf, sizeof buf);
    CHECK(n > 0);
    for (long at = 0; at < n;) {
        const char *entry = buf + at;
        unsigned short length;
        memcpy(&length, entry + 16, sizeof length);
        if (strcmp(entry + 18, "file") == 0) {
            CHECK_EQ(entry[length - 1], DT_REG);
            seen++;
        }
        at += length;
    }
    CHECK_EQ(seen, 1);
    CHECK_EQ(syscall(SYS_getdents, fd, buf, sizeof buf), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_ERR(syscall(SYS_getdents, fd, buf, 1), EINVAL);
    CHECK_ERR(syscall(SYS_getdents, fd, bad_pointer(), sizeof buf), EFAULT);
    CHECK_ERR(syscall(SYS_getdents, file, buf, sizeof buf), ENOTDIR);
    CHECK_ERR(syscall(SYS_getdents, 999, buf, sizeof buf), EBADF);
    CHECK_OK(close(fd));
    ok("getdents");
}

static void access_and_modes(void) {
    struct stat st;
    CHECK_OK(syscall(FACCESSAT2, AT_FDCWD, "file", R_OK, AT_EACCESS));
    CHECK_OK(syscall(FACCESSAT2, file, "", R_OK, AT_EMPTY_PATH));
    CHECK_ERR(syscall(FACCESSAT2, AT_FDCWD, "file", 8, 0), EINVAL);
    CHECK_ERR(syscall(FACCESSAT2, AT_FDCWD, "file", R_OK, 0x8000), EINVAL);
    CHECK_ERR(syscall(FACCESSAT2, AT_FDCWD, "absent", R_OK, 0), ENOENT);
    if (syscall(FCHMODAT2, AT_FDCWD, "file", 0640, 0) == 0) { /* Linux 6.6 */
        CHECK_OK(stat("file", &st));
        CHECK_EQ(st.st_mode & 0777, 0640);
        CHECK_OK(syscall(FCHMODAT2, file, "", 0644, AT_EMPTY_PATH));
        CHECK_ERR(syscall(FCHMODAT2, AT_FDCWD, "file", 0644, 0x8000), EINVAL);
        CHECK_ERR(syscall(FCHMODAT2, AT_FDCWD, "absent", 0644, 0), ENOENT);
    } else {
        CHECK_EQ(errno, ENOSYS);
    }
    ok("faccessat2, fchmodat2");
}

static void descriptors(void) {
    uint64_t value;
    int event = (int)syscall(SYS_eventfd2, 3, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
    CHECK(event >= 0);
    CHECK_EQ(fcntl(event, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(read(event, &value, sizeof value), sizeof value);
    CHECK_EQ(value, 1);
    CHECK_ERR(syscall(SYS_eventfd2, 0, 0x10), EINVAL);
    CHECK_EQ(dup2(event, 200), 200);
    CHECK_EQ(dup2(event, 201), 201);
    CHECK_OK(syscall(CLOSE_RANGE, 200, 200, 4)); /* CLOSE_RANGE_CLOEXEC */
    CHECK_EQ(fcntl(200, F_GETFD), FD_CLOEXEC);
    CHECK_OK(syscall(CLOSE_RANGE, 200, ~0u, 0));
    CHECK_ERR(fcntl(200, F_GETFD), EBADF);
    CHECK_ERR(fcntl(201, F_GETFD), EBADF);
    CHECK_ERR(syscall(CLOSE_RANGE, 300, 200, 0), EINVAL);
    CHECK_ERR(syscall(CLOSE_RANGE, 200, 300, 8), EINVAL);
    CHECK_OK(close(event));
    ok("eventfd2, close_range");
}

static void vectors(void) {
    char a[3] = {0}, b[3] = {0};
    struct iovec v[2] = {{a, 2}, {b, 2}};
    CHECK_EQ(pwrite(file, "abcdef", 6, 0), 6);
    CHECK_EQ(syscall(SYS_preadv2, file, v, 2, 1L, 0L, 0), 4);
    CHECK(strcmp(a, "bc") == 0 && strcmp(b, "de") == 0);
    CHECK_EQ(lseek(file, 2, SEEK_SET), 2);
    CHECK_EQ(syscall(SYS_preadv2, file, v, 1, -1L, -1L, 0), 2);
    CHECK_EQ(lseek(file, 0, SEEK_CUR), 4);
    CHECK_ERR(syscall(SYS_preadv2, file, v, 2, -2L, -1L, 0), EINVAL);
    CHECK_ERR(syscall(SYS_preadv2, file, v, 2, 0L, 0L, 1 << 20), EOPNOTSUPP);
    CHECK_ERR(syscall(SYS_preadv2, 999, v, 2, 0L, 0L, 0), EBADF);
    CHECK_OK(readahead(file, 0, 4096));
    CHECK_ERR(readahead(999, 0, 4096), EBADF);
    int wr = open("file", O_WRONLY), p[2];
    CHECK_OK(pipe(p));
    CHECK_ERR(readahead(wr, 0, 4096), EBADF);
    CHECK_ERR(readahead(p[0], 0, 4096), EINVAL);
    CHECK_EQ(close(wr) | close(p[0]) | close(p[1]), 0);
    char names[64];
    ssize_t n = flistxattr(file, names, sizeof names);
    CHECK(n >= 0 || errno == EOPNOTSUPP);
    CHECK_ERR(flistxattr(999, names, sizeof names), EBADF);
    ok("preadv2, readahead, flistxattr");
}

static void memory(void) {
    char *p = mmap(NULL, CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    CHECK_OK(syscall(SYS_mlock2, p, CHECK_PAGE, 1)); /* MLOCK_ONFAULT */
    CHECK_OK(syscall(SYS_mlock2, p, CHECK_PAGE, 0));
    CHECK_ERR(syscall(SYS_mlock2, p, CHECK_PAGE, 2), EINVAL);
    CHECK_OK(munmap(p, CHECK_PAGE));
    CHECK_ERR(syscall(SYS_mlock2, p, CHECK_PAGE, 0), ENOMEM);
    ok("mlock2");
}

static void scheduling(void) {
    static const struct {
        int policy, least, most;
    } rows[] = {{SCHED_OTHER, 0, 0}, {SCHED_FIFO, 1, 99}, {SCHED_RR, 1, 99},
                {SCHED_BATCH, 0, 0}, {SCHED_IDLE, 0, 0},  {6, 0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_EQ(syscall(SYS_sched_get_priority_min, rows[i].policy), rows[i].least);
        CHECK_EQ(syscall(SYS_sched_get_priority_max, rows[i].policy), rows[i].most);
    }
    CHECK_ERR(syscall(SYS_sched_get_priority_min, 99), EINVAL);
    CHECK_ERR(syscall(SYS_sched_get_priority_max, -1), EINVAL);
    struct sched_param zero = {0}, one = {.sched_priority = 1};
    CHECK_OK(syscall(SYS_sched_setparam, 0, &zero));
    CHECK_ERR(syscall(SYS_sched_setparam, 0, &one), EINVAL); /* not of SCHED_OTHER */
    CHECK_ERR(syscall(SYS_sched_setparam, 0, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_sched_setparam, 0, bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_sched_setparam, -1, &zero), EINVAL);
    CHECK_ERR(syscall(SYS_sched_setparam, 0x3fffffff, &zero), ESRCH);
    ok("sched_setparam and the bounds of priorities");
}

static void threads(void) {
    void *head, *other = NULL;
    size_t length = 0;
    unsigned long base;
    CHECK_OK(syscall(SYS_get_robust_list, 0, &head, &length));
    CHECK_EQ(length, 24);
    CHECK_OK(syscall(SYS_set_robust_list, &other, 24));
    CHECK_OK(syscall(SYS_get_robust_list, getpid(), &base, &length));
    CHECK_EQ(base, (uintptr_t)&other);
    CHECK_OK(syscall(SYS_set_robust_list, head, 24));
    CHECK_ERR(syscall(SYS_set_robust_list, head, 23), EINVAL);
    CHECK_ERR(syscall(SYS_get_robust_list, 0x3fffffff, &head, &length), ESRCH);
    CHECK_ERR(syscall(SYS_get_robust_list, 0, &head, bad_pointer()), EFAULT);
    CHECK_OK(syscall(SYS_arch_prctl, ARCH_GET_FS, &base));
    CHECK_OK(syscall(SYS_arch_prctl, ARCH_SET_FS, base));
    CHECK_ERR(syscall(SYS_arch_prctl, ARCH_GET_FS, bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_arch_prctl, ARCH_SET_FS, ~0UL), EPERM);
    CHECK_ERR(syscall(SYS_arch_prctl, 0x7777, 0), EINVAL);
    ok("robust lists, arch_prctl");
}

static void *wake(void *arg) {
    uint32_t *word = arg;
    while (futex(word, F_WAKE | F_PRIVATE, 1, NULL, NULL, 0) == 0)
        sleep_ms(1);
    return NULL;
}

static void futexes(void) {
    static uint32_t words[2];
    struct {
        uint64_t value, address;
        uint32_t flags, reserved;
    } v[2] = {{0, (uintptr_t)&words[0], 2 | F_PRIVATE, 0},
              {0, (uintptr_t)&words[1], 2 | F_PRIVATE, 0}};
    struct timespec past = {0, 0};
    pthread_t t = spawn(wake, &words[1]);
    CHECK_EQ(syscall(FUTEX_WAITV, v, 2, 0, NULL, 0), 1);
    join(t);
    CHECK_ERR(syscall(FUTEX_WAITV, v, 2, 0, &past, CLOCK_MONOTONIC), ETIMEDOUT);
    words[0] = 1;
    CHECK_ERR(syscall(FUTEX_WAITV, v, 2, 0, NULL, 0), EAGAIN);
    CHECK_ERR(syscall(FUTEX_WAITV, v, 0, 0, NULL, 0), EINVAL);
    CHECK_ERR(syscall(FUTEX_WAITV, v, 129, 0, NULL, 0), EINVAL);
    CHECK_ERR(syscall(FUTEX_WAITV, v, 2, 1, NULL, 0), EINVAL);
    CHECK_ERR(syscall(FUTEX_WAITV, bad_pointer(), 2, 0, NULL, 0), EFAULT);
    ok("futex_waitv");
}

int main(void) {
    scratch();
    put_file("file", "text");
    CHECK((file = open("file", O_RDWR)) >= 0);
    children();
    times_of_files();
    nodes();
    directories();
    access_and_modes();
    descriptors();
    vectors();
    memory();
    scheduling();
    threads();
    futexes();
    return 0;
}
