/* SPDX-License-Identifier: MIT */
/* Queues of signals: order, limits, who may send what to whom, flags that a kernel knows. */
#include "thread.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <ucontext.h>

#ifndef SA_UNSUPPORTED
#define SA_UNSUPPORTED 0x400
#endif
#ifndef SA_EXPOSE_TAGBITS
#define SA_EXPOSE_TAGBITS 0x800
#endif

static void mask(int how, int sig) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    CHECK_OK(pthread_sigmask(how, &set, NULL));
}

static int order[32], values[32];
static volatile sig_atomic_t taken;

static void note(int sig, siginfo_t *info, void *context) {
    order[taken] = sig;
    values[taken] = info->si_value.sival_int;
    taken++;
}

static void handle(int sig, int flags) {
    struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    sigfillset(&a.sa_mask); /* one after the other */
    CHECK_OK(sigaction(sig, &a, NULL));
}

/* What arrived last runs first where handlers nest: with all blocked it is the lowest. */
static void in_order(void) {
    int sigs[] = {SIGRTMIN + 2, SIGRTMIN, SIGUSR1, SIGRTMIN + 1, SIGRTMIN};
    sigset_t all, old;
    sigfillset(&all);
    CHECK_OK(sigprocmask(SIG_SETMASK, &all, &old));
    for (int i = 0; i < 5; i++) {
        handle(sigs[i], 0);
        CHECK_OK(sigqueue(getpid(), sigs[i], (union sigval){.sival_int = i}));
    }
    sigset_t want;
    siginfo_t info;
    sigemptyset(&want);
    for (int i = 0; i < 5; i++)
        sigaddset(&want, sigs[i]);
    int expected[] = {SIGUSR1, SIGRTMIN, SIGRTMIN, SIGRTMIN + 1, SIGRTMIN + 2};
    int number[] = {2, 1, 4, 3, 0};
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(sigwaitinfo(&want, &info), expected[i]);
        CHECK_EQ(info.si_value.sival_int, number[i]);
        CHECK_EQ(info.si_code, SI_QUEUE);
        CHECK_EQ(info.si_pid, getpid());
        CHECK_EQ(info.si_uid, getuid());
    }
    CHECK_OK(sigprocmask(SIG_SETMASK, &old, NULL));
    ok("lowest first, then first come first served");
}

static long queue_info(int pid, int tid, int sig, int code) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = sig;
    info.si_code = code;
    if (tid != 0) return syscall(SYS_rt_tgsigqueueinfo, pid, tid, sig, &info);
    return syscall(SYS_rt_sigqueueinfo, pid, sig, &info);
}

static _Atomic int tid;
static sem_t done;

static void *stays(void *arg) {
    tid = gettid_();
    CHECK_OK(sem_wait(&done));
    return NULL;
}

static void permissions(void) {
    int pid = getpid();
    CHECK_OK(sem_init(&done, 0, 0));
    mask(SIG_BLOCK, SIGRTMIN);
    pthread_t t = spawn(stays, NULL);
    while (tid == 0)
        sleep_ms(1);
    CHECK_OK(queue_info(pid, 0, SIGRTMIN, SI_USER)); /* to itself */
    CHECK_OK(queue_info(pid, pid, SIGRTMIN, SI_KERNEL));
    CHECK_ERR(queue_info(pid, tid, SIGRTMIN, SI_USER), EPERM);
    CHECK_ERR(queue_info(pid, tid, SIGRTMIN, SI_TKILL), EPERM);
    CHECK_OK(queue_info(pid, tid, 0, SI_QUEUE));
    CHECK_ERR(queue_info(pid, 0x3ffffff, 0, SI_QUEUE), ESRCH);
    CHECK_ERR(queue_info(0x3ffffff, tid, 0, SI_QUEUE), ESRCH);
    CHECK_ERR(queue_info(0x3ffffff, 0, 0, SI_QUEUE), ESRCH);
    CHECK_ERR(queue_info(0x3ffffff, 0, 0, SI_USER), EPERM);
    CHECK_ERR(queue_info(pid, 0, 65, SI_QUEUE), EINVAL);
    CHECK_ERR(queue_info(pid, tid, 65, SI_QUEUE), EINVAL);
    CHECK_ERR(queue_info(pid, -1, SIGUSR1, SI_QUEUE), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigqueueinfo, pid, SIGRTMIN, bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_rt_tgsigqueueinfo, pid, tid, SIGRTMIN, bad_pointer()), EFAULT);

    CHECK_OK(kill(tid, 0)); /* any thread's number stands for its process */
    CHECK_OK(kill(pid, 0));
    CHECK_ERR(kill(pid, 65), EINVAL);
    CHECK_ERR(kill(pid, -1), EINVAL);
    CHECK_ERR(kill(0x3ffffff, 65), ESRCH); /* whom comes before what */
    CHECK_ERR(syscall(SYS_tkill, 0x3ffffff, 65), ESRCH);
    CHECK_ERR(syscall(SYS_tkill, tid, 65), EINVAL);
    CHECK_ERR(syscall(SYS_tkill, 0, SIGUSR1), EINVAL);
    CHECK_ERR(syscall(SYS_tgkill, pid, 0x3ffffff, 65), ESRCH);
    CHECK_ERR(syscall(SYS_tgkill, 0, tid, 0), EINVAL);
    CHECK_ERR(syscall(SYS_tgkill, tid, tid, 0), ESRCH);
    CHECK_OK(sem_post(&done));
    join(t);
    ok("who may send what");
}

