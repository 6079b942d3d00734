/* SPDX-License-Identifier: MIT */
/* Reads a file from end to end with 1 MiB read(2) calls. */
#include "timing.h"

#include <fcntl.h>
#include <unistd.h>

#define CHUNK_BYTES (1 << 20)

int main(int argc, char **argv) {
    uint64_t total = 0, start, ns;
    char *buf = malloc(CHUNK_BYTES);
    ssize_t n;
    int fd;

    if (argc != 2 || !buf) {
        fprintf(stderr, "usage: readfile FILE\n");
        return 2;
    }
    start = clock_ns();
    fd = open(argv[1], O_RDONLY);
    if (fd < 0) {
        perror(argv[1]);
        return 1;
    }
    while ((n = read(fd, buf, CHUNK_BYTES)) > 0)
        total += (uint64_t)n;
    if (n < 0) {
        perror("read");
        return 1;
    }
    ns = clock_ns() - start;
    printf("{\"bytes\": %llu, \"ns\": %llu, \"mb_per_s\": %.1f}\n", (unsigned long long)total,
           (unsigned long long)ns, (double)total * 1e3 / (double)ns);
    return 0;
}
