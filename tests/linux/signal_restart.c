/* SPDX-License-Identifier: MIT */
/* What an interrupted call does: EINTR, SA_RESTART, calls that never restart. signal(7). */
#include "check.h"

#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t alarms;
static int fds[2];

static void on_alarm(int sig) {
    (void)sig;
    alarms++;
}

/* The second alarm provides what a restarted call waits for. */
static void on_alarm_write(int sig) {
    (void)sig;
    if (++alarms == 2 && write(fds[1], "x", 1) != 1) _exit(9);
}

static void every(int flags, void (*fn)(int)) {
    struct sigaction a = {.sa_handler = fn, .sa_flags = flags};
    struct itimerval t = {.it_interval = {.tv_usec = 20000}, .it_value = {.tv_usec = 20000}};
    CHECK_OK(sigaction(SIGALRM, &a, NULL));
    alarms = 0;
    CHECK_OK(setitimer(ITIMER_REAL, &t, NULL));
}

static void stop(void) {
    struct itimerval t = {0};
    CHECK_OK(setitimer(ITIMER_REAL, &t, NULL));
}

int main(void) {
    char c;
    struct pollfd p = {.events = POLLIN};
    CHECK_OK(pipe(fds));
    p.fd = fds[0];

    every(0, on_alarm);
    CHECK_ERR(read(fds[0], &c, 1), EINTR);
    CHECK(alarms >= 1);
    ok("read without SA_RESTART: EINTR");

    every(SA_RESTART, on_alarm_write);
    CHECK_EQ(read(fds[0], &c, 1), 1);
    CHECK(alarms >= 2);
    ok("read with SA_RESTART goes on");

    every(SA_RESTART, on_alarm);
    CHECK_ERR(poll(&p, 1, -1), EINTR);
    CHECK_ERR(pause(), EINTR);
    struct timespec ts = {.tv_sec = 5}, rem = {0};
    CHECK_ERR(nanosleep(&ts, &rem), EINTR);
    CHECK(rem.tv_sec == 4 && rem.tv_nsec > 0);
    stop();
    ok("poll, pause and nanosleep never restart after a handler");

    /* A signal that runs no handler leaves a sleeping call alone. */
    CHECK(signal(SIGALRM, SIG_IGN) != SIG_ERR);
    struct itimerval t = {.it_value = {.tv_usec = 10000}};
    CHECK_OK(setitimer(ITIMER_REAL, &t, NULL));
    CHECK_EQ(poll(&p, 1, 60), 0);
    ts = (struct timespec){.tv_nsec = 60000000};
    CHECK_OK(setitimer(ITIMER_REAL, &t, NULL));
    CHECK_OK(nanosleep(&ts, &rem));
    ok("ignored signals do not interrupt");
    return 0;
}
