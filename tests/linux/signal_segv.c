/* SPDX-License-Identifier: MIT */
/* Faults: si_code and si_addr of SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP; a handler that repairs
 * the mapping, one that skips the instruction, and registers in the frame. */
#include "check.h"

#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

static siginfo_t seen;
static volatile sig_atomic_t hits, action;
static long seen_trapno, seen_err, seen_cr2;
static sigjmp_buf back;
static char *page;

enum { REPAIR, SKIP_TWO, GO_ON, JUMP };

static void on_fault(int sig, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    seen = *info;
    seen_trapno = (long)uc->uc_mcontext.gregs[REG_TRAPNO];
    seen_err = (long)uc->uc_mcontext.gregs[REG_ERR];
    seen_cr2 = (long)uc->uc_mcontext.gregs[REG_CR2];
    hits++;
    if (action == REPAIR && mprotect(page, CHECK_PAGE, PROT_READ | PROT_WRITE) != 0) _exit(9);
    if (action == SKIP_TWO) uc->uc_mcontext.gregs[REG_RIP] += 2;
    if (action == JUMP) siglongjmp(back, sig);
}

static void repair(void) {
    page = mmap(NULL, CHECK_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    action = REPAIR;
    hits = 0;
    *(volatile char *)(page + 123) = 42;
    CHECK_EQ(hits, 1);
    CHECK_EQ(page[123], 42);
    CHECK_EQ(seen.si_signo, SIGSEGV);
    CHECK_EQ(seen.si_code, SEGV_ACCERR);
    CHECK(seen.si_addr == page + 123);
    CHECK_EQ(seen_trapno, 14);
    CHECK_EQ(seen_err & 6, 6); /* user, write */
    CHECK(seen_cr2 == (long)(page + 123));
    ok("handler repairs the mapping");
}

static void unmapped(void) {
    action = JUMP;
    CHECK_OK(munmap(page, CHECK_PAGE));
    int sig = sigsetjmp(back, 1);
    if (sig == 0) *(volatile char *)page = 1;
    CHECK_EQ(sig, SIGSEGV);
    CHECK_EQ(seen.si_code, SEGV_MAPERR);
    CHECK(seen.si_addr == page);

    void (*volatile nowhere)(void) = (void (*)(void))(uintptr_t)8;
    sig = sigsetjmp(back, 1);
    if (sig == 0) nowhere();
    CHECK_EQ(sig, SIGSEGV);
    CHECK_EQ((uintptr_t)seen.si_addr, 8);

    /* Not a canonical address: a general protection fault, which tells no address. */
    sig = sigsetjmp(back, 1);
    if (sig == 0) *(volatile char *)(uintptr_t)0x8000000000000000ULL = 1;
    CHECK_EQ(sig, SIGSEGV);
    CHECK_EQ(seen.si_code, SI_KERNEL);
    ok("unmapped, null call, not canonical");
}

static void bus(void) {
    scratch();
    put_file("short", "x");
    int fd = open("short", O_RDWR);
    CHECK(fd >= 0);
    char *map = mmap(NULL, 2 * CHECK_PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    action = JUMP;
    int sig = sigsetjmp(back, 1);
    if (sig == 0) (void)*(volatile char *)(map + CHECK_PAGE);
    CHECK_EQ(sig, SIGBUS);
    CHECK_EQ(seen.si_code, BUS_ADRERR);
    CHECK(seen.si_addr == map + CHECK_PAGE);
    CHECK_OK(unlink("short"));
    ok("SIGBUS beyond the end of a file");
}

static void instructions(void) {
    action = SKIP_TWO;
    hits = 0;
    __asm__ volatile("ud2" ::: "memory");
    CHECK_EQ(hits, 1);
    CHECK_EQ(seen.si_signo, SIGILL);
    CHECK_EQ(seen.si_code, ILL_ILLOPN);

    unsigned a = 1, d = 0, zero = 0;
    __asm__ volatile("divl %2" : "+a"(a), "+d"(d) : "c"(zero) : "memory"); /* two bytes */
    CHECK_EQ(seen.si_signo, SIGFPE);
    CHECK_EQ(seen.si_code, FPE_INTDIV);

    action = GO_ON;
    __asm__ volatile("int3" ::: "memory");
    CHECK_EQ(seen.si_signo, SIGTRAP);
    CHECK_EQ(seen.si_code, SI_KERNEL);
    CHECK_EQ(hits, 3);
    ok("ud2, division by zero, int3");
}

static void flags_and_registers(void) {
    unsigned long rbx = 0x1122334455667788, flags;
    action = GO_ON;
    __asm__ volatile("std; int3; pushfq; popq %1; cld" : "+b"(rbx), "=r"(flags) : : "memory");
    CHECK_EQ(rbx, 0x1122334455667788);
    CHECK_EQ(flags & 0x400, 0x400); /* DF is back, though the handler ran without it */
    ok("flags and registers preserved");
}

int main(void) {
    struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    const int sigs[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
        CHECK_OK(sigaction(sigs[i], &a, NULL));
    repair();
    unmapped();
    bus();
    instructions();
    flags_and_registers();
    return 0;
}
