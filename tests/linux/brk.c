/* SPDX-License-Identifier: MIT */
/* brk(2), through raw system calls: libc's heap is left alone. */
#include "check.h"
#include "fault.h"

#include <sys/resource.h>

static unsigned char *brk_call(void *to) { return (unsigned char *)syscall(SYS_brk, to); }

int main(void) {
    fault_setup();
    unsigned char *start = brk_call(NULL);
    CHECK(start != NULL);
    CHECK(brk_call(NULL) == start);
    CHECK(brk_call((void *)1) == start); /* below the heap: refused, the break stays */
    unsigned char *base = (unsigned char *)(((uintptr_t)start + CHECK_PAGE - 1) & -CHECK_PAGE);
    CHECK(brk_call(base + 3 * CHECK_PAGE) == base + 3 * CHECK_PAGE);
    for (size_t i = 0; i < 3 * CHECK_PAGE; i += 64)
        CHECK_EQ(base[i], 0);
    memset(base, 0x5a, 3 * CHECK_PAGE);
    CHECK(brk_call(base + CHECK_PAGE) == base + CHECK_PAGE);
    CHECK_EQ(base[CHECK_PAGE - 1], 0x5a);
    CHECK_EQ(fault_reading(base + CHECK_PAGE), SIGSEGV);
    CHECK(brk_call(base + 2 * CHECK_PAGE + 5) == base + 2 * CHECK_PAGE + 5);
    CHECK_EQ(base[CHECK_PAGE], 0); /* given back and fresh again */
    CHECK_EQ(base[2 * CHECK_PAGE + 100], 0);
    ok("grow and shrink");

    CHECK(brk_call(base + (16 << 20)) == base + (16 << 20));
    for (size_t i = 0; i < 16 << 20; i += CHECK_PAGE)
        base[i] = 1;
    CHECK(brk_call((void *)0x7fffffffffff) == base + (16 << 20));
    CHECK(brk_call(base) == base);
    CHECK_EQ(fault_reading(base), SIGSEGV);
    CHECK(brk_call(start) == start);
    ok("large");

    struct rlimit old, low = {1 << 20, 1 << 20};
    CHECK_OK(getrlimit(RLIMIT_DATA, &old));
    low.rlim_max = old.rlim_max;
    CHECK_OK(setrlimit(RLIMIT_DATA, &low));
    CHECK(brk_call(start + (64 << 20)) == start);
    CHECK_OK(setrlimit(RLIMIT_DATA, &old));
    ok("RLIMIT_DATA");
    return 0;
}
