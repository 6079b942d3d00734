/* SPDX-License-Identifier: MIT */
/* A program file of more than 16 MiB, most of it initialised data that is written and read. */
#include "check.h"

#define BYTES (20UL << 20)
static char image[BYTES] = {1};
static const char constants[BYTES / 8] = {2};

int main(void) {
    const volatile char *c = constants;
    CHECK_EQ(image[0], 1);
    CHECK_EQ(image[BYTES - 1], 0);
    CHECK_EQ(c[0], 2);
    CHECK_EQ(c[sizeof constants - 1], 0);
    for (size_t i = 0; i < BYTES; i += CHECK_PAGE / 2)
        image[i] = (char)(i >> 11);
    for (size_t i = 0; i < BYTES; i += CHECK_PAGE / 2)
        CHECK_EQ(image[i], (char)(i >> 11));
    ok("big image");
    return 0;
}
