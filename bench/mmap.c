/* SPDX-License-Identifier: MIT */
/* Times mmap, a write to every page and munmap: usage: mmap BYTES ROUNDS. */
#include "timing.h"

#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char **argv) {
    size_t bytes = argc > 1 ? strtoull(argv[1], NULL, 0) : 4096;
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 1000;
    uint64_t start = 0;
    for (unsigned i = 0; i <= rounds; i++) {
        if (i == 1) start = clock_ns(); /* the first round warms up */
        char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) return 1;
        for (size_t at = 0; at < bytes; at += 4096)
            *(volatile char *)(p + at) = 1;
        if (munmap(p, bytes) != 0) return 1;
    }
    printf("{\"bytes\": %zu, \"ns\": %.1f}\n", bytes, (double)(clock_ns() - start) / rounds);
    return 0;
}
