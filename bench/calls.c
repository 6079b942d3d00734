/* SPDX-License-Identifier: MIT */
/* A dozen system calls as a libc makes them, one after the other, each over and over.
 *
 * usage: calls DIR [COUNT].  DIR holds the file that is opened.  Prints nanoseconds a call; a call
 * that fails is an error, since a refusal is cheaper than the work. */
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
    unsigned part; /* of COUNT */
} calls[] = {
    {"getppid", do_getppid, 1},
    {"getuid", do_getuid, 1},
    {"lseek", do_lseek, 1},
    {"fcntl", do_fcntl, 1},
    {"write_null", do_write_null, 1},
    {"read_zero", do_read_zero, 1},
    {"pread", do_pread, 1},
    {"fstat", do_fstat, 1},
    {"stat", do_stat, 2},
    {"sigprocmask", do_sigprocmask, 1},
    {"futex_wake", do_futex_wake, 1},
    {"clock_vdso", do_clock_vdso, 1},
    {"clock_syscall", do_clock_syscall, 1},
    {"pipe", do_pipe, 2},
    {"open_read_close", do_open_read_close, 10},
    {"mmap", do_mmap, 10},
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

int main(int argc, char **argv) {
    uint64_t count = count_argument(argc - 1, argv + 1, 100000);
    int status = prepare(argc > 1 ? argv[1] : "/tmp");

    for (size_t i = 0; i < sizeof calls / sizeof calls[0] && status == 0; i++) {
        uint64_t start = 0, rounds = count / calls[i].part;

        for (uint64_t n = 0; n < rounds + rounds / 10 + 1; n++) {
            if (n == rounds / 10 + 1) start = clock_ns(); /* the tenth before it was warm-up */
            if (calls[i].once()) {
                status = fail(calls[i].name);
                break;
            }
        }
        printf("%s\"%s\": %.2f", i ? ", " : "{", calls[i].name,
               (double)(clock_ns() - start) / (double)(rounds ? rounds : 1));
    }
    puts("}");
    unlink(path);
    return status;
}
