/* SPDX-License-Identifier: MIT */
/* SIGURG: whom F_SETOWN or SIOCSPGRP names hears of urgent data. socket(7), tcp(7). */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "inet_socket.h"

#ifndef SIOCSPGRP
#define SIOCSPGRP 0x8902
#define SIOCGPGRP 0x8904
#endif

/* Waits for SIGURG; its si_code. */
static int await_signal(void) {
    const struct timespec patience = {20, 0};
    siginfo_t info;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGURG);
    CHECK_EQ(sigtimedwait(&set, &info, &patience), SIGURG);
    return info.si_code;
}

static bool is_pending(void) {
    sigset_t set;
    CHECK_OK(sigpending(&set));
    return sigismember(&set, SIGURG) == 1;
}

static void named(const char *host) {
    int s[2], owner = getpid();
    char buf[8];
    new_connection(host, s);
    CHECK_EQ(send(s[0], "a", 1, MSG_OOB), 1);
    await(s[1], POLLPRI);
    CHECK(!is_pending()); /* nobody was named */
    CHECK_EQ(recv(s[1], buf, 1, MSG_OOB), 1);

    CHECK_OK(fcntl(s[1], F_SETOWN, getpid()));
    CHECK_EQ(send(s[0], "b", 1, MSG_OOB), 1);
    CHECK_EQ(await_signal(), SI_KERNEL);
    CHECK_EQ(recv(s[1], buf, 1, MSG_OOB), 1);
    CHECK_EQ(buf[0], 'b');
    CHECK_EQ(send(s[0], "c", 1, 0), 1); /* not urgent */
    await(s[1], POLLIN);
    CHECK(!is_pending());

    CHECK_OK(fcntl(s[1], F_SETOWN, 0));
    CHECK_EQ(send(s[0], "d", 1, MSG_OOB), 1);
    await(s[1], POLLPRI);
    CHECK(!is_pending());
    CHECK_OK(ioctl(s[1], SIOCSPGRP, &owner));
    owner = 0;
    CHECK_OK(ioctl(s[1], SIOCGPGRP, &owner));
    CHECK_EQ(owner, getpid());
    CHECK_EQ(fcntl(s[1], F_GETOWN), getpid());
    CHECK_EQ(send(s[0], "e", 1, MSG_OOB), 1);
    await_signal();
    CHECK_ERR(ioctl(s[1], SIOCSPGRP, (void *)1), EFAULT);
    close_both(s);
    ok(host);
}

int main(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGURG);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    named("127.0.0.1");
    named("::1");
    return 0;
}
