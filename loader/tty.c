/* SPDX-License-Identifier: MIT */
/* Terminal modes: remembered before the program's first change, restored on every way out, and
 * given back to the shell while the job is stopped.  Owns the table of changed terminals and,
 * from the first change on, SIGTSTP, SIGCONT and the fatal signals that nobody else handles. */
#include <loader/tty.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define MAX_TTYS 4

struct changed_tty {
    int fd; /* own duplicate: the program may close its descriptor */
    dev_t rdev;
    struct termios original;
    struct termios program; /* modes at the last stop */
    volatile sig_atomic_t stopped;
};

static struct changed_tty ttys[MAX_TTYS];
static struct sigaction next_continue; /* SIGCONT is also an event for the program */
static _Atomic unsigned tty_count; /* entries below it are complete: signal handlers read them */

/* Another job may own the terminal by now; changing it then would break that job's modes. */
static bool owns(int fd) {
    pid_t foreground = tcgetpgrp(fd);
    return foreground < 0 || foreground == getpgrp();
}

void tty_restore(void) {
    int saved_errno = errno;
    /* Backwards: /dev/tty and the terminal itself are two entries for one state, and the older
     * entry is the true original. */
    for (unsigned i = atomic_load(&tty_count); i-- > 0;) {
        if (!owns(ttys[i].fd)) continue;
        tcsetattr(ttys[i].fd, TCSANOW, &ttys[i].original);
        tcflow(ttys[i].fd, TCOON); /* the program may have stopped the output */
    }
    errno = saved_errno;
}

static void on_fatal(int sig) {
    tty_restore();
    signal(sig, SIG_DFL);
    raise(sig); /* blocked here; takes effect on return */
}

static void reapply(void) {
    unsigned count = atomic_load(&tty_count);
    for (unsigned i = 0; i < count; i++) {
        struct changed_tty *t = &ttys[i];
        /* After `bg` the modes stay the shell's until `fg` sends SIGCONT again. */
        if (!t->stopped || !owns(t->fd)) continue;
        tcsetattr(t->fd, TCSANOW, &t->program);
        t->stopped = 0;
    }
}

static void on_continue(int sig) {
    int saved_errno = errno;
    reapply();
    errno = saved_errno;
    void (*next)(int) = next_continue.sa_handler;
    if (next != SIG_DFL && next != SIG_IGN) next(sig);
}

static void on_stop(int sig) {
    int saved_errno = errno;
    unsigned count = atomic_load(&tty_count);
    for (unsigned i = 0; i < count; i++) {
        struct changed_tty *t = &ttys[i];
        if (!t->stopped && owns(t->fd) && tcgetattr(t->fd, &t->program) == 0) t->stopped = 1;
    }
    tty_restore();
    struct sigaction stop = {.sa_handler = SIG_DFL}, mine;
    sigset_t set, old;
    sigaction(SIGTSTP, &stop, &mine);
    raise(SIGTSTP);
    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    pthread_sigmask(SIG_UNBLOCK, &set, &old); /* stops here until SIGCONT */
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    sigaction(SIGTSTP, &mine, NULL);
    reapply(); /* an orphaned process group does not stop and gets no SIGCONT */
    errno = saved_errno;
}

/* Whoever handles or ignores a signal already, keeps it. */
static void take_signal(int sig, void (*handler)(int)) {
    struct sigaction now;
    if (sigaction(sig, NULL, &now) < 0 || (now.sa_flags & SA_SIGINFO)) return;
    if (now.sa_handler != SIG_DFL) return;
    struct sigaction take = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&take.sa_mask);
    sigaction(sig, &take, NULL);
}

static void take_signals(void) {
    static const int fatal[] = {SIGHUP, SIGINT,  SIGQUIT, SIGILL,  SIGTRAP, SIGABRT,
                                SIGBUS, SIGFPE,  SIGSEGV, SIGPIPE, SIGALRM, SIGTERM,
                                SIGSYS, SIGXCPU, SIGXFSZ, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        take_signal(fatal[i], on_fatal);
    take_signal(SIGTSTP, on_stop);
    sigaction(SIGCONT, NULL, &next_continue);
    struct sigaction take = next_continue;
    take.sa_handler = on_continue;
    if (!(take.sa_flags & SA_SIGINFO)) sigaction(SIGCONT, &take, NULL);
    atexit(tty_restore);
}

void tty_note_change(int fd) {
    int saved_errno = errno;
    struct stat st;
    struct termios now;
    unsigned count = atomic_load(&tty_count);
    if (fstat(fd, &st) < 0) goto out;
    for (unsigned i = 0; i < count; i++)
        if (ttys[i].rdev == st.st_rdev) goto out;
    if (count == MAX_TTYS || tcgetattr(fd, &now) < 0) goto out;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0) goto out;
    ttys[count] = (struct changed_tty){.fd = own, .rdev = st.st_rdev, .original = now};
    atomic_store(&tty_count, count + 1);
    if (count == 0) take_signals();
out:
    errno = saved_errno;
}
