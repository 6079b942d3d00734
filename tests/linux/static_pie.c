/* SPDX-License-Identifier: MIT */
/* A static position-independent program: relocations are applied, RELRO is read-only. */
#include "check.h"
#include "fault.h"

static int target = 7;
static int *const pointer_in_relro = &target;
static int *pointer_in_data = &target;
static void (*const functions[])(void) = {fault_setup};
static const char *const strings[] = {"first", "second", "third"};

static int constructed;
__attribute__((constructor)) static void construct(void) { constructed = 1; }

static __thread int thread_local_zero;
static __thread int thread_local_set = 12;

extern const char __ehdr_start[];

int main(void) {
    CHECK_EQ(constructed, 1);
    CHECK_EQ(*pointer_in_relro, 7);
    CHECK_EQ(*pointer_in_data, 7);
    functions[0]();
    CHECK_STR(strings[2], "third");
    CHECK_EQ(thread_local_zero, 0);
    CHECK_EQ(thread_local_set, 12);
    CHECK_EQ(((uintptr_t)__ehdr_start) % CHECK_PAGE, 0);
    CHECK((uintptr_t)__ehdr_start >= 0x10000);
#ifdef __GLIBC__ /* musl's static start code leaves RELRO writable */
    CHECK_EQ(fault_writing((void *)(uintptr_t)strings), SIGSEGV);
#endif
    CHECK_EQ(fault_writing((void *)(uintptr_t)__ehdr_start), SIGSEGV);
    ok("relocations, TLS, RELRO");
    return 0;
}
