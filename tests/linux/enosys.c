/* SPDX-License-Identifier: MIT */
/* Unknown system calls return ENOSYS and harm nothing; registers survive every call. */
#include "check.h"

#include <limits.h>

/* rbx, rbp, r12-r15 and the argument registers hold their values across a system call; rcx and
 * r11 are the only ones that it may change. */
static void registers(void) {
    unsigned long out[9];
    __asm__ volatile("mov $0x11, %%rdi\n\tmov $0x22, %%rsi\n\tmov $0x33, %%rdx\n\t"
                     "mov $0x44, %%r10\n\tmov $0x55, %%r8\n\tmov $0x66, %%r9\n\t"
                     "mov $0x77, %%rbx\n\tmov $0x88, %%r12\n\tmov $0x99, %%r15\n\t"
                     "mov $39, %%eax\n\tsyscall\n\t"
                     "mov %%rdi, 0(%0)\n\tmov %%rsi, 8(%0)\n\tmov %%rdx, 16(%0)\n\t"
                     "mov %%r10, 24(%0)\n\tmov %%r8, 32(%0)\n\tmov %%r9, 40(%0)\n\t"
                     "mov %%rbx, 48(%0)\n\tmov %%r12, 56(%0)\n\tmov %%r15, 64(%0)"
                     :
                     : "r"(out + 0)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
                       "r15", "memory");
    for (unsigned long i = 0; i < 9; i++)
        CHECK_EQ(out[i], 0x11 * (i + 1));
    ok("registers");
}

/* A leaf function's data below the stack pointer. */
static void red_zone(void) {
    unsigned long bad;
    __asm__ volatile("mov $0x1234567, %%rdx\n\tmov %%rdx, -8(%%rsp)\n\tmov %%rdx, -128(%%rsp)\n\t"
                     "mov $39, %%eax\n\tsyscall\n\t"
                     "mov -8(%%rsp), %%rax\n\txor %%rdx, %%rax\n\tmov -128(%%rsp), %%rcx\n\t"
                     "xor %%rdx, %%rcx\n\tor %%rcx, %%rax"
                     : "=&a"(bad)
                     :
                     : "rcx", "rdx", "r11", "memory");
    CHECK_EQ(bad, 0);
    ok("red zone");
}

/* Arithmetic and direction flags come back as they were. */
static void flags(void) {
    unsigned long after;
    __asm__ volatile("mov $39, %%eax\n\tstc\n\tstd\n\tsyscall\n\tpushfq\n\tcld\n\tpop %0"
                     : "=&r"(after)
                     :
                     : "rax", "rcx", "r11", "cc", "memory");
    CHECK_EQ(after & 0x401, 0x401);
    ok("flags");
}

int main(void) {
    static const long unknown[] = {360,  399,    423,        600,        1000,       4095,
                                   4096, 100000, 0x7fffffff, 0x80000000, INT_MAX - 1};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        CHECK_ERR(syscall(unknown[i], 1, 2, 3, 4, 5, 6), ENOSYS);
    CHECK_ERR(syscall(-1), ENOSYS);
    CHECK_ERR(syscall(-5), ENOSYS);
    ok("unknown numbers");
    registers();
    red_zone();
    flags();
    return 0;
}
