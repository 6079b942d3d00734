/* SPDX-License-Identifier: MIT */
/* loader/tty.c: a terminal is as before, whatever ends or stops the process. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include <loader/diag.h>
#include <loader/tty.h>

static int master;
static char name[64];

static int open_pty(void **state) {
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) return -1;
    return ptsname_r(master, name, sizeof(name));
}

static int close_pty(void **state) { return close(master); }

static int is_raw(int fd) {
    struct termios t;
    return tcgetattr(fd, &t) == 0 && !(t.c_lflag & ICANON);
}

static void make_raw(int fd) {
    struct termios t;
    tty_note_change(fd);
    if (tcgetattr(fd, &t) < 0) _exit(99);
    t.c_lflag &= ~(tcflag_t)ICANON;
    if (tcsetattr(fd, TCSANOW, &t) < 0) _exit(98);
}

enum ending { BY_EXIT, BY_DIE, BY_SIGNAL, BY_CRASH };

/* Child of a session leader: changes the modes twice, through two names, and ends. */
static void end_raw(int fd, enum ending how) {
    int other = open("/dev/tty", O_RDWR);
    make_raw(fd);
    make_raw(other);
    make_raw(fd);
    close(other);
    switch (how) {
    case BY_EXIT:
        exit(7);
    case BY_DIE:
        close(STDERR_FILENO);
        die(125, "test");
    case BY_SIGNAL:
        raise(SIGTERM);
        break;
    case BY_CRASH:
        raise(SIGSEGV);
        break;
    }
    _exit(97);
}

/* In a session of its own with the terminal; returns what the session leader's check returns. */
static int in_session(int (*check)(int fd, int argument), int argument) {
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setsid();
        int fd = open(name, O_RDWR);
        if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) < 0) _exit(96);
        signal(SIGTTOU, SIG_IGN);
        alarm(20);
        _exit(check(fd, argument));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Starts body in a foreground process group. */
static pid_t foreground(int fd, void (*body)(int fd, enum ending how), enum ending how) {
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        tcsetpgrp(fd, getpgrp());
        signal(SIGTTOU, SIG_DFL);
        signal(SIGSEGV, SIG_DFL); /* cmocka has a handler, and so have sanitizers */
        body(fd, how);
        _exit(0);
    }
    return pid;
}

static int check_end(int fd, int how) {
    int status;
    pid_t pid = foreground(fd, end_raw, (enum ending)how);
    if (waitpid(pid, &status, 0) != pid) return 1;
    if (is_raw(fd)) return 2;
    switch (how) {
    case BY_EXIT:
        return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : 3;
    case BY_DIE:
        return WIFEXITED(status) && WEXITSTATUS(status) == 125 ? 0 : 4;
    case BY_SIGNAL:
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? 0 : 5;
    default:
        return WIFSIGNALED(status) || WIFEXITED(status) ? 0 : 6;
    }
}

static void endings(void **state) {
    assert_int_equal(in_session(check_end, BY_EXIT), 0);
    assert_int_equal(in_session(check_end, BY_DIE), 0);
    assert_int_equal(in_session(check_end, BY_SIGNAL), 0);
    assert_int_equal(in_session(check_end, BY_CRASH), 0);
}

static volatile sig_atomic_t continued;
static void count_continue(int sig) { continued++; }

static void stop_raw(int fd, enum ending how) {
    struct sigaction a = {.sa_handler = count_continue};
    sigaction(SIGCONT, &a, NULL); /* as the loader's own events do */
    make_raw(fd);
    raise(SIGTSTP);
    _exit(is_raw(fd) && continued == 1 ? 8 : 9);
}

static int check_stop(int fd, int argument) {
    int status;
    pid_t pid = foreground(fd, stop_raw, BY_EXIT);
    if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status)) return 1;
    if (is_raw(fd)) return 2; /* the shell gets a sane terminal */
    kill(pid, SIGCONT);
    if (waitpid(pid, &status, 0) != pid) return 3;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 8) return 4;
    return is_raw(fd) ? 0 : 5; /* left by _exit without tty_restore */
}

static void stop_and_continue(void **state) { assert_int_equal(in_session(check_stop, 0), 0); }

/* Another job in the foreground keeps its modes. */
static int check_background(int fd, int argument) {
    struct termios t;
    int status;
    pid_t pid = foreground(fd, stop_raw, BY_EXIT);
    if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status)) return 1;
    tcsetpgrp(fd, getpgrp());
    tcgetattr(fd, &t);
    t.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(fd, TCSANOW, &t);
    kill(pid, SIGCONT); /* bg */
    if (waitpid(pid, &status, 0) != pid) return 3;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 9) return 4;
    tcgetattr(fd, &t);
    return is_raw(fd) || (t.c_lflag & ECHO) ? 5 : 0;
}

static void background(void **state) { assert_int_equal(in_session(check_background, 0), 0); }

static void not_a_terminal(void **state) {
    int fd = open("/dev/null", O_RDWR);
    tty_note_change(fd);
    tty_note_change(-1);
    tty_restore();
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(endings, open_pty, close_pty),
        cmocka_unit_test_setup_teardown(stop_and_continue, open_pty, close_pty),
        cmocka_unit_test_setup_teardown(background, open_pty, close_pty),
        cmocka_unit_test(not_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
