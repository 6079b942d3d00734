/* SPDX-License-Identifier: MIT */
/* Prints how the libc enters the kernel; fails if that is not what the auxiliary vector says. */
#include <hermit/rewrite.h>
#include <stdio.h>
#include <sys/auxv.h>

extern __attribute__((visibility("hidden"))) unsigned char __hermit;

int main(void) {
    puts(__hermit ? "jump" : "syscall");
    return __hermit != (getauxval(AT_HERMIT) == HERMIT_STUBS_VERSION);
}
