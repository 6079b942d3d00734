/* SPDX-License-Identifier: MIT */
/* Copies standard input, a pipe or a terminal that belongs to the host, to standard output, being
 * told by signals (O_ASYNC) when to read: while it waits for them, or ("spin") while it computes.
 */
#include <stdatomic.h>

#include "signals.h"

static atomic_int told;

static void on_signal(int sig, siginfo_t *info, void *context) {
    (void)context;
    CHECK_EQ(sig, SIGRTMIN);
    CHECK_EQ(info->si_code, POLL_IN);
    CHECK_EQ(info->si_fd, 0);
    atomic_store(&told, 1);
}

static void wait_told(int spin, const sigset_t *unblocked) {
    while (!atomic_load(&told))
        if (!spin) sigsuspend(unblocked);
    atomic_store(&told, 0);
}

int main(int argc, char **argv) {
    int spin = argc > 1 && strcmp(argv[1], "spin") == 0;
    char text[4096];
    sigset_t set, before;
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    if (!spin) CHECK_OK(sigprocmask(SIG_BLOCK, &set, &before));
    CHECK_OK(sigaction(SIGRTMIN, &sa, NULL));
    CHECK_OK(fcntl(0, F_SETOWN, getpid()));
    CHECK_OK(fcntl(0, F_SETSIG, SIGRTMIN));
    CHECK_OK(fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_ASYNC | O_NONBLOCK));
    CHECK(fcntl(0, F_GETFL) & O_ASYNC);
    CHECK_EQ(write(1, "ready\n", 6), 6);
    for (;;) {
        ssize_t n;
        wait_told(spin, &before);
        while ((n = read(0, text, sizeof text)) > 0) {
            CHECK_EQ(write(1, text, (size_t)n), n);
            if (memcmp(text, "end\n", 4) == 0) goto end;
        }
        if (n == 0) break;
        CHECK(n < 0 && (errno == EAGAIN || errno == EINTR));
    }
end:
    CHECK_OK(fcntl(0, F_SETFL, 0)); /* the next reader of this open file is somebody else */
    return 0;
}
