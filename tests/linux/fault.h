/* SPDX-License-Identifier: MIT */
/* Provokes memory faults and reports the signal that came: owns the SIGSEGV and SIGBUS handlers. */
#ifndef TESTS_LINUX_FAULT_H
#define TESTS_LINUX_FAULT_H

#include <setjmp.h>
#include <signal.h>
#include <string.h>

static sigjmp_buf fault_return;
static siginfo_t fault_info;

static inline void fault_handler(int sig, siginfo_t *info, void *context) {
    (void)context;
    fault_info = *info;
    siglongjmp(fault_return, sig);
}

static inline void fault_setup(void) {
    struct sigaction act;
    memset(&act, 0, sizeof act);
    act.sa_sigaction = fault_handler;
    act.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &act, NULL);
    sigaction(SIGBUS, &act, NULL);
    sigaction(SIGILL, &act, NULL);
}

/* The signal that the access raises, 0 if it succeeds. */
static inline int fault_reading(const volatile void *at) {
    int sig = sigsetjmp(fault_return, 1);
    if (sig == 0) (void)*(const volatile unsigned char *)at;
    return sig;
}

static inline int fault_writing(volatile void *at) {
    int sig = sigsetjmp(fault_return, 1);
    if (sig == 0) *(volatile unsigned char *)at = 1;
    return sig;
}

static inline int fault_calling(const volatile void *code) {
    int sig = sigsetjmp(fault_return, 1);
    if (sig == 0) __asm__ volatile("call *%0" : : "r"(code) : "memory", "rax", "cc");
    return sig;
}

static inline int fault_code(void) { return fault_info.si_code; }
static inline void *fault_address(void) { return fault_info.si_addr; }

#endif
