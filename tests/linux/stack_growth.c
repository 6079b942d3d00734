/* SPDX-License-Identifier: MIT */
/* The stack grows on demand up to RLIMIT_STACK; beyond it comes SIGSEGV on the alternate stack. */
#include "check.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>

static __attribute__((noinline)) unsigned long recurse(unsigned depth) {
    volatile unsigned char frame[4000];
    frame[0] = (unsigned char)depth;
    frame[sizeof frame - 1] = (unsigned char)(depth >> 8);
    unsigned long below = depth == 0 ? 0 : recurse(depth - 1);
    CHECK_EQ(frame[0], (unsigned char)depth);
    return below + frame[sizeof frame - 1] + 1;
}

/* One large step, as a big local array makes: no page in between is touched first. */
static __attribute__((noinline)) int big_frame(void) {
    volatile unsigned char frame[5 << 20];
    frame[0] = 1;
    frame[sizeof frame / 2] = 2;
    frame[sizeof frame - 1] = 3;
    return frame[0] + frame[sizeof frame / 2] + frame[sizeof frame - 1];
}

static sigjmp_buf back;
static void *fault_at;
static int on_alternate;
static unsigned char alternate[65536];

static void on_overflow(int sig, siginfo_t *info, void *context) {
    unsigned char here;
    (void)context;
    fault_at = info->si_addr;
    on_alternate = &here >= alternate && &here < alternate + sizeof alternate;
    siglongjmp(back, sig);
}

static unsigned long endless_depth;

static __attribute__((noinline)) unsigned long endless(unsigned long depth) {
    volatile unsigned char frame[3000];
    frame[0] = 1;
    endless_depth = depth;
    unsigned long rest = depth == 0 ? 0 : endless(depth + 1);
    return rest + frame[0];
}

static void overflow(void) {
    struct sigaction act;
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    memset(&act, 0, sizeof act);
    act.sa_sigaction = on_overflow;
    act.sa_flags = SA_SIGINFO | SA_ONSTACK;
    CHECK_OK(sigaltstack(&stack, NULL));
    CHECK_OK(sigaction(SIGSEGV, &act, NULL));
    unsigned char here;
    for (int round = 0; round < 3; round++) {
        int sig = sigsetjmp(back, 1);
        if (sig == 0) endless(1);
        CHECK_EQ(sig, SIGSEGV);
        CHECK(on_alternate);
        CHECK((unsigned char *)fault_at < &here);
        CHECK(&here - (unsigned char *)fault_at < 9 << 20);
        CHECK(endless_depth > 1000);
    }
    ok("overflow");
}

int main(void) {
    struct rlimit lim;
    CHECK_OK(getrlimit(RLIMIT_STACK, &lim));
    if (lim.rlim_cur != 8 << 20) {
        /* The limits below count on 8 MiB. */
        lim.rlim_cur = 8 << 20;
        CHECK_OK(setrlimit(RLIMIT_STACK, &lim));
    }
    CHECK(recurse(1500) > 1500);
    ok("6 MiB in small steps");
    CHECK_EQ(big_frame(), 6);
    ok("5 MiB in one step");
    overflow();
    return 0;
}
