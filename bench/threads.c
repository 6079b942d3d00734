/* SPDX-License-Identifier: MIT */
/* Threads and waiting: ping-pong by futex, pipe and sockets, creation, computing on several CPUs,
 * epoll. */
#include "timing.h"

#include <arpa/inet.h>
#include <linux/futex.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORKERS_MAX 64
#define ROUNDS_PER_WORK 100000 /* of the compute loop */

static uint64_t count;
static uint32_t turn[2];
static int there[2], back[2];

static void check(int ok, const char *what) {
    if (ok) return;
    perror(what);
    exit(1);
}

static void wait_past(uint32_t *word, uint32_t value) {
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void set(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *futex_answer(void *arg) {
    for (uint32_t i = 0; i < count; i++) {
        wait_past(&turn[0], i);
        set(&turn[1], i + 1);
    }
    return NULL;
}

static void futex_ask(void) {
    for (uint32_t i = 0; i < count; i++) {
        set(&turn[0], i + 1);
        wait_past(&turn[1], i);
    }
}

static void *byte_answer(void *arg) {
    char c;
    for (uint64_t i = 0; i < count; i++)
        check(read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1, "answer");
    return NULL;
}

static void byte_ask(void) {
    char c = 0;
    for (uint64_t i = 0; i < count; i++)
        check(write(there[1], &c, 1) == 1 && read(back[0], &c, 1) == 1, "ask");
}

/* One connection for both directions: there[1] and back[0] are the asking end. */
static void connected(int asking, int answering) {
    there[1] = back[0] = asking;
    there[0] = back[1] = answering;
}

static void open_pipes(void) { check(pipe(there) == 0 && pipe(back) == 0, "pipe"); }

static void open_unix(void) {
    int s[2];
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0, "socketpair");
    connected(s[0], s[1]);
}

static void open_tcp(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listening = socket(AF_INET, SOCK_STREAM, 0), asking = socket(AF_INET, SOCK_STREAM, 0);
    int answering, on = 1;

    check(listening >= 0 && asking >= 0, "socket");
    check(bind(listening, (struct sockaddr *)&at, size) == 0 && listen(listening, 1) == 0 &&
              getsockname(listening, (struct sockaddr *)&at, &size) == 0,
          "listen");
    check(connect(asking, (struct sockaddr *)&at, size) == 0, "connect");
    answering = accept(listening, NULL, NULL);
    check(answering >= 0, "accept");
    check(setsockopt(asking, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
              setsockopt(answering, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0,
          "TCP_NODELAY");
    connected(asking, answering);
}

static void ping_pong(void *(*answer)(void *), void (*ask)(void)) {
    pthread_t t;
    check(pthread_create(&t, NULL, answer, NULL) == 0, "pthread_create");
    ask();
    pthread_join(t, NULL);
}

static void *nothing(void *arg) { return arg; }

static void create_and_join(void) {
    pthread_t t;
    for (uint64_t i = 0; i < count; i++) {
        check(pthread_create(&t, NULL, nothing, NULL) == 0, "pthread_create");
        pthread_join(t, NULL);
    }
}

/* count pieces of work, as many workers as CPUs share them. */
static void *work(void *arg) {
    static uint64_t next;
    uint64_t x = 88172645463325252ULL;
    while (__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) < count) {
        for (int i = 0; i < ROUNDS_PER_WORK; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }
    }
    __atomic_store_n((uint64_t *)arg, x, __ATOMIC_RELAXED);
    return NULL;
}

static void parallel(void) {
    pthread_t t[WORKERS_MAX];
    uint64_t sink[WORKERS_MAX];
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus > WORKERS_MAX) cpus = WORKERS_MAX;
    for (long i = 0; i < cpus; i++)
        check(pthread_create(&t[i], NULL, work, &sink[i]) == 0, "pthread_create");
    for (long i = 0; i < cpus; i++)
        pthread_join(t[i], NULL);
}

static void epoll_ready(void) {
    struct epoll_event e = {.events = EPOLLIN};
    int fd = epoll_create1(0);
    check(fd >= 0 && pipe(there) == 0 && write(there[1], "x", 1) == 1, "epoll");
    check(epoll_ctl(fd, EPOLL_CTL_ADD, there[0], &e) == 0, "epoll_ctl");
    for (uint64_t i = 0; i < count; i++)
        check(epoll_wait(fd, &e, 1, -1) == 1, "epoll_wait");
}

/* How the two are connected that exchange bytes; NULL: the work is another. */
static void (*opener_of(const char *what))(void) {
    if (strcmp(what, "pipe") == 0) return open_pipes;
    if (strcmp(what, "unix") == 0) return open_unix;
    if (strcmp(what, "tcp") == 0) return open_tcp;
    return NULL;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    void (*opener)(void) = opener_of(what);
    count = count_argument(argc - 1, argv + 1, 20000);
    if (opener != NULL) opener();
    uint64_t start = clock_ns();
    if (strcmp(what, "futex") == 0)
        ping_pong(futex_answer, futex_ask);
    else if (opener != NULL)
        ping_pong(byte_answer, byte_ask);
    else if (strcmp(what, "create") == 0)
        create_and_join();
    else if (strcmp(what, "parallel") == 0)
        parallel();
    else if (strcmp(what, "epoll") == 0)
        epoll_ready();
    else
        return fprintf(stderr, "threads futex|pipe|unix|tcp|create|parallel|epoll [COUNT]\n"), 2;
    printf("{\"count\": %llu, \"ns\": %.2f}\n", (unsigned long long)count,
           (double)(clock_ns() - start) / (double)count);
    return 0;
}
