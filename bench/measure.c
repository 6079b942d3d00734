/* SPDX-License-Identifier: MIT */
/* Runs one command and writes its cost, as one line of JSON, to a descriptor.
 *
 * usage: measure time|rss FD PROGRAM [ARGS...]
 *
 * time: wall and CPU time.  rss: resident memory, exact: the program is stopped (ptrace) as it
 * exits, before it gives its memory up, and its pages are counted.  ru_maxrss alone will not do:
 * the kernel keeps it in per-CPU batches (a small process shows 0), and a child's starts out as
 * that of the process that forked it, which is why this is a small program of its own. */
#include "timing.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what) {
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    return 125;
}

static uint64_t timeval_ns(struct timeval t) {
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

static int exit_status(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Starts the program, traced or not; -1 where that fails. */
static pid_t spawn(char **argv, bool traced) {
    pid_t pid = vfork();

    if (pid != 0) return pid;
    if (traced) ptrace(PTRACE_TRACEME, 0, 0, 0);
    execv(argv[0], argv);
    dprintf(2, "measure: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static int measure_time(int fd, char **argv) {
    struct rusage use;
    uint64_t start = clock_ns(), ns;
    int status;
    pid_t pid = spawn(argv, false);

    if (pid < 0) return fail("vfork");
    while (wait4(pid, &status, 0, &use) < 0)
        if (errno != EINTR) return fail("wait4");
    ns = clock_ns() - start;
    dprintf(fd, "{\"wall_ns\": %llu, \"user_ns\": %llu, \"sys_ns\": %llu, \"status\": %d}\n",
            (unsigned long long)ns, (unsigned long long)timeval_ns(use.ru_utime),
            (unsigned long long)timeval_ns(use.ru_stime), exit_status(status));
    return 0;
}

/* Rss of /proc/PID/smaps_rollup: counted page by page, unlike the figure in status. */
static long resident_kib(pid_t pid) {
    char path[64], line[256];
    long kib = -1;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    f = fopen(path, "r");
    if (!f) return -1;
    while (kib < 0 && fgets(line, sizeof line, f))
        sscanf(line, "Rss: %ld", &kib);
    fclose(f);
    return kib;
}

static int measure_rss(int fd, char **argv) {
    long kib = -1;
    int status, sig;
    pid_t pid = spawn(argv, true);

    if (pid < 0) return fail("vfork");
    if (waitpid(pid, &status, 0) < 0) return fail("waitpid");
    if (WIFSTOPPED(status) &&
        ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC) < 0)
        return fail("ptrace");
    for (sig = 0; WIFSTOPPED(status);) {
        if (ptrace(PTRACE_CONT, pid, 0, (long)sig) < 0 || waitpid(pid, &status, 0) < 0)
            return fail("ptrace");
        if (!WIFSTOPPED(status)) break;
        if (status >> 16 == PTRACE_EVENT_EXIT) kib = resident_kib(pid);
        sig = status >> 16 ? 0 : WSTOPSIG(status);
    }
    dprintf(fd, "{\"rss_kib\": %ld, \"status\": %d}\n", kib, exit_status(status));
    return 0;
}

int main(int argc, char **argv) {
    if (argc >= 4 && !strcmp(argv[1], "time")) return measure_time(atoi(argv[2]), argv + 3);
    if (argc >= 4 && !strcmp(argv[1], "rss")) return measure_rss(atoi(argv[2]), argv + 3);
    fprintf(stderr, "usage: measure time|rss FD PROGRAM [ARGS...]\n");
    return 2;
}
