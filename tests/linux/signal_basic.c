/* SPDX-License-Identifier: MIT */
/* sigaction(2), sigprocmask(2), sigpending(2), sigsuspend(2), sigtimedwait(2), kill(2): masks,
 * coalescing of standard signals, queueing of real-time ones, defaults, SA_* flags. */
#include "signals.h"

#include <time.h>

static volatile sig_atomic_t count, last_sig, nested, last_code, last_value;
static sigset_t mask_inside;

static void on_count(int sig) {
    count++;
    last_sig = sig;
    sigprocmask(SIG_BLOCK, NULL, &mask_inside);
}

static void on_info(int sig, siginfo_t *info, void *context) {
    (void)context;
    count++;
    last_sig = sig;
    last_code = info->si_code;
    last_value = info->si_value.sival_int;
}

static void on_nested(int sig) {
    if (nested++ == 0) raise(sig);
    count++;
}

static void handle(int sig, void (*fn)(int), int flags) {
    struct sigaction a = {.sa_handler = fn, .sa_flags = flags};
    CHECK_OK(sigaction(sig, &a, NULL));
    count = 0;
}

static void handle_info(int sig) {
    struct sigaction a = {.sa_sigaction = on_info, .sa_flags = SA_SIGINFO};
    CHECK_OK(sigaction(sig, &a, NULL));
    count = 0;
}

static void handlers(void) {
    handle(SIGUSR1, on_count, 0);
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(count, 1);
    CHECK_EQ(last_sig, SIGUSR1);
    CHECK_EQ(sigismember(&mask_inside, SIGUSR1), 1);
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_OK(kill(0, 0));
    CHECK_EQ(count, 2);
    handle_info(SIGUSR1);
    CHECK_OK(kill(getpid(), SIGUSR1));
    CHECK_EQ(last_code, SI_USER);
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(last_code, SI_TKILL);
    ok("handlers");
}

static void blocked(void) {
    handle(SIGUSR1, on_count, 0);
    mask_signal(SIG_BLOCK, SIGUSR1);
    for (int i = 0; i < 3; i++)
        CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(count, 0);
    CHECK_EQ(is_pending(SIGUSR1), 1);
    mask_signal(SIG_UNBLOCK, SIGUSR1);
    CHECK_EQ(count, 1);
    CHECK_EQ(is_pending(SIGUSR1), 0);

    /* Setting it to ignored drops what waits. */
    mask_signal(SIG_BLOCK, SIGUSR1);
    CHECK_OK(raise(SIGUSR1));
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    CHECK_EQ(is_pending(SIGUSR1), 0);
    mask_signal(SIG_UNBLOCK, SIGUSR1);
    CHECK_OK(raise(SIGUSR1));
    ok("blocked signals coalesce");
}

static void realtime(void) {
    handle_info(SIGRTMIN);
    mask_signal(SIG_BLOCK, SIGRTMIN);
    for (int i = 1; i <= 3; i++)
        CHECK_OK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}));
    siginfo_t info;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    CHECK_EQ(info.si_value.sival_int, 1);
    CHECK_EQ(info.si_code, SI_QUEUE);
    mask_signal(SIG_UNBLOCK, SIGRTMIN);
    CHECK_EQ(count, 2);
    CHECK_EQ(is_pending(SIGRTMIN), 0);
    ok("real-time signals queue");
}

static void flags(void) {
    handle(SIGUSR2, on_nested, SA_NODEFER);
    CHECK_OK(raise(SIGUSR2));
    CHECK_EQ(count, 2);
    handle(SIGCHLD, on_count, (int)SA_RESETHAND);
    CHECK_OK(raise(SIGCHLD));
    struct sigaction now;
    CHECK_OK(sigaction(SIGCHLD, NULL, &now));
    CHECK(now.sa_handler == SIG_DFL);
    CHECK_OK(raise(SIGCHLD)); /* ignored by default */
    CHECK_OK(raise(SIGWINCH));
    CHECK_OK(raise(SIGURG));
    CHECK_OK(raise(SIGCONT));
    CHECK_EQ(count, 1);

    struct sigaction masked = {.sa_handler = on_count};
    sigaddset(&masked.sa_mask, SIGHUP);
    CHECK_OK(sigaction(SIGUSR1, &masked, NULL));
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(sigismember(&mask_inside, SIGHUP), 1);
    sigprocmask(SIG_BLOCK, NULL, &mask_inside);
    CHECK_EQ(sigismember(&mask_inside, SIGHUP), 0);
    ok("SA_NODEFER, SA_RESETHAND, sa_mask");
}

static void waiting(void) {
    sigset_t none, set, after;
    siginfo_t info;
    sigemptyset(&none);
    handle(SIGUSR1, on_count, 0);
    mask_signal(SIG_BLOCK, SIGUSR1);
    CHECK_OK(raise(SIGUSR1));
    CHECK_ERR(sigsuspend(&none), EINTR);
    CHECK_EQ(count, 1);
    sigprocmask(SIG_BLOCK, NULL, &after);
    CHECK_EQ(sigismember(&after, SIGUSR1), 1);

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    struct timespec soon = {.tv_nsec = 1000000}, bad = {.tv_nsec = -1};
    CHECK_ERR(sigtimedwait(&set, &info, &soon), EAGAIN);
    CHECK_ERR(sigtimedwait(&set, &info, &bad), EINVAL);
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(sigtimedwait(&set, &info, &soon), SIGUSR1);
    CHECK_EQ(info.si_signo, SIGUSR1);
    CHECK_EQ(info.si_pid, getpid());
    mask_signal(SIG_UNBLOCK, SIGUSR1);
    CHECK_EQ(count, 1);
    ok("sigsuspend, sigtimedwait");
}

static void errors(void) {
    struct sigaction a = {.sa_handler = on_count};
    CHECK_ERR(sigaction(SIGKILL, &a, NULL), EINVAL);
    CHECK_ERR(sigaction(SIGSTOP, &a, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 16), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, bad_pointer(), NULL, 8), EFAULT);
    CHECK_ERR(syscall(SYS_rt_sigprocmask, 77, &mask_inside, NULL, 8), EINVAL);
    CHECK_ERR(kill(getpid(), 65), EINVAL);
    CHECK_ERR(kill(0x3fffffff, 0), ESRCH);
    CHECK_ERR(syscall(SYS_tgkill, getpid(), -1, SIGUSR1), EINVAL);
    CHECK_ERR(syscall(SYS_tgkill, getpid(), 0x3fffffff, SIGUSR1), ESRCH);
    sigset_t all, now;
    sigfillset(&all);
    CHECK_OK(sigprocmask(SIG_SETMASK, &all, NULL));
    CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &now));
    CHECK_EQ(sigismember(&now, SIGKILL), 0);
    CHECK_EQ(sigismember(&now, SIGTERM), 1);
    ok("errors");
}

int main(void) {
    handlers();
    blocked();
    realtime();
    flags();
    waiting();
    errors();
    return 0;
}
