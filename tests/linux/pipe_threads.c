/* SPDX-License-Identifier: MIT */
/* Many threads that wait for pipes, each for its own or several for one: nobody is forgotten. */
#include "thread.h"

#include <poll.h>

#define THREADS 6
#define ROUNDS 400

static int ring[THREADS][2];

/* Each passes the token on to the next. */
static void *pass(void *arg) {
    int me = (int)(intptr_t)arg, value;
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 2) {
            struct pollfd p = {.fd = ring[me][0], .events = POLLIN};
            CHECK_EQ(poll(&p, 1, -1), 1);
        }
        CHECK_EQ(read(ring[me][0], &value, sizeof value), sizeof value);
        value++;
        CHECK_EQ(write(ring[(me + 1) % THREADS][1], &value, sizeof value), sizeof value);
    }
    return NULL;
}

static void token_ring(void) {
    pthread_t t[THREADS];
    int value = 0;
    for (int i = 0; i < THREADS; i++)
        CHECK_OK(pipe(ring[i]));
    for (int i = 0; i < THREADS; i++)
        t[i] = spawn(pass, (void *)(intptr_t)i);
    CHECK_EQ(write(ring[0][1], &value, sizeof value), sizeof value);
    for (int i = 0; i < THREADS; i++)
        join(t[i]);
    CHECK_EQ(read(ring[0][0], &value, sizeof value), sizeof value);
    CHECK_EQ(value, THREADS * ROUNDS);
    for (int i = 0; i < THREADS; i++) {
        CHECK_OK(close(ring[i][0]));
        CHECK_OK(close(ring[i][1]));
    }
    ok("token ring");
}

static int shared[2];
static _Atomic long read_sum;

static void *read_all(void *arg) {
    int value;
    ssize_t n;
    while ((n = read(shared[0], &value, sizeof value)) != 0) {
        CHECK_EQ(n, sizeof value);
        read_sum += value;
    }
    return arg;
}

static void *write_some(void *arg) {
    for (int i = 1; i <= 20000; i++)
        CHECK_EQ(write(shared[1], &i, sizeof i), sizeof i);
    return arg;
}

/* Full and empty in turn, with several at both ends; the end of file reaches every reader. */
static void crowd(void) {
    pthread_t readers[3], writers[3];
    CHECK_OK(pipe(shared));
    for (int i = 0; i < 3; i++) {
        readers[i] = spawn(read_all, NULL);
        writers[i] = spawn(write_some, NULL);
    }
    for (int i = 0; i < 3; i++)
        join(writers[i]);
    CHECK_OK(close(shared[1]));
    for (int i = 0; i < 3; i++)
        join(readers[i]);
    CHECK_EQ(read_sum, 3 * 20000L * 20001 / 2);
    CHECK_OK(close(shared[0]));
    ok("crowd");
}

static void *open_fifo(void *arg) {
    int fd = open("fifo", (int)(intptr_t)arg);
    CHECK(fd >= 0);
    return (void *)(intptr_t)fd;
}

static void fifos(void) {
    scratch();
    CHECK_OK(mkfifo("fifo", 0600));
    for (int i = 0; i < 50; i++) {
        int mode = i % 2 ? O_RDONLY : O_WRONLY;
        pthread_t t = spawn(open_fifo, (void *)(intptr_t)mode);
        int here = (int)(intptr_t)open_fifo((void *)(intptr_t)(i % 2 ? O_WRONLY : O_RDONLY));
        int there = (int)(intptr_t)join(t);
        char c = 'a';
        CHECK_EQ(write(i % 2 ? here : there, &c, 1), 1);
        CHECK_EQ(read(i % 2 ? there : here, &c, 1), 1);
        CHECK_OK(close(here));
        CHECK_OK(close(there));
    }
    ok("fifos");
}

int main(void) {
    token_ring();
    crowd();
    fifos();
    return 0;
}
