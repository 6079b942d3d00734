/* SPDX-License-Identifier: MIT */
/* Runs the cases of a ktest program under cmocka; the only file of it that sees the C library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KTEST_MAIN
#include "ktest.h"

#define MAX_TESTS 64

/* Frames are reached through shifted addresses, which the leak detector cannot see. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

void ktest_int_equal(long long a, long long b, const char *file, int line) {
    _assert_int_equal((LargestIntegralType)a, (LargestIntegralType)b, file, line);
}
void ktest_string_equal(const char *a, const char *b, const char *file, int line) {
    _assert_string_equal(a, b, file, line);
}
void ktest_memory_equal(const void *a, const void *b, unsigned long n, const char *file, int line) {
    _assert_memory_equal(a, b, n, file, line);
}
void ktest_true(int ok, const char *what, const char *file, int line) {
    _assert_true((LargestIntegralType)ok, what, file, line);
}

static int setup(void **state) {
    (void)state;
    return ktest_setup();
}

int main(void) {
    struct CMUnitTest tests[MAX_TESTS] = {0};
    size_t count = 0;
    for (; ktests[count].run != NULL && count < MAX_TESTS; count++) {
        tests[count].name = ktests[count].name;
        tests[count].test_func = ktests[count].run;
    }
    return _cmocka_run_group_tests("kernel", tests, count, setup, NULL);
}
