/* SPDX-License-Identifier: MIT */
/* Checks and small helpers shared by the behaviour tests.
 *
 * Every test is a plain Linux program that passes natively: it prints nothing or "ok ..." lines
 * and exits 0, or prints one FAIL line and exits 1.  Files are made in a fresh directory under
 * $TMPDIR (default /tmp), which scratch() enters. */
#ifndef TESTS_LINUX_CHECK_H
#define TESTS_LINUX_CHECK_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define CHECK_PAGE 4096UL

static inline void check_stop(void) {
    fflush(stdout);
    exit(1);
}

static inline void check_true(int good, const char *file, int line, const char *text) {
    if (good) return;
    printf("FAIL %s:%d: %s (errno %d, %s)\n", file, line, text, errno, strerror(errno));
    check_stop();
}

static inline void check_equal(long long got, long long want, const char *file, int line,
                               const char *text) {
    if (got == want) return;
    printf("FAIL %s:%d: %s: got %lld, want %lld (errno %d)\n", file, line, text, got, want, errno);
    check_stop();
}

static inline void check_error(long long got, int error, int want, const char *file, int line,
                               const char *text) {
    if (got == -1 && error == want) return;
    if (got == -1)
        printf("FAIL %s:%d: %s: errno %d (%s), want %d (%s)\n", file, line, text, error,
               strerror(error), want, strerror(want));
    else
        printf("FAIL %s:%d: %s: returned %lld, want errno %d (%s)\n", file, line, text, got, want,
               strerror(want));
    check_stop();
}

static inline void check_string(const char *got, const char *want, const char *file, int line,
                                const char *text) {
    if (got != NULL && strcmp(got, want) == 0) return;
    printf("FAIL %s:%d: %s: got \"%s\", want \"%s\"\n", file, line, text, got ? got : "(null)",
           want);
    check_stop();
}

/* The condition holds. */
#define CHECK(cond) check_true(!!(cond), __FILE__, __LINE__, #cond)
/* Two integers are equal. */
#define CHECK_EQ(got, want)                                                                        \
    check_equal((long long)(got), (long long)(want), __FILE__, __LINE__, #got " == " #want)
/* The call succeeds with 0. */
#define CHECK_OK(call) CHECK_EQ(call, 0)
/* The call fails with -1 and this errno. */
#define CHECK_ERR(call, want)                                                                      \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long long check_got_ = (long long)(call);                                                  \
        check_error(check_got_, errno, want, __FILE__, __LINE__, #call);                           \
    } while (0)
/* As CHECK_ERR for calls that return a pointer: MAP_FAILED is -1. */
#define CHECK_MAP_ERR(call, want) CHECK_ERR((intptr_t)(call), want)
#define CHECK_STR(got, want) check_string(got, want, __FILE__, __LINE__, #got)

static inline void ok(const char *what) {
    printf("ok %s\n", what);
    fflush(stdout);
}

/* Makes and enters a fresh directory; returns its absolute path, free of symbolic links. */
static inline const char *scratch(void) {
    static char path[512];
    const char *base = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/hermit-test-XXXXXX", base && *base ? base : "/tmp");
    CHECK(mkdtemp(path) != NULL);
    CHECK_OK(chdir(path));
    CHECK(getcwd(path, sizeof path) != NULL);
    return path;
}

/* A pointer that no system call may read or write. */
static inline void *bad_pointer(void) {
    static void *page;
    if (page == NULL) page = mmap(NULL, CHECK_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    return page;
}

static inline void put_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    CHECK_OK(close(fd));
}

/* The whole content of a small file, in a static buffer. */
static inline const char *get_file(const char *path) {
    static char text[8192];
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    CHECK(n >= 0);
    text[n] = 0;
    CHECK_OK(close(fd));
    return text;
}

static inline int exists(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

#endif
