/* SPDX-License-Identifier: MIT */
/* See apart.h.  ELF files come from anywhere, and libelf and Capstone read them: what goes wrong
 * there ends a process that has no files but a pipe, cannot open any, start programs or make code.
 * Owns the filter. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rewrite/apart.h>

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

#define FIRST_ROOM 65536u

#define LOAD(field)                                                                                \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), RETURN(SECCOMP_RET_ALLOW)
/* Memory, but none to execute: the third argument has no PROT_EXEC. */
#define ALLOW_DATA(call)                                                                           \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 4), LOAD(args[2]),                              \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), RETURN(SECCOMP_RET_KILL_PROCESS),   \
        RETURN(SECCOMP_RET_ALLOW)

static void only_compute(void) {
    static const struct sock_filter filter[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        ALLOW(SYS_brk),
        ALLOW(SYS_munmap),
        ALLOW(SYS_mremap),
        ALLOW(SYS_madvise),
        ALLOW(SYS_futex),
        ALLOW(SYS_getrandom),
        ALLOW(SYS_sysinfo), /* qsort(3) */
        ALLOW(SYS_write),   /* the pipe, and standard error, are all there is */
        ALLOW(SYS_newfstatat),
        ALLOW(SYS_fstat),
        ALLOW(SYS_exit_group),
        ALLOW_DATA(SYS_mmap),
        ALLOW_DATA(SYS_mprotect),
        RETURN(SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]),
                                 .filter = (struct sock_filter *)filter};
    if (SANITIZED) return;
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0); /* as far as the host can */
}

static _Noreturn void be_apart(void (*work)(void *arg, FILE *out), void *arg, int pipe_fd) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    dup2(pipe_fd, STDOUT_FILENO);
    if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) != 0) {
        for (int fd = (int)sysconf(_SC_OPEN_MAX) - 1; fd > STDERR_FILENO; fd--)
            close(fd);
    }
    FILE *out = fdopen(STDOUT_FILENO, "w");
    if (out == NULL) _exit(1);
    only_compute();
    work(arg, out);
    _exit(fflush(out) == 0 ? 0 : 1);
}

/* All that comes; false if it is too much, or memory is out. */
static bool collect(int fd, size_t most, struct apart *a) {
    size_t room = 0;
    for (;;) {
        if (a->size == room) {
            room = room == 0 ? FIRST_ROOM : 2 * room;
            uint8_t *more = realloc(a->bytes, room);
            if (more == NULL) return false;
            a->bytes = more;
        }
        ssize_t n = read(fd, a->bytes + a->size, room - a->size);
        if (n == 0) return true;
        if (n < 0 && errno != EINTR) return false;
        if (n > 0) a->size += (size_t)n;
        if (a->size > most) return false;
    }
}

int apart_run(void (*work)(void *arg, FILE *out), void *arg, size_t most, struct apart *a) {
    int ends[2], status = 0;
    *a = (struct apart){0};
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    pid_t pid = fork();
    if (pid == 0) be_apart(work, arg, ends[1]);
    int error = pid < 0 ? errno : 0;
    close(ends[1]);
    bool good = pid > 0 && collect(ends[0], most, a);
    close(ends[0]); /* who still writes gets SIGPIPE */
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (good && status == 0) return 0;
    free(a->bytes);
    *a = (struct apart){0};
    return error != 0 ? error : ECANCELED;
}
