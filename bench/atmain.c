/* SPDX-License-Identifier: MIT */
/* Says when its main() began, by the clock of the day, which a guest has from its host; and how
 * long the libc took from the first instruction (early, which the linker makes the entry) to
 * there. */
#include "timing.h"

#define CALIBRATE_NS 500000

uint64_t began; /* cycle counter at the first instruction */

__asm__(".globl early\n"
        "early:\n"
        "\tmov %rdx, %rcx\n" /* the ABI's, for the libc */
        "\trdtsc\n"
        "\tshl $32, %rdx\n"
        "\tor %rdx, %rax\n"
        "\tmov %rax, began(%rip)\n"
        "\tmov %rcx, %rdx\n"
        "\tjmp _start\n");

/* Nanoseconds of one cycle, by the clock. */
static double cycle_ns(void) {
    uint64_t from = clock_ns(), cycles_from = cycles(), now;

    while ((now = clock_ns()) - from < CALIBRATE_NS)
        ;
    return (double)(now - from) / (double)(cycles() - cycles_from);
}

int main(void) {
    uint64_t here = cycles();
    struct timespec day;

    clock_gettime(CLOCK_REALTIME, &day);
    printf("{\"day_ns\": %llu, \"libc_ns\": %.0f}\n", (unsigned long long)timespec_ns(day),
           (double)(here - began) * cycle_ns());
    return 0;
}