static void limit(void) {
    struct rlimit l, low;
    sigset_t set;
    siginfo_t info;
    CHECK_OK(getrlimit(RLIMIT_SIGPENDING, &l));
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    while (sigtimedwait(&set, &info, &(struct timespec){0}) > 0)
        ;
    low = l;
    low.rlim_cur = 0;
    CHECK_OK(setrlimit(RLIMIT_SIGPENDING, &low));
    CHECK_ERR(sigqueue(getpid(), SIGRTMIN, (union sigval){0}), EAGAIN);
    mask(SIG_BLOCK, SIGUSR1);
    CHECK_OK(kill(getpid(), SIGUSR1));  /* standard signals always fit */
    CHECK_OK(kill(getpid(), SIGRTMIN)); /* without details */
    sigaddset(&set, SIGUSR1);
    CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
    CHECK_EQ(info.si_pid, getpid());
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    CHECK_EQ(info.si_code, SI_USER);
    CHECK_EQ(info.si_pid, 0);
    CHECK_OK(setrlimit(RLIMIT_SIGPENDING, &l));
    for (int i = 0; i < 1000; i++)
        CHECK_OK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}));
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
        CHECK_EQ(info.si_value.sival_int, i);
    }
    ok("RLIMIT_SIGPENDING");
}

struct raw_action {
    uint64_t handler, flags, restorer, mask;
};

static void probing(void) {
    struct raw_action a = {1, SA_UNSUPPORTED | SA_EXPOSE_TAGBITS | 0x100 | SA_RESTART, 0, ~0ull}, b;
    CHECK_OK(syscall(SYS_rt_sigaction, SIGUSR2, &a, NULL, 8));
    CHECK_OK(syscall(SYS_rt_sigaction, SIGUSR2, NULL, &b, 8));
    CHECK_EQ(b.flags, SA_EXPOSE_TAGBITS | SA_RESTART);
    CHECK_EQ(b.mask, ~(1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1)));
    CHECK_ERR(syscall(SYS_rt_sigaction, 0, NULL, &b, 8), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigaction, SIGKILL, &a, NULL, 8), EINVAL);
    CHECK_OK(syscall(SYS_rt_sigaction, SIGKILL, NULL, &b, 8));
    CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR2, NULL, bad_pointer(), 8), EFAULT);
    ok("flags that a kernel does not know");
}

static char alt[65536];

static void on_auto(int sig, siginfo_t *info, void *context) {
    stack_t now, other = {.ss_sp = alt + 32768, .ss_size = 32768};
    ucontext_t *uc = context;
    CHECK((char *)&now >= alt && (char *)&now < alt + sizeof alt);
    CHECK_OK(syscall(SYS_sigaltstack, NULL, &now));
    CHECK_EQ(now.ss_flags, SS_DISABLE); /* it disarmed itself */
    CHECK_OK(syscall(SYS_sigaltstack, &other, NULL));
    CHECK((char *)uc->uc_stack.ss_sp == alt);
    CHECK_EQ((unsigned)uc->uc_stack.ss_flags, 1u << 31);
    taken++;
}

static void autodisarm(void) {
    stack_t st = {.ss_sp = alt, .ss_size = 32768, .ss_flags = (int)(1u << 31)}, now;
    struct sigaction a = {.sa_sigaction = on_auto, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    CHECK_OK(syscall(SYS_sigaltstack, &st, NULL));
    CHECK_OK(sigaction(SIGUSR2, &a, NULL));
    taken = 0;
    CHECK_OK(raise(SIGUSR2));
    CHECK_EQ(taken, 1);
    CHECK_OK(syscall(SYS_sigaltstack, NULL, &now));
    CHECK(now.ss_sp == alt && (unsigned)now.ss_flags == 1u << 31); /* armed again */
    st = (stack_t){.ss_sp = alt, .ss_size = 2047};
    CHECK_ERR(syscall(SYS_sigaltstack, &st, NULL), ENOMEM);
    st.ss_size = 2048;
    CHECK_OK(syscall(SYS_sigaltstack, &st, NULL));
    st = (stack_t){.ss_flags = SS_DISABLE};
    CHECK_OK(syscall(SYS_sigaltstack, &st, NULL));
    ok("SS_AUTODISARM");
}

int main(void) {
    in_order();
    permissions();
    limit();
    probing();
    autodisarm();
    return 0;
}
