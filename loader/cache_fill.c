/* SPDX-License-Identifier: MIT */
/* The process that fills the cache of rewritten objects: hermit-rewrite, which is told the names of
 * files through a pipe.  It is made before the sandbox forbids that, becomes hermit-rewrite when
 * the guest has ended, and outlives hermit-run.  Owns the pipes. */
#include <loader/cache.h>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOWEST_PRIORITY 19
#define CPU_SECONDS 600

static int names_out = -1, answers_in = -1;

bool filler_runs(void) { return names_out >= 0; }

/* Beside this executable. */
static bool find_tool(char path[PATH_MAX]) {
    static const char name[] = "hermit-rewrite";
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (n <= 0) return false;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL || (size_t)(slash - path) + sizeof(name) >= PATH_MAX) return false;
    memcpy(slash + 1, name, sizeof(name));
    return access(path, X_OK) == 0;
}

/* Nothing of hermit-run's stays open: who reads its output must see the end of it. */
static void keep_only(int in, int out) {
    int null = open("/dev/null", O_RDWR);
    dup2(in, STDIN_FILENO);
    dup2(out >= 0 ? out : null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0) return;
    for (int fd = (int)sysconf(_SC_OPEN_MAX) - 1; fd > STDERR_FILENO; fd--)
        close(fd);
}

static _Noreturn void become_tool(const char *tool, bool now) {
    static char name[] = "hermit-rewrite", cache[] = "--cache", serve[] = "--serve";
    char *argv[] = {name, cache, serve, NULL};
    const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS};
    setsid(); /* signals of the terminal are not for it */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CPU, &cpu);
    if (chdir("/") != 0) _exit(1);
    if (!now) {
        struct pollfd end = {.fd = STDIN_FILENO}; /* the end of all writers */
        while (poll(&end, 1, -1) < 0)
            ;
        struct pollfd any = {.fd = STDIN_FILENO, .events = POLLIN};
        if (poll(&any, 1, 0) != 1 || (any.revents & POLLIN) == 0) _exit(0);
        const struct sched_param none = {0};
        syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &none);
        setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
    }
    execv(tool, argv);
    _exit(1);
}

bool filler_start(bool now, const char *first, size_t bytes) {
    char tool[PATH_MAX];
    int names[2], answers[2] = {-1, -1};
    if (!find_tool(tool) || pipe2(names, O_CLOEXEC) != 0) return false;
    if (now && pipe2(answers, O_CLOEXEC) != 0) return false;
    pid_t pid = fork();
    if (pid == 0) {
        keep_only(names[0], answers[1]);
        become_tool(tool, now);
    }
    close(names[0]);
    if (answers[1] >= 0) close(answers[1]);
    if (pid < 0) return false;
    names_out = names[1];
    answers_in = answers[0];
    if (!now) fcntl(names_out, F_SETFL, O_NONBLOCK); /* what is too much will be wanted again */
    if (bytes > 0 && !now) (void)!write(names_out, first, bytes);
    return true;
}

void filler_ask(const char *path, bool now) {
    char done;
    size_t n = strlen(path) + 1;
    if (write(names_out, path, n) != (ssize_t)n || !now) return;
    (void)!read(answers_in, &done, 1);
}
