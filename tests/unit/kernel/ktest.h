/* SPDX-License-Identifier: MIT */
/* cmocka for tests that are compiled like the kernel, without the C library's headers: the checks
 * have cmocka's names and end up in cmocka, through ktest_main.c. */
#ifndef KTEST_H
#define KTEST_H

struct ktest {
    const char *name;
    void (*run)(void **state);
};

/* Provided by the test: its cases, ended by an empty row, and what runs before them (0: go on). */
extern const struct ktest ktests[];
int ktest_setup(void);

void ktest_int_equal(long long a, long long b, const char *file, int line);
void ktest_string_equal(const char *a, const char *b, const char *file, int line);
void ktest_memory_equal(const void *a, const void *b, unsigned long n, const char *file, int line);
void ktest_true(int ok, const char *what, const char *file, int line);

#ifndef KTEST_MAIN /* cmocka.h has its own */
#define assert_int_equal(a, b) ktest_int_equal((a), (b), __FILE__, __LINE__)
#define assert_string_equal(a, b) ktest_string_equal((a), (b), __FILE__, __LINE__)
#define assert_memory_equal(a, b, n) ktest_memory_equal((a), (b), (n), __FILE__, __LINE__)
#define assert_true(c) ktest_true(!!(c), #c, __FILE__, __LINE__)
#define assert_false(c) ktest_true(!(c), "!(" #c ")", __FILE__, __LINE__)
#endif
#define KTEST(fn)                                                                                  \
    { #fn, fn }

#endif
