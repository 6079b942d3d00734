/* SPDX-License-Identifier: MIT */
/* getrandom(2). */
#include "check.h"

#include <sys/random.h>

int main(void) {
    static unsigned char a[100000], b[100000];
    unsigned counts[256] = {0};
    CHECK_EQ(getrandom(a, 256, 0), 256);
    CHECK_EQ(getrandom(b, 256, 0), 256);
    CHECK(memcmp(a, b, 256) != 0);
    CHECK_EQ(getrandom(a, 16, GRND_NONBLOCK), 16);
    CHECK_EQ(getrandom(a, 16, GRND_RANDOM), 16);
    CHECK_EQ(getrandom(a, 0, 0), 0);
    CHECK_EQ(getrandom(a, sizeof a, 0), sizeof a);
    for (size_t i = 0; i < sizeof a; i++)
        counts[a[i]]++;
    for (int i = 0; i < 256; i++) /* mean 390.6, sigma 19.7: 10 sigma */
        CHECK(counts[i] > 190 && counts[i] < 590);
    CHECK_ERR(getrandom(a, 16, 0x1000), EINVAL);
    CHECK_ERR(getrandom(a, 16, GRND_RANDOM | 4), EINVAL); /* RANDOM and INSECURE exclude */
    CHECK_ERR(syscall(SYS_getrandom, bad_pointer(), 16, 0), EFAULT);
    ok("getrandom");
    return 0;
}
