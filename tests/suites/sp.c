// SPDX-License-Identifier: MIT
/*
 * sp [-f] PROGRAM [ARGS...]: runs one conformance case on Linux, in a PID namespace of its own.
 * With -f it may only be a single process: what would make a second one, or replace it, is refused.
 *
 * -f: fork, vfork, clone without CLONE_THREAD, execve and execveat kill the case with SIGSYS, so it
 * does not count as a single process's; with -F they fail with EPERM instead, for programs that run
 * many cases and cope with it. clone3, whose flags a filter cannot see, fails with ENOSYS:
 * libraries then use clone.
 *
 * The PID namespace keeps a case that does kill(-1, SIGKILL) from the rest of the machine, and its
 * stray children end with it. It lacks the capabilities to set the clock or restart the machine.
 * The case is not the namespace's first process, whose signals would be special. Ends with the
 * case's exit status, 128 + N where signal N ended it; 125 if sp failed.
 */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAILED 125

static void fail(const char *what) {
    fprintf(stderr, "sp: %s: %s\n", what, strerror(errno));
    exit(FAILED);
}

static void check(int result, const char *what) {
    if (result < 0) {
        errno = -result;
        fail(what);
    }
}

/* Forbids further processes. The one execve that starts the case is known by its path's address. */
static void forbid(uint32_t action, const char *path) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL) {
        errno = ENOMEM;
        fail("filter");
    }
    check(seccomp_rule_add(filter, action, SCMP_SYS(fork), 0), "fork");
    check(seccomp_rule_add(filter, action, SCMP_SYS(vfork), 0), "vfork");
    check(seccomp_rule_add(filter, action, SCMP_SYS(clone), 1,
                           SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)),
          "clone");
    check(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3");
    const struct scmp_arg_cmp other = {
        .arg = 0, .op = SCMP_CMP_NE, .datum_a = (scmp_datum_t)(uintptr_t)path, .datum_b = 0};
    check(seccomp_rule_add(filter, action, SCMP_SYS(execve), 1, other), "execve");
    check(seccomp_rule_add(filter, action, SCMP_SYS(execveat), 0), "execveat");
    check(seccomp_load(filter), "seccomp_load");
    seccomp_release(filter);
}

/* The exit status of pid as a shell shows it; other children are reaped meanwhile. */
static int wait_for(pid_t pid) {
    for (;;) {
        int status;
        pid_t ended = wait(&status);
        if (ended == pid) {
            return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        }
        if (ended < 0 && errno != EINTR) {
            fail("wait");
        }
    }
}

static pid_t fork_or_fail(void) {
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        fail("fork");
    }
    return pid;
}

/* A case must not set the machine's clock, nor restart it, even where root starts it. */
static void drop_capabilities(void) {
    static const int dropped[] = {CAP_SYS_TIME, CAP_SYS_BOOT, CAP_SYS_MODULE};
    for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
        if (prctl(PR_CAPBSET_DROP, dropped[i]) != 0) {
            fail("PR_CAPBSET_DROP");
        }
    }
}

/* /proc is that of the new namespace, here only. */
static void mount_proc(void) {
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0) {
        fail("/proc");
    }
}

int main(int argc, char **argv) {
    uint32_t action = SCMP_ACT_ALLOW;
    int option;
    while ((option = getopt(argc, argv, "+fF")) != -1) {
        if (option != 'f' && option != 'F') {
            return FAILED;
        }
        action = option == 'f' ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM);
    }
    if (optind == argc) {
        fprintf(stderr, "usage: sp [-f | -F] PROGRAM [ARGS...]\n");
        return FAILED;
    }
    char **program = argv + optind;
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) {
        fail("a PID namespace (needs root)");
    }
    pid_t first = fork_or_fail();
    if (first != 0) {
        return wait_for(first);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    mount_proc();
    pid_t child = fork_or_fail();
    if (child != 0) {
        return wait_for(child);
    }
    drop_capabilities();
    setsid();
    if (action != SCMP_ACT_ALLOW) {
        forbid(action, program[0]);
    }
    execv(program[0], program);
    fail(program[0]);
}
