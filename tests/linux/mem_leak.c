/* SPDX-License-Identifier: MIT */
/* Mapping and unmapping over and over neither runs out of memory nor leaves any behind. */
#include <sys/sysinfo.h>

#include "check.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define ROUNDS 10000

static void cycle(size_t size, int flags) {
    unsigned char *p = mmap(NULL, size, RW, flags, -1, 0);
    CHECK(p != MAP_FAILED);
    for (size_t at = 0; at < size; at += CHECK_PAGE) {
        CHECK_EQ(p[at], 0);
        p[at] = 0xff;
    }
    CHECK_OK(munmap(p, size));
}

/* Each round uses another place, so that page tables would pile up, too. */
static void far_apart(unsigned round) {
    unsigned char *p = (unsigned char *)(0x100000000000UL + round * 0x40000000UL);
    CHECK(mmap(p, CHECK_PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p);
    p[0] = 1;
    CHECK_OK(munmap(p, CHECK_PAGE));
}

int main(void) {
    for (unsigned i = 0; i < ROUNDS; i++)
        cycle((i % 3 + 1) * CHECK_PAGE, i % 8 == 0 ? MAP_SHARED | MAP_ANONYMOUS : ANON);
    ok("10000 small mappings");
    for (unsigned i = 0; i < 40; i++) /* 1.25 GiB in all */
        cycle(32UL << 20, ANON);
    ok("40 large mappings");
    for (unsigned i = 0; i < 2000; i++)
        far_apart(i);
    ok("2000 places");
    return 0;
}
