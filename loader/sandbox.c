/* SPDX-License-Identifier: MIT */
/* Installs the filter that the build made (sandbox_filter.c).  Owns SIGSYS with --verbose. */
#include <loader/sandbox.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <loader/diag.h>
#include <loader/tty.h>
#include <sandbox_filter.inc>

#define FILTER_LENGTH (sizeof(filter) / sizeof(filter[0]))
#define NET_FILTER_LENGTH (sizeof(net_filter) / sizeof(net_filter[0]))

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0 /* a sanitizer's runtime makes system calls of its own */
#endif

static void on_violation(int sig, siginfo_t *info, void *context) {
    tty_restore();
    die(EXIT_HERMIT, "sandbox: system call %d is not allowed", info->si_syscall);
}

/* --verbose: a forbidden call is named before it ends the process. */
static void trap_instead(struct sock_filter *f, size_t length) {
    struct sigaction a = {.sa_sigaction = on_violation, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &a, NULL);
    for (size_t i = 0; i < length; i++)
        if (f[i].code == (BPF_RET | BPF_K) && f[i].k == SECCOMP_RET_KILL_PROCESS)
            f[i].k = SECCOMP_RET_TRAP;
}

void sandbox_enter(bool network) {
    struct sock_filter traced[NET_FILTER_LENGTH]; /* the longer one */
    struct sock_fprog program = {.len = network ? NET_FILTER_LENGTH : FILTER_LENGTH,
                                 .filter = (struct sock_filter *)(network ? net_filter : filter)};
    if (SANITIZED || !HERMIT_SANDBOX) return;
    if (diag_verbose) {
        memcpy(traced, program.filter, program.len * sizeof(traced[0]));
        trap_instead(traced, program.len);
        program.filter = traced;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        die(EXIT_HERMIT, "sandbox: no_new_privs: %s", strerror(errno));
    /* Speculation mitigations that a filter brings on old kernels guard against code in this very
     * process; they would slow the guest, which software KVM runs under the same settings. */
    unsigned flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0) return;
    if (errno == EINVAL && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0) return;
    verbose("sandbox: this host has no seccomp filters: %s", strerror(errno));
}
