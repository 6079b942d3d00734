/* SPDX-License-Identifier: MIT */
/* A program that steps through its own code with the trap flag, over a `syscall` instruction that
 * was executed often: each call is made once, every trap reports an address of the program. */
#include <signal.h>
#include <ucontext.h>

#include "syscall_sites.h"

static volatile sig_atomic_t traps, strange;
static uint8_t *code;

extern char __executable_start[], etext[];

static void on_trap(int sig, siginfo_t *info, void *context) {
    const ucontext_t *uc = context;
    uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    (void)sig, (void)info;
    traps++;
    if (pc - (uintptr_t)code >= CHECK_PAGE &&
        pc - (uintptr_t)__executable_start >= (uintptr_t)(etext - __executable_start))
        strange++;
}

static long step(long nr, long a) {
    struct seen saw;
    register struct seen *to __asm__("r8") = &saw;
    long r;
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\t"
                     "xor %%ecx, %%ecx\n\txor %%edx, %%edx\n\tcall *%[code]\n\t"
                     "pushfq\n\tandl $~0x100, (%%rsp)\n\tpopfq\n\tlea 128(%%rsp), %%rsp"
                     : "=a"(r), "+D"(nr), "+S"(a)
                     : [code] "r"(code), "r"(to)
                     : "rcx", "rdx", "r11", "memory", "cc");
    return r;
}

int main(void) {
    struct sigaction sa = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    int pid = getpid();

    CHECK_OK(sigaction(SIGTRAP, &sa, NULL));
    code = site_make(0);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < SITE_OFTEN / 10; i++)
            CHECK_EQ(site_run(code, SYS_getpid, 0, 0, 0), pid);
        CHECK_EQ(step(SYS_getpid, 0), pid);
        CHECK_EQ(step(SYS_close, -1), -EBADF);
        int fd = open("/dev/null", O_RDONLY);
        CHECK(fd >= 0);
        CHECK_EQ(step(SYS_close, fd), 0);
        CHECK_EQ(step(SYS_close, fd), -EBADF);
    }
    CHECK(traps > 20 * 8);
    CHECK_EQ(strange, 0);
    site_free(code);
    return 0;
}
