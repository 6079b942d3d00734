/* SPDX-License-Identifier: MIT */
/* A dozen system calls as a libc makes them, one after the other, each over and over.
 *
 * usage: calls DIR [MILLISECONDS].  DIR holds the file that is opened; each call is made for that
 * long.  Prints nanoseconds a call; a call that fails is an error, since a refusal is cheaper than
 * the work. */
#include "timing.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define WARM_UP 2000 /* a call made so often has become a jump, where it can */
#define BATCH 128
#define BATCHES_MAX 16384

static int null_fd, zero_fd, file_fd, pipe_fd[2];
static char path[PATH_MAX];

static int do_getppid(void) { return getppid() < 0; }
static int do_getuid(void) { return getuid() == (uid_t)-1; }
static int do_lseek(void) { return lseek(file_fd, 0, SEEK_SET) != 0; }
static int do_fcntl(void) { return fcntl(file_fd, F_GETFD) < 0; }

static int do_write_null(void) { return write(null_fd, "x", 1) != 1; }

static int do_read_zero(void) {
    char c;
    return read(zero_fd, &c, 1) != 1;
}

static int do_pread(void) {
    char c[64];
    return pread(file_fd, c, sizeof c, 0) != sizeof c;
}

static int do_fstat(void) {
    struct stat st;
    return fstat(file_fd, &st) != 0;
}

static int do_stat(void) {
    struct stat st;
    return stat(path, &st) != 0;
}

static int do_sigprocmask(void) {
    sigset_t set;
    return sigprocmask(SIG_BLOCK, NULL, &set) != 0;
}

static int do_futex_wake(void) {
    static uint32_t word;
    return syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) != 0;
}

static int do_clock_vdso(void) {
    struct timespec t;
    return clock_gettime(CLOCK_MONOTONIC, &t) != 0;
}

static int do_clock_syscall(void) {
    struct timespec t;
    return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t) != 0;
}

static int do_pipe(void) {
    char c = 0;
    return write(pipe_fd[1], &c, 1) != 1 || read(pipe_fd[0], &c, 1) != 1;
}

static int do_open_read_close(void) {
    char c[64];
    int fd = open(path, O_RDONLY);
    int bad = fd < 0 || read(fd, c, sizeof c) != sizeof c;

    return close(fd) != 0 || bad;
}

static int do_mmap(void) {
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED || munmap(p, 4096) != 0;
}

static const struct {
    const char *name;
    int (*once)(void);
} calls[] = {
    {"getppid", do_getppid},
    {"getuid", do_getuid},
    {"lseek", do_lseek},
    {"fcntl", do_fcntl},
    {"write_null", do_write_null},
    {"read_zero", do_read_zero},
    {"pread", do_pread},
    {"fstat", do_fstat},
    {"stat", do_stat},
    {"sigprocmask", do_sigprocmask},
    {"futex_wake", do_futex_wake},
    {"clock_vdso", do_clock_vdso},
    {"clock_syscall", do_clock_syscall},
    {"pipe", do_pipe},
    {"open_read_close", do_open_read_close},
    {"mmap", do_mmap},
};

static int fail(const char *what) {
    fprintf(stderr, "calls: %s: %s\n", what, strerror(errno));
    return 1;
}

static int prepare(const char *dir) {
    char data[4096] = {0};

    snprintf(path, sizeof path, "%s/hermit-bench-%ld", dir, (long)getpid());
    null_fd = open("/dev/null", O_WRONLY);
    zero_fd = open("/dev/zero", O_RDONLY);
    file_fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (null_fd < 0 || zero_fd < 0 || file_fd < 0) return fail(path);
    if (write(file_fd, data, sizeof data) != sizeof data || pipe(pipe_fd) < 0) return fail(path);
    return 0;
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Nanoseconds a call, of the median batch: one in which the machine did something else does not
 * count.  A negative number where the call fails. */
static double measure(int (*once)(void), uint64_t ns) {
    static uint64_t batches[BATCHES_MAX];
    uint64_t n = 0, start = clock_ns(), last, now;

    for (int i = 0; i < WARM_UP; i++)
        if (once()) return -1;
    last = clock_ns();
    do {
        for (int i = 0; i < BATCH; i++)
            if (once()) return -1;
        now = clock_ns();
        batches[n++] = now - last;
        last = now;
    } while (n < BATCHES_MAX && now - start < ns);
    qsort(batches, n, sizeof batches[0], by_size);
    return (double)batches[n / 2] / BATCH;
}

int main(int argc, char **argv) {
    uint64_t ms = count_argument(argc - 1, argv + 1, 20);
    int status = prepare(argc > 1 ? argv[1] : "/tmp");

    for (size_t i = 0; i < sizeof calls / sizeof calls[0] && status == 0; i++) {
        double ns = measure(calls[i].once, ms * 1000000);

        if (ns < 0) status = fail(calls[i].name);
        printf("%s\"%s\": %.2f", i ? ", " : "{", calls[i].name, ns);
    }
    puts("}");
    unlink(path);
    return status;
}
