/* SPDX-License-Identifier: MIT */
/* The smallest useful program: one line of output through libc. */
#include <stdio.h>

int main(void) {
    puts("hello, world");
    return 0;
}
