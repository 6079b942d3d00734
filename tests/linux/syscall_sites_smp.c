/* SPDX-License-Identifier: MIT */
/* One `syscall` instruction, executed by several threads while it is mapped anew, unmapped around
 * and hit by signals: every call is made once, every signal reports an address of the program. */
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <ucontext.h>

#include "syscall_sites.h"
#include "thread.h"

#define THREADS 3

static atomic_int stop;
static uint8_t *code;
static atomic_long signals, strange;

extern char __executable_start[], etext[];

static void *caller(void *arg) {
    pid_t self = gettid();
    long calls = 0;
    for (; !stop; calls++)
        CHECK_EQ(site_run(code, SYS_gettid, 0, 0, 0), self);
    *(long *)arg = calls;
    return NULL;
}

/* The same file, over what is mapped already: nobody ever sees a gap. */
static void test_mapped_anew(int rounds) {
    pthread_t threads[THREADS];
    long calls[THREADS] = {0};
    int fd = memfd_create("text", 0);

    CHECK(fd >= 0);
    CHECK_EQ(write(fd, site_code, sizeof(site_code)), (long)sizeof(site_code));
    code = site_room(1);
    CHECK(mmap(code, CHECK_PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) == code);
    stop = 0;
    for (int i = 0; i < THREADS; i++)
        threads[i] = spawn(caller, &calls[i]);
    uint8_t *reach = code + ((SITE_OFFSET + 5 + SITE_REACH) & ~(CHECK_PAGE - 1));
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 100; i++)
            site_run(code, SYS_getpid, 0, 0, 0);
        if (round % 2 == 0) {
            CHECK(mmap(code, CHECK_PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
                  code);
        } else {
            CHECK(mmap(reach, CHECK_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                       0) == reach);
            CHECK_OK(munmap(reach, CHECK_PAGE));
        }
    }
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        join(threads[i]);
    CHECK_OK(munmap(code, CHECK_PAGE));
    close(fd);
}

/* Where the program may be: its own text, or the page that it made. */
static void on_signal(int sig, siginfo_t *info, void *context) {
    const ucontext_t *uc = context;
    uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP], at = (uintptr_t)code;
    (void)sig, (void)info;
    signals++;
    if (pc - at >= CHECK_PAGE &&
        pc - (uintptr_t)__executable_start >= (uintptr_t)(etext - __executable_start))
        strange++;
}

static void *hammer(void *arg) {
    pthread_t target = *(pthread_t *)arg;
    while (!stop) {
        CHECK_OK(pthread_kill(target, SIGUSR1));
        sched_yield();
    }
    return NULL;
}

static void test_signals(void) {
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    pthread_t self = pthread_self();
    uint64_t sum = 0;

    CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
    code = site_make(64);
    stop = 0;
    signals = 0;
    pthread_t t = spawn(hammer, &self);
    for (long i = 0; signals < 300 || i < 20000; i++) {
        double x = (double)i; /* vector registers in use */
        long r = site_run(code, i % 2 ? SYS_getppid : SYS_close, -1, 0, 0);
        CHECK_EQ(r, i % 2 ? getppid() : -EBADF);
        sum += (uint64_t)x - (uint64_t)i;
    }
    stop = 1;
    join(t);
    CHECK_EQ(strange, 0);
    CHECK_EQ(sum, 0);
    site_free(code);
}

/* The same with the calls of the libc, however they are made. */
static void test_libc_signals(void) {
    pthread_t self = pthread_self();
    pid_t parent = getppid();

    stop = 0;
    signals = 0;
    pthread_t t = spawn(hammer, &self);
    for (long i = 0; signals < 300 || i < 20000; i++) {
        CHECK_EQ(getppid(), parent);
        CHECK_ERR(lseek(-1, 0, SEEK_SET), EBADF);
    }
    stop = 1;
    join(t);
    CHECK_EQ(strange, 0);
}

static void *cancelled_reader(void *arg) {
    int *fds = arg;
    char c = 'x';
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(write(fds[1], &c, 1), 1);
        CHECK_EQ(read(fds[0], &c, 1), 1);
    }
    CHECK_EQ(write(fds[1], &c, 1), 1);
    for (;;)
        (void)!read(fds[0], &c, 1); /* the byte, and then nothing until it is cancelled */
    return NULL;
}

/* The libc cancels a thread by where its program counter is. */
static void test_cancel(void) {
    for (int i = 0; i < SITE_OFTEN / 3; i++) {
        int fds[2];
        CHECK_OK(pipe(fds));
        pthread_t t = spawn(cancelled_reader, fds);
        if (i % 2) sched_yield();
        CHECK_OK(pthread_cancel(t));
        CHECK(join(t) == PTHREAD_CANCELED);
        close(fds[0]);
        close(fds[1]);
    }
}

struct blocked {
    int fd;
    pid_t tid;
    atomic_int ready;
    long result;
};

static void *reader(void *arg) {
    struct blocked *b = arg;
    char c = 0;
    for (int i = 0; i < SITE_OFTEN; i++)
        site_run(code, SYS_getpid, 0, 0, 0);
    b->tid = gettid();
    b->ready = 1;
    b->result = site_run(code, SYS_read, b->fd, (long)&c, 1);
    return NULL;
}

/* Until the thread sleeps, by what /proc says of it. */
static void wait_asleep(pid_t tid) {
    char name[64], line[512] = "";
    snprintf(name, sizeof(name), "/proc/self/task/%d/stat", tid);
    for (;;) {
        int fd = open(name, O_RDONLY);
        CHECK(fd >= 0);
        ssize_t n = read(fd, line, sizeof(line) - 1);
        close(fd);
        CHECK(n > 0);
        line[n] = '\0';
        const char *end = strrchr(line, ')');
        if (end != NULL && end[2] == 'S') return;
        sched_yield();
    }
}

/* A call that sleeps is interrupted: made again, or not. */
static void test_restart(bool again) {
    struct sigaction sa = {.sa_sigaction = on_signal,
                           .sa_flags = SA_SIGINFO | (again ? SA_RESTART : 0)};
    struct blocked b = {0};
    int fds[2];

    CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
    CHECK_OK(pipe(fds));
    code = site_make(0);
    b.fd = fds[0];
    signals = 0;
    pthread_t t = spawn(reader, &b);
    while (!b.ready)
        sched_yield();
    wait_asleep(b.tid);
    CHECK_OK(pthread_kill(t, SIGUSR1));
    while (signals == 0)
        sched_yield();
    if (again) CHECK_EQ(write(fds[1], "x", 1), 1);
    join(t);
    CHECK_EQ(b.result, again ? 1 : -EINTR);
    CHECK_EQ(strange, 0);
    site_free(code);
    close(fds[0]);
    close(fds[1]);
}

int main(int argc, char **argv) {
    test_mapped_anew(argc > 1 ? atoi(argv[1]) : 200);
    test_signals();
    test_libc_signals();
    test_cancel();
    test_restart(true);
    test_restart(false);
    return 0;
}
