/* SPDX-License-Identifier: MIT */
/* The smallest program that says something. */
#include <stdio.h>

int main(void) {
    puts("Hello from ring 3!");
    return 0;
}
