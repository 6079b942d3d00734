/* SPDX-License-Identifier: MIT */
/* The report of a fatal fault: its lines, frame-pointer walk, guesses, hostile stacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kernel/log.h>
#include <kernel/mm.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/vfs.h>

#include "fake_cpu.h"

/* fake_user: a page of code made of calls, then a stack. */
#define CODE ((uint64_t)fake_user)
#define STACK (CODE + 32768)
#define RETURN_TO(n) (CODE + 0x100 + (n)*8) /* each follows an e8 call */

static char text[8192];
static size_t text_len;
static int lines;
static struct file file = {.path = (char *)(uintptr_t) "/bin/app"};
static struct vma code_vma, stack_vma;

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);

void kprint(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text + text_len, sizeof(text) - text_len, fmt, ap);
    va_end(ap);
    assert_true(n >= 0 && text_len + (size_t)n < sizeof(text));
    for (int i = 0; i < n; i++)
        lines += text[text_len + (size_t)i] == '\n';
    text_len += (size_t)n;
}

struct vma *mm_find(struct mm *mm, gva_t addr) {
    if (addr >= code_vma.start && addr < code_vma.end) return &code_vma;
    return addr >= stack_vma.start && addr < stack_vma.end ? &stack_vma : NULL;
}

static int setup(void **state) {
    fake_cpu_reset();
    text_len = 0;
    lines = 0;
    code_vma = (struct vma){.start = CODE,
                            .end = CODE + 4096,
                            .prot = PROT_READ | PROT_EXEC,
                            .file = &file,
                            .offset = 0x1000};
    stack_vma = (struct vma){
        .start = STACK, .end = CODE + FAKE_USER_BYTES, .prot = PROT_READ, .name = "[stack]"};
    for (unsigned i = 0; i < 64; i++)
        fake_user[0x100 + i * 8 - 5] = 0xe8;
    return 0;
}

static void report(struct regs *r) {
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_code = SEGV_MAPERR;
    info.si_addr = (void *)0x10;
    crash_report(r, SIGSEGV, &info);
    assert_true(lines <= 25);
    assert_false(fake_thread.in_fault);
}

static void put(gva_t at, uint64_t value) { memcpy((void *)at, &value, sizeof(value)); }

static void test_frame_pointers(void **state) {
    struct regs r = {.rip = CODE + 0x40, .rsp = STACK + 0x100, .rbp = STACK + 0x140};
    put(STACK + 0x140, STACK + 0x180);
    put(STACK + 0x148, RETURN_TO(1));
    put(STACK + 0x180, 0);
    put(STACK + 0x188, RETURN_TO(2));
    report(&r);
    assert_non_null(strstr(text, "SIGSEGV (address not mapped) at 0x10, rip 0x"));
    assert_non_null(strstr(text, "#0 "));
    assert_non_null(strstr(text, "/bin/app+0x1040\n"));
    assert_non_null(strstr(text, "/bin/app+0x1108\n"));
    assert_non_null(strstr(text, "/bin/app+0x1110\n"));
    assert_null(strstr(text, "?"));
}

static void test_guesses(void **state) {
    struct regs r = {.rip = 0x10, .rsp = STACK + 0x100, .rbp = 0x1234567};
    put(STACK + 0x120, RETURN_TO(5));
    put(STACK + 0x128, RETURN_TO(5) + 2); /* does not follow a call */
    report(&r);
    assert_non_null(strstr(text, "/bin/app+0x1128 ?\n"));
    assert_null(strstr(text, "+0x112a"));

    /* A call through a null pointer: the caller is certain. */
    text_len = 0;
    lines = 0;
    put(STACK + 0x100, RETURN_TO(3));
    report(&r);
    assert_non_null(strstr(text, "/bin/app+0x1118\n"));
}

static void test_hostile(void **state) {
    struct regs r = {.rip = CODE, .rsp = STACK, .rbp = STACK};
    /* A chain that points at itself, then a deep one. */
    put(STACK, STACK);
    put(STACK + 8, RETURN_TO(1));
    report(&r);
    for (uint64_t i = 0; i < 1000; i++) {
        put(STACK + i * 16, STACK + (i + 1) * 16);
        put(STACK + i * 16 + 8, RETURN_TO(i % 60));
    }
    text_len = 0;
    lines = 0;
    report(&r);
    assert_non_null(strstr(text, "more\n"));

    r = (struct regs){.rip = ~0ULL, .rsp = ~0ULL, .rbp = ~7ULL};
    text_len = 0;
    lines = 0;
    report(&r);
    r = (struct regs){.rip = CODE, .rsp = CODE + FAKE_USER_BYTES - 4, .rbp = 1};
    report(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_frame_pointers, setup),
        cmocka_unit_test_setup(test_guesses, setup),
        cmocka_unit_test_setup(test_hostile, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
