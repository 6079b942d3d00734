/* SPDX-License-Identifier: MIT */
/* An instance that is there and does nothing, or computes, until it is told to end (SIGTERM).
 *
 * usage: hold [busy].  Prints "ready" when it is up.  Installs a handler, since the first process
 * of a container ignores a signal that it has none for. */
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t ended;

static void on_term(int sig) { ended = sig; }

int main(int argc, char **argv) {
    struct sigaction act = {.sa_handler = on_term};
    sigset_t blocked, open;
    volatile uint64_t sink = 0;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &open);
    sigdelset(&open, SIGTERM);
    sigaction(SIGTERM, &act, NULL);
    if (write(1, "ready\n", 6) != 6) return 1;
    if (argc > 1 && strcmp(argv[1], "busy") == 0) {
        sigprocmask(SIG_UNBLOCK, &blocked, NULL);
        while (!ended)
            sink++;
    }
    while (!ended)
        sigsuspend(&open);
    return 0;
}
