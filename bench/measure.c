/* SPDX-License-Identifier: MIT */
/* Runs one command and writes its cost, as one line of JSON, to a descriptor.
 *
 * usage: measure time|first|rss FD PROGRAM [ARGS...]
 *
 * time: wall time until the program ends; CPU time of it and of all processes that it started,
 * which are waited for (they are handed to this one when their parent ends).  first: also the time
 * until the first byte of output, which passes through this program.  rss: resident memory, exact:
 * the program is stopped (ptrace) as it exits, before it gives its memory up, and its pages are
 * counted.  ru_maxrss alone will not do: the kernel keeps it in per-CPU batches (a small process
 * shows 0), and a child's starts out as that of the process that forked it, which is why this is a
 * small program of its own. */
#include "timing.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OTHERS_END_S 60 /* the first run of a large program leaves its rewriting behind */

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

/* Starts the program, traced or not, its output to `out` unless that is negative; -1 where that
 * fails. */
static pid_t spawn(char **argv, bool traced, int out) {
    pid_t pid = vfork();

    if (pid != 0) return pid;
    if (traced) ptrace(PTRACE_TRACEME, 0, 0, 0);
    if (out >= 0) dup2(out, 1);
    execv(argv[0], argv);
    dprintf(2, "measure: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Passes on what can be read: 1 for some, 0 at the end. */
static int forward(int from) {
    char buf[65536];
    ssize_t n = read(from, buf, sizeof buf);

    for (ssize_t done = 0; done < n;) {
        ssize_t m = write(1, buf + done, (size_t)(n - done));
        if (m < 0) exit(fail("write"));
        done += m;
    }
    return n > 0;
}

/* Forwards output until the program has ended (others may keep the pipe open), and says when the
 * first of it came (0: none). */
static uint64_t watch_output(int from, pid_t pid) {
    struct pollfd fds[2] = {{.fd = from, .events = POLLIN}, {.events = POLLIN}};
    uint64_t first = 0;

    fds[1].fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fds[1].fd < 0) exit(fail("pidfd_open"));
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR) exit(fail("poll"));
        if (fds[0].revents) {
            if (!first) first = clock_ns();
            if (!forward(from)) fds[0].fd = -1;
        } else if (fds[1].revents) {
            close(fds[1].fd);
            return first;
        }
    }
}

static void give_up(int sig) {
    static const char text[] = "measure: processes of the program are left running\n";

    (void)!write(2, text, sizeof text - 1);
    _exit(124);
}

/* Waits for what the program left behind, so that its CPU time is known. */
static void reap_others(void) {
    signal(SIGALRM, give_up);
    alarm(OTHERS_END_S);
    while (wait(NULL) > 0 || errno == EINTR)
        ;
    alarm(0);
}

static int measure_time(int fd, char **argv, bool watched) {
    struct rusage use;
    struct timespec day;
    uint64_t first = 0, start, ns;
    int status, out[2] = {-1, -1};
    pid_t pid;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (watched && pipe2(out, O_CLOEXEC) < 0) return fail("pipe");
    clock_gettime(CLOCK_REALTIME, &day);
    start = clock_ns();
    pid = spawn(argv, false, out[1]);
    if (pid < 0) return fail("vfork");
    close(out[1]);
    if (watched) first = watch_output(out[0], pid);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return fail("waitpid");
    ns = clock_ns() - start;
    reap_others();
    getrusage(RUSAGE_CHILDREN, &use);
    dprintf(fd,
            "{\"wall_ns\": %llu, \"cpu_ns\": %llu, \"first_ns\": %llu, \"start_day_ns\": %llu, "
            "\"status\": %d}\n",
            (unsigned long long)ns,
            (unsigned long long)(timeval_ns(use.ru_utime) + timeval_ns(use.ru_stime)),
            (unsigned long long)(first ? first - start : 0), (unsigned long long)timespec_ns(day),
            exit_status(status));
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
    pid_t pid = spawn(argv, true, -1);

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
    if (argc >= 4 && !strcmp(argv[1], "time")) return measure_time(atoi(argv[2]), argv + 3, false);
    if (argc >= 4 && !strcmp(argv[1], "first")) return measure_time(atoi(argv[2]), argv + 3, true);
    if (argc >= 4 && !strcmp(argv[1], "rss")) return measure_rss(atoi(argv[2]), argv + 3);
    fprintf(stderr, "usage: measure time|first|rss FD PROGRAM [ARGS...]\n");
    return 2;
}
