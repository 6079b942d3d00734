/* SPDX-License-Identifier: MIT */
/* seccomp(2): strict mode, filters and all their answers, checks of programs, threads. */
#include "thread.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/prctl.h>
#include <ucontext.h>

/* <linux/seccomp.h> and <linux/filter.h> are not there for every libc. */
struct insn {
    uint16_t code;
    uint8_t jt, jf;
    uint32_t k;
};
struct program {
    uint16_t len;
    const struct insn *insns;
};
enum { SET_STRICT, SET_FILTER, ACTION_AVAIL };
enum { TSYNC = 1, LOG = 2, TSYNC_ESRCH = 16 };
#define KILL_PROCESS 0x80000000u
#define KILL_THREAD 0u
#define TRAP 0x30000u
#define ERRNO 0x50000u
#define TRACE 0x7ff00000u
#define RET_LOG 0x7ffc0000u
#define ALLOW 0x7fff0000u
#define X86_64 0xc000003eu
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

#define LD(offset)                                                                                 \
    { 0x20, 0, 0, offset }
#define RET(value)                                                                                 \
    { 0x06, 0, 0, value }
#define JEQ(value, yes, no)                                                                        \
    { 0x15, yes, no, value }

static long install_flags(const struct insn *insns, size_t count, unsigned flags) {
    struct program p = {(uint16_t)count, insns};
    return syscall(SYS_seccomp, SET_FILTER, flags, &p);
}
#define INSTALL(...)                                                                               \
    install_flags((const struct insn[]){__VA_ARGS__},                                              \
                  sizeof((const struct insn[]){__VA_ARGS__}) / sizeof(struct insn), 0)

/* A filter that answers one call with `answer` and lets all others pass. */
static long answer_call(int nr, uint32_t answer, unsigned flags) {
    const struct insn f[] = {LD(4),     JEQ(X86_64, 1, 0),       RET(KILL_PROCESS),
                             LD(0),     JEQ((uint32_t)nr, 0, 1), RET(answer),
                             RET(ALLOW)};
    return install_flags(f, sizeof f / sizeof *f, flags);
}

