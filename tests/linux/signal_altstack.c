/* SPDX-License-Identifier: MIT */
/* sigaltstack(2): handlers run on it, nest on it, survive a stack overflow; its errors. */
#include "check.h"

#include <setjmp.h>
#include <signal.h>

#define STACK_BYTES (64 * 1024)

static char *alt;
static sigjmp_buf back;
static volatile sig_atomic_t depth, all_inside, frame_aligned;

static int inside(const void *p) {
    return (const char *)p >= alt && (const char *)p < alt + STACK_BYTES;
}

static void on_signal(int sig) {
    char local[32] __attribute__((aligned(16))) = "";
    frame_aligned = ((uintptr_t)local & 15) == 0;
    if (!inside(local)) all_inside = 0;
    if (depth++ == 0) raise(sig == SIGUSR1 ? SIGUSR2 : SIGUSR1);
    stack_t now;
    CHECK_OK(sigaltstack(NULL, &now));
    CHECK_EQ(now.ss_flags, SS_ONSTACK);
    CHECK_ERR(syscall(SYS_sigaltstack, &now, NULL), EPERM);
}

static void on_overflow(int sig) {
    char local = 0;
    all_inside = inside(&local);
    siglongjmp(back, sig);
}

static void handle(int sig, void (*fn)(int), int flags) {
    struct sigaction a = {.sa_handler = fn, .sa_flags = flags};
    CHECK_OK(sigaction(sig, &a, NULL));
}

/* Not a tail call: each level keeps its buffer alive. */
static __attribute__((noinline)) unsigned recurse(unsigned n) {
    volatile char use[4096];
    use[n % sizeof(use)] = (char)n;
    return n == ~0u ? 0 : recurse(n + 1) + (unsigned char)use[0];
}

int main(void) {
    stack_t st = {.ss_size = STACK_BYTES}, old;
    alt = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(alt != MAP_FAILED);
    CHECK_OK(sigaltstack(NULL, &old));
    CHECK_EQ(old.ss_flags, SS_DISABLE);
    st.ss_sp = alt;
    CHECK_OK(sigaltstack(&st, NULL));
    CHECK_OK(sigaltstack(NULL, &old));
    CHECK(old.ss_sp == alt && old.ss_size == STACK_BYTES && old.ss_flags == 0);
    ok("set and read back");

    all_inside = 1;
    handle(SIGUSR1, on_signal, SA_ONSTACK);
    handle(SIGUSR2, on_signal, SA_ONSTACK);
    raise(SIGUSR1);
    CHECK_EQ(depth, 2);
    CHECK_EQ(all_inside, 1);
    CHECK_EQ(frame_aligned, 1);
    ok("nested handlers on the alternate stack");

    handle(SIGSEGV, on_overflow, SA_ONSTACK);
    for (int i = 0; i < 2; i++) {
        int sig = sigsetjmp(back, 1);
        if (sig == 0) recurse(0);
        CHECK_EQ(sig, SIGSEGV);
        CHECK_EQ(all_inside, 1);
    }
    ok("stack overflow handled");

    stack_t bad = {.ss_sp = alt, .ss_size = 100};
    CHECK_ERR(syscall(SYS_sigaltstack, &bad, NULL), ENOMEM);
    bad = (stack_t){.ss_sp = alt, .ss_size = STACK_BYTES, .ss_flags = 0x55};
    CHECK_ERR(syscall(SYS_sigaltstack, &bad, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_sigaltstack, bad_pointer(), NULL), EFAULT);
    st.ss_flags = SS_DISABLE;
    CHECK_OK(sigaltstack(&st, &old));
    CHECK(old.ss_sp == alt);
    CHECK_OK(sigaltstack(NULL, &old));
    CHECK_EQ(old.ss_flags, SS_DISABLE);
    ok("errors and SS_DISABLE");
    return 0;
}
