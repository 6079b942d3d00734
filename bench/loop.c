/* SPDX-License-Identifier: MIT */
/* Computing and nothing else: a chain of dependent integer operations (xorshift64). */
#include "timing.h"

int main(int argc, char **argv) {
    uint64_t rounds = count_argument(argc, argv, 100000000);
    uint64_t x = 88172645463325252ULL;
    uint64_t start = clock_ns();

    for (uint64_t i = 0; i < rounds; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    printf("{\"rounds\": %llu, \"ns\": %llu, \"value\": %llu}\n", (unsigned long long)rounds,
           (unsigned long long)(clock_ns() - start), (unsigned long long)x);
    return 0;
}