static void bad_programs(void) {
    CHECK_ERR(INSTALL(LD(0)), EINVAL);                       /* no end */
    CHECK_ERR(INSTALL(LD(2), RET(ALLOW)), EINVAL);           /* unaligned */
    CHECK_ERR(INSTALL(LD(64), RET(ALLOW)), EINVAL);          /* beyond the data */
    CHECK_ERR(INSTALL({0x28, 0, 0, 0}, RET(ALLOW)), EINVAL); /* a half word */
    CHECK_ERR(INSTALL({0x30, 0, 0, 0}, RET(ALLOW)), EINVAL); /* a byte */
    CHECK_ERR(INSTALL({0x40, 0, 0, 0}, RET(ALLOW)), EINVAL); /* indirect */
    CHECK_ERR(INSTALL({0xb1, 0, 0, 0}, RET(ALLOW)), EINVAL); /* a header length */
    CHECK_ERR(INSTALL({0x05, 0, 0, 1}, RET(ALLOW)), EINVAL); /* jumps out */
    CHECK_ERR(INSTALL({0x05, 0, 0, 0xffffffff}, RET(ALLOW)), EINVAL);
    CHECK_ERR(INSTALL(JEQ(0, 1, 0), RET(ALLOW)), EINVAL);
    CHECK_ERR(INSTALL({0x34, 0, 0, 0}, RET(ALLOW)), EINVAL);  /* / 0 */
    CHECK_ERR(INSTALL({0x94, 0, 0, 1}, RET(ALLOW)), EINVAL);  /* % */
    CHECK_ERR(INSTALL({0x64, 0, 0, 32}, RET(ALLOW)), EINVAL); /* << 32 */
    CHECK_ERR(INSTALL({0x60, 0, 0, 0}, RET(ALLOW)), EINVAL);  /* M[0] was not written */
    CHECK_ERR(INSTALL({0x02, 0, 0, 16}, RET(ALLOW)), EINVAL); /* M[16] */
    CHECK_ERR(INSTALL({0xffff, 0, 0, 0}, RET(ALLOW)), EINVAL);
    CHECK_ERR(INSTALL({0x0e, 0, 0, 0}, RET(ALLOW)), EINVAL); /* return X */
    /* Only one of the two ways writes M[0]. */
    CHECK_ERR(INSTALL(LD(0), JEQ(0, 0, 1), {0x02, 0, 0, 0}, {0x60, 0, 0, 0}, RET(ALLOW)), EINVAL);
    CHECK_ERR(install_flags(NULL, 0, 0), EINVAL);
    CHECK_ERR(install_flags(NULL, 4097, 0), EINVAL);
    CHECK_ERR(install_flags(bad_pointer(), 1, 0), EFAULT);
    CHECK_ERR(syscall(SYS_seccomp, SET_FILTER, 0, bad_pointer()), EFAULT);
    CHECK_ERR(install_flags(NULL, 0, 0x8000), EINVAL);
    CHECK_ERR(syscall(SYS_seccomp, 99, 0, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_seccomp, SET_STRICT, 1, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_seccomp, SET_STRICT, 0, "x"), EINVAL);
    CHECK_ERR(prctl(PR_SET_SECCOMP, 3, 0, 0, 0), EINVAL);
    CHECK_EQ(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
    ok("checks of programs");
}

static void actions_known(void) {
    uint32_t known[] = {KILL_PROCESS, KILL_THREAD, TRAP, ERRNO, TRACE, RET_LOG, ALLOW};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        CHECK_OK(syscall(SYS_seccomp, ACTION_AVAIL, 0, &known[i]));
    uint32_t other = 0x12340000;
    CHECK_ERR(syscall(SYS_seccomp, ACTION_AVAIL, 0, &other), EOPNOTSUPP);
    CHECK_ERR(syscall(SYS_seccomp, ACTION_AVAIL, 1, &other), EINVAL);
    CHECK_ERR(syscall(SYS_seccomp, ACTION_AVAIL, 0, bad_pointer()), EFAULT);
    ok("actions");
}

static siginfo_t trapped;
static void *trapped_at;

static void on_sys(int sig, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    trapped = *info;
    trapped_at = (void *)(uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    CHECK_EQ(uc->uc_mcontext.gregs[REG_RAX], SYS_getpgrp);
    uc->uc_mcontext.gregs[REG_RAX] = 4711;
}

static void traps(void) {
    struct sigaction a = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};
    CHECK_OK(sigaction(SIGSYS, &a, NULL));
    CHECK_OK(answer_call(SYS_getpgrp, TRAP | 77, 0));
    CHECK_EQ(syscall(SYS_getpgrp, 1, 2, 3, 4, 5, 6), 4711);
    CHECK_EQ(trapped.si_signo, SIGSYS);
    CHECK_EQ(trapped.si_code, SYS_SECCOMP);
    CHECK_EQ(trapped.si_errno, 77);
    CHECK_EQ(trapped.si_syscall, SYS_getpgrp);
    CHECK_EQ(trapped.si_arch, X86_64);
    CHECK(trapped.si_call_addr == trapped_at);
    ok("trap");
}

static void arithmetic(void) {
    /* ((arg0 * 3 - 1) ^ 5) >> 1, computed with memory and X, compared with arg1. */
    const struct insn f[] = {
        LD(0),
        JEQ(SYS_getsid, 0, 14),
        LD(16),
        {0x24, 0, 0, 3},  /* A *= 3 */
        {0x02, 0, 0, 15}, /* M[15] = A */
        {0x01, 0, 0, 1},  /* X = 1 */
        {0x60, 0, 0, 15}, /* A = M[15] */
        {0x1c, 0, 0, 0},  /* A -= X */
        {0xa4, 0, 0, 5},  /* A ^= 5 */
        {0x74, 0, 0, 1},  /* A >>= 1 */
        {0x07, 0, 0, 0},  /* X = A */
        LD(24),
        {0x1d, 0, 3, 0}, /* A == X? */
        {0x80, 0, 0, 0}, /* A = 64, the size of the data */
        {0x44, 0, 0, ERRNO},
        {0x16, 0, 0, 0}, /* return A */
        RET(ALLOW),
    };
    CHECK_OK(install_flags(f, sizeof f / sizeof *f, 0));
    CHECK_ERR(syscall(SYS_getsid, 7, 8), 64); /* (20 ^ 5) >> 1 == 8 */
    CHECK_ERR(syscall(SYS_getsid, -1, 8), ESRCH);
    ok("arithmetic");
}

static void errors(void) {
    CHECK_OK(answer_call(SYS_getgid, ERRNO | 41, 0));
    CHECK_ERR(syscall(SYS_getgid), 41);
    CHECK_OK(answer_call(SYS_getgid, ERRNO | 42, 0));
    CHECK_ERR(syscall(SYS_getgid), 42); /* of equal ones the newest */
    CHECK_OK(answer_call(SYS_getgid, TRACE, 0));
    CHECK_ERR(syscall(SYS_getgid), 42); /* the most restrictive */
    CHECK_OK(answer_call(SYS_getegid, TRACE, 0));
    CHECK_ERR(syscall(SYS_getegid), ENOSYS);
    CHECK_OK(answer_call(SYS_geteuid, ERRNO, 0));
    CHECK_EQ(syscall(SYS_geteuid), 0);
    CHECK_OK(answer_call(SYS_getppid, ERRNO | 0xffff, 0));
    CHECK_ERR(syscall(SYS_getppid), 4095);
    CHECK_OK(answer_call(SYS_gettid, RET_LOG, 0));
    CHECK_EQ(syscall(SYS_gettid), getpid());
    CHECK_OK(answer_call(1000, ERRNO | 5, LOG)); /* a number that no call has */
    CHECK_ERR(syscall(1000), 5);
    CHECK_EQ(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 2);
    CHECK_ERR(prctl(PR_SET_SECCOMP, 1, 0, 0, 0), EINVAL); /* no way back */
    CHECK(strstr(get_file("/proc/self/status"), "\nSeccomp:\t2\n") != NULL);
    CHECK(strstr(get_file("/proc/self/status"), "\nNoNewPrivs:\t1\n") != NULL);
    ok("answers");
}

static _Atomic int other_tid;

static void *killed_by_filter(void *arg) {
    other_tid = gettid_();
    /* X is 0: the division ends the filter with 0. */
    if (arg == NULL) INSTALL(LD(0), JEQ(SYS_getpriority, 0, 1), {0x3c, 0, 0, 0}, RET(ALLOW));
    if (arg != NULL) answer_call(SYS_getpriority, KILL_THREAD, 0);
    syscall(SYS_getpriority, 0, 0);
    CHECK(!"the call came back");
    return NULL;
}

static void *killed_in_strict(void *arg) {
    other_tid = gettid_();
    CHECK_OK(prctl(PR_SET_SECCOMP, 1, 0, 0, 0));
    CHECK_EQ(write(1, "ok strict mode writes\n", 22), 22);
    syscall(SYS_getpid);
    write(1, "FAIL the call came back\n", 24);
    return NULL;
}

/* A thread that is killed tells libc nothing, so it cannot be joined everywhere. */
static void spawn_to_die(void *(*run)(void *), void *arg) {
    other_tid = 0;
    spawn(run, arg);
    while (other_tid == 0 || syscall(SYS_tgkill, getpid(), other_tid, 0) == 0)
        sleep_ms(1);
}

static void thread_ends(void) {
    spawn_to_die(killed_by_filter, NULL);
    spawn_to_die(killed_by_filter, &other_tid);
    ok("a filter ends one thread");
}

static sem_t installed, checked;

static void *has_own(void *arg) {
    CHECK_ERR(syscall(SYS_getgid), 42); /* inherited */
    other_tid = gettid_();
    CHECK_OK(answer_call(SYS_getresuid, ERRNO | 50, 0));
    CHECK_OK(sem_post(&installed));
    CHECK_OK(sem_wait(&checked));
    return NULL;
}

static void *gets_theirs(void *arg) {
    CHECK_OK(sem_post(&installed));
    CHECK_OK(sem_wait(&checked));
    CHECK_ERR(syscall(SYS_getresgid), 51);
    return NULL;
}

static void together(void) {
    CHECK_OK(sem_init(&installed, 0, 0));
    CHECK_OK(sem_init(&checked, 0, 0));
    pthread_t t = spawn(has_own, NULL);
    CHECK_OK(sem_wait(&installed));
    CHECK_EQ(answer_call(SYS_getresgid, ERRNO | 51, TSYNC), other_tid);
    CHECK_ERR(answer_call(SYS_getresgid, ERRNO | 51, TSYNC | TSYNC_ESRCH), ESRCH);
    CHECK(syscall(SYS_getresuid, NULL, NULL, NULL) == -1 && errno == EFAULT);
    CHECK_OK(sem_post(&checked));
    join(t);
    t = spawn(gets_theirs, NULL);
    CHECK_OK(sem_wait(&installed));
    CHECK_OK(answer_call(SYS_getresgid, ERRNO | 51, TSYNC));
    CHECK_OK(sem_post(&checked));
    join(t);
    ok("all threads at once");
}

static void too_many(void) {
    static struct insn f[4096];
    for (int i = 0; i < 4096; i++)
        f[i] = (struct insn)RET(ALLOW);
    long r = 0;
    for (int i = 0; i < 9 && r == 0; i++)
        r = install_flags(f, 4096, 0);
    CHECK(r == -1 && errno == ENOMEM);
    ok("too many instructions");
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "kill") == 0) {
        CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        CHECK_OK(answer_call(SYS_getpriority, KILL_PROCESS, 0));
        syscall(SYS_getpriority, 0, 0);
        return 0;
    }
    actions_known();
    if (geteuid() != 0) CHECK_ERR(INSTALL(RET(ALLOW)), EACCES);
    CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    bad_programs();
    spawn_to_die(killed_in_strict, NULL);
    traps();
    arithmetic();
    errors();
    thread_ends();
    together();
    too_many();
    return 0;
}
