/* SPDX-License-Identifier: MIT */
/* Cancellation loses nothing: a read that is cancelled at any moment has either taken the byte, and
 * the thread knows it, or has left it in the pipe.  musl promises that; it decides by the PC that
 * the signal frame shows. */
#include "../linux/thread.h"

static int fds[2];
static _Atomic int round_of_reader;
static _Atomic int taken;

static void *reader(void *arg) {
    (void)arg;
    round_of_reader++;
    for (;;) {
        char c;
        if (read(fds[0], &c, 1) == 1) taken++;
    }
    return NULL;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 1000, ended = 0;
    CHECK_OK(pipe(fds));
    for (int i = 0; i < rounds; i++) {
        taken = 0;
        int before = round_of_reader, sent = 1 + i % 5;
        pthread_t t = spawn(reader, NULL);
        while (i % 2 == 0 && round_of_reader == before)
            sched_yield();
        for (int k = 0; k < sent; k++)
            CHECK_EQ(write(fds[1], "x", 1), 1);
        for (int spin = i * 7 % 2000; spin > 0; spin--)
            __asm__ volatile("");
        CHECK_OK(pthread_cancel(t));
        CHECK(join(t) == PTHREAD_CANCELED);
        CHECK_OK(fcntl(fds[0], F_SETFL, O_NONBLOCK));
        char rest[8];
        ssize_t left = read(fds[0], rest, sizeof rest);
        if (left < 0) CHECK_EQ(errno, EAGAIN);
        CHECK_EQ(taken + (left > 0 ? left : 0), sent);
        CHECK_OK(fcntl(fds[0], F_SETFL, 0));
        ended += left > 0;
    }
    printf("ok %d rounds, bytes were left in %s of them\n", rounds, ended ? "some" : "none");
    return 0;
}
