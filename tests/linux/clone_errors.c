/* SPDX-License-Identifier: MIT */
/* What clone(2) and clone3(2) refuse. */
#include "thread.h"

#define VM 0x100
#define FS 0x200
#define FILES 0x400
#define SIGHAND 0x800
#define THREAD 0x10000
#define NEWNS 0x20000
#define PARENT_SETTID 0x100000
#define DETACHED 0x400000
#define THREAD_FLAGS (VM | FS | FILES | SIGHAND | THREAD)

struct args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
        set_tid_size, cgroup, future;
};

static long clone_(unsigned long flags, void *parent_tid) {
    return syscall(SYS_clone, flags, NULL, parent_tid, NULL, 0UL);
}

static void old_call(void) {
    CHECK_ERR(clone_(THREAD, NULL), EINVAL);
    CHECK_ERR(clone_(THREAD | SIGHAND, NULL), EINVAL);
    CHECK_ERR(clone_(SIGHAND, NULL), EINVAL);
    CHECK_ERR(clone_(FS | NEWNS, NULL), EINVAL);
    ok("clone");
}

static long clone3_(struct args *a, size_t size) { return syscall(SYS_clone3, a, size); }

static void new_call(void) {
    static char stack[65536];
    const struct args good = {
        .flags = THREAD_FLAGS, .stack = (uint64_t)stack, .stack_size = sizeof stack};
    struct args a = good;
    CHECK_ERR(clone3_(&a, 63), EINVAL);
    CHECK_ERR(clone3_(&a, 4097), E2BIG);
    CHECK_ERR(clone3_(bad_pointer(), 88), EFAULT);
    a.future = 1;
    CHECK_ERR(clone3_(&a, sizeof a), E2BIG);
    a = good;
    a.flags = THREAD;
    CHECK_ERR(clone3_(&a, 88), EINVAL);
    a.flags = good.flags | DETACHED;
    CHECK_ERR(clone3_(&a, 88), EINVAL);
    a.flags = good.flags | 17; /* a signal belongs into exit_signal */
    CHECK_ERR(clone3_(&a, 88), EINVAL);
    a = good;
    a.exit_signal = 17;
    CHECK_ERR(clone3_(&a, 88), EINVAL);
    a.exit_signal = 65;
    CHECK_ERR(clone3_(&a, 88), EINVAL);
    a = good;
    a.stack_size = 0;
    CHECK_ERR(clone3_(&a, 88), EINVAL);
    a = good;
    a.stack = 0;
    CHECK_ERR(clone3_(&a, 88), EINVAL);
    a = good;
    a.set_tid_size = 1;
    CHECK_ERR(clone3_(&a, 88), EINVAL);
    ok("clone3");
}

static void other_calls(void) {
    CHECK_ERR(syscall(SYS_tgkill, 0, gettid_(), 0), EINVAL);
    CHECK_ERR(syscall(SYS_tgkill, getpid(), -1, 0), EINVAL);
    CHECK_ERR(syscall(SYS_tkill, 0, 0), EINVAL);
    CHECK_EQ(syscall(SYS_set_tid_address, NULL), gettid_());
    long commands = syscall(SYS_membarrier, 0, 0, 0);
    if (commands >= 0) {
        CHECK_ERR(syscall(SYS_membarrier, 1 << 3, 1, 0), EINVAL);
        CHECK_ERR(syscall(SYS_membarrier, 1 << 3, 0, 0), EPERM);
        CHECK_OK(syscall(SYS_membarrier, 1 << 4, 0, 0));
        CHECK_OK(syscall(SYS_membarrier, 1 << 3, 0, 0));
        CHECK_ERR(syscall(SYS_membarrier, 3, 0, 0), EINVAL);
    }
    ok("tgkill, membarrier");
}

int main(void) {
    old_call();
    new_call();
    other_calls();
    return 0;
}
