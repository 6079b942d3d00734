/* SPDX-License-Identifier: MIT */
/* The null system call: getppid(2) over and over, with a `syscall` instruction in a function of its
 * own, as a libc has it, or as the libc makes it (LIBC_CALL). */
#include "timing.h"

#include <sys/syscall.h>
#include <unistd.h>

#ifdef LIBC_CALL
#define null_call getppid
#else
static __attribute__((noinline)) long null_call(void) {
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_getppid) : "rcx", "r11", "memory");
    return result;
}
#endif

int main(int argc, char **argv) {
    uint64_t calls = count_argument(argc, argv, 300000);
    uint64_t start_ns, start_cycles, ns, cyc;

    for (uint64_t i = 0; i < calls / 10; i++)
        null_call();
    start_ns = clock_ns();
    start_cycles = cycles();
    for (uint64_t i = 0; i < calls; i++)
        null_call();
    cyc = cycles() - start_cycles;
    ns = clock_ns() - start_ns;
    printf("{\"calls\": %llu, \"ns\": %.2f, \"cycles\": %.1f}\n", (unsigned long long)calls,
           (double)ns / (double)calls, (double)cyc / (double)calls);
    return 0;
}
