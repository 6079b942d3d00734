/* SPDX-License-Identifier: MIT */
/* A large .bss is zero and costs only what is touched; .data that ends within a page is followed
 * by zeros. */
#include "check.h"

#define SIZE (1UL << 30)

static unsigned char space[SIZE];
static unsigned char data[100] = {1, 2, 3};
static unsigned char small[50];

int main(void) {
    for (size_t i = 0; i < sizeof small; i++)
        CHECK_EQ(small[i], 0);
    CHECK_EQ(data[0] + data[1] + data[2], 6);
    CHECK_EQ(data[99], 0);
    /* A page in every 4 MiB: 256 pages of a gigabyte. */
    for (size_t i = 0; i < SIZE; i += 4 << 20) {
        CHECK_EQ(space[i], 0);
        space[i] = (unsigned char)(i >> 22) | 1;
    }
    for (size_t i = 0; i < SIZE; i += 4 << 20)
        CHECK_EQ(space[i], (unsigned char)(i >> 22) | 1);
    CHECK_EQ(space[SIZE - 1], 0);
    ok("1 GiB of .bss");
    return 0;
}
