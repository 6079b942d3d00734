/* SPDX-License-Identifier: MIT */
/* Ends in the way its arguments say; the runner checks the exit status and the output. */
#include "check.h"

#include <signal.h>

static void at_exit(void) { printf("atexit\n"); }

int main(int argc, char **argv) {
    if (argc < 2) return 0;
    const char *how = argv[1];
    int n = argc > 2 ? atoi(argv[2]) : 0;
    atexit(at_exit);
    printf("unflushed ");
    if (strcmp(how, "return") == 0) return n;
    if (strcmp(how, "exit") == 0) exit(n);
    if (strcmp(how, "_exit") == 0) _exit(n);
    if (strcmp(how, "sys_exit") == 0) syscall(SYS_exit, n);
    if (strcmp(how, "raise") == 0) raise(n);
    if (strcmp(how, "kill") == 0) kill(getpid(), n);
    if (strcmp(how, "abort") == 0) abort();
    if (strcmp(how, "segv") == 0) *(volatile int *)(uintptr_t)n = 1;
    if (strcmp(how, "jump") == 0) __asm__ volatile("jmp *%0" : : "r"((uintptr_t)n));
    if (strcmp(how, "ud2") == 0) __asm__ volatile("ud2");
    if (strcmp(how, "int3") == 0) __asm__ volatile("int3");
    if (strcmp(how, "hlt") == 0) __asm__ volatile("hlt");
    if (strcmp(how, "noncanonical") == 0) (void)*(volatile int *)(uintptr_t)0x8000000000000000UL;
    if (strcmp(how, "divide") == 0) /* a compiler would find a way around dividing 1 */
        __asm__ volatile("idivl %0" : : "r"(n), "a"(1), "d"(0) : "cc");
    printf("still here\n");
    return 99;
}
