/* SPDX-License-Identifier: MIT */
/* getrlimit(2), setrlimit(2), prlimit64(2). */
#include "check.h"

#include <sys/resource.h>

struct limit {
    uint64_t cur, max;
};

int main(void) {
    struct rlimit lim, set;
    for (int i = 0; i < 16; i++) {
        CHECK_OK(syscall(SYS_getrlimit, i, &lim));
        CHECK(lim.rlim_cur <= lim.rlim_max);
    }
    CHECK_ERR(syscall(SYS_getrlimit, 16, &lim), EINVAL);
    CHECK_ERR(syscall(SYS_getrlimit, -1, &lim), EINVAL);
    CHECK_ERR(syscall(SYS_getrlimit, RLIMIT_NOFILE, bad_pointer()), EFAULT);
    ok("getrlimit");

    CHECK_OK(getrlimit(RLIMIT_STACK, &lim));
    CHECK(lim.rlim_cur >= 1 << 20);
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &lim));
    CHECK(lim.rlim_cur >= 256);
    set = lim;
    set.rlim_cur = 100;
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &set));
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &set));
    CHECK_EQ(set.rlim_cur, 100);
    CHECK_EQ(set.rlim_max, lim.rlim_max);
    CHECK_EQ(sysconf(_SC_OPEN_MAX), 100);
    set.rlim_cur = 200;
    set.rlim_max = 150;
    CHECK_ERR(setrlimit(RLIMIT_NOFILE, &set), EINVAL);
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &lim));
    ok("setrlimit");

    struct limit now, next;
    CHECK_OK(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &now));
    next = (struct limit){0, now.max};
    CHECK_OK(syscall(SYS_prlimit64, 0, RLIMIT_CORE, &next, &now));
    CHECK_OK(syscall(SYS_prlimit64, getpid(), RLIMIT_CORE, NULL, &now));
    CHECK_EQ(now.cur, 0);
    CHECK_OK(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, NULL));
    CHECK_ERR(syscall(SYS_prlimit64, 0, 99, NULL, &now), EINVAL);
    CHECK_ERR(syscall(SYS_prlimit64, 0x3fffffff, RLIMIT_CORE, NULL, &now), ESRCH);
    CHECK_ERR(syscall(SYS_prlimit64, 0, RLIMIT_CORE, bad_pointer(), NULL), EFAULT);
    ok("prlimit64");
    return 0;
}
