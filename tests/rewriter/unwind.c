/* SPDX-License-Identifier: MIT */
/* A signal arrives while a call is made from a stub, and its handler walks up the stack to main.
 * endbr64 does not move, so the site gets its way to the stub in the padding behind. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <unwind.h>

int wait_for_signal(void);
__asm__(".text\n"
        ".p2align 6\n"
        ".globl wait_for_signal\n"
        ".type wait_for_signal, @function\n"
        "wait_for_signal:\n"
        ".cfi_startproc\n"
        "push %rbx\n"
        ".cfi_adjust_cfa_offset 8\n"
        ".cfi_rel_offset %rbx, 0\n"
        "sub $24, %rsp\n"
        ".cfi_adjust_cfa_offset 24\n"
        "mov $34, %eax\n"
        "endbr64\n"
        "syscall\n"
        "add $24, %rsp\n"
        ".cfi_adjust_cfa_offset -24\n"
        "pop %rbx\n"
        ".cfi_adjust_cfa_offset -8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size wait_for_signal, . - wait_for_signal\n"
        ".p2align 6\n");

int main(void);
static volatile int in_main, in_waiter, in_stub;

static _Unwind_Reason_Code frame(struct _Unwind_Context *c, void *arg) {
    uintptr_t function = _Unwind_GetRegionStart(c);
    if (function == (uintptr_t)main) in_main++;
    if (function == (uintptr_t)wait_for_signal) in_waiter++;
    return _URC_NO_REASON;
}

static void handler(int sig, siginfo_t *info, void *context) {
    const ucontext_t *u = context;
    uint64_t pc = (uint64_t)u->uc_mcontext.gregs[16]; /* rip */
    in_stub = pc - (uintptr_t)wait_for_signal >= 64;
    _Unwind_Backtrace(frame, NULL);
}

int main(void) {
    struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGALRM, &a, NULL);
    alarm(1);
    wait_for_signal();
    printf("%s %d %d\n", in_stub ? "stub" : "site", in_waiter, in_main);
    return in_main == 1 ? 0 : 1;
}
