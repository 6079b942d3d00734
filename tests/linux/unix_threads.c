/* SPDX-License-Identifier: MIT */
/* AF_UNIX between threads: blocking accept, connect, reads and writes, and what ends a wait. */
#include <signal.h>

#include "thread.h"
#include "unix_socket.h"

#define BYTES (4 << 20)
#define CLIENTS 8
#define ROUNDS 200

static unsigned char pattern(size_t at) { return (unsigned char)(at * 31 + (at >> 9)); }

static void *pump(void *arg) {
    int fd = *(int *)arg;
    static unsigned char block[70000];
    for (size_t done = 0; done < BYTES;) {
        size_t n = sizeof block < BYTES - done ? sizeof block : BYTES - done;
        for (size_t i = 0; i < n; i++)
            block[i] = pattern(done + i);
        for (size_t at = 0; at < n;) {
            ssize_t w = write(fd, block + at, n - at);
            CHECK(w > 0);
            at += (size_t)w;
        }
        done += n;
    }
    CHECK_OK(shutdown(fd, SHUT_WR));
    return NULL;
}

static void transfer(void) {
    int s[2];
    static unsigned char block[50001];
    size_t got = 0;
    ssize_t n;
    new_pair(SOCK_STREAM, s);
    pthread_t t = spawn(pump, &s[0]);
    while ((n = read(s[1], block, sizeof block)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if (block[i] != pattern(got + (size_t)i)) CHECK_EQ(block[i], pattern(got + (size_t)i));
        got += (size_t)n;
    }
    CHECK_EQ(n, 0);
    CHECK_EQ(got, BYTES);
    join(t);
    close_pair(s);
    ok("4 MiB through a stream");
}

static void *client(void *arg) {
    (void)arg;
    for (int round = 0; round < ROUNDS; round++) {
        int fd = new_socket(SOCK_STREAM), in = 0, out = round;
        CHECK_OK(connect_to(fd, "@threads"));
        CHECK_EQ(write(fd, &out, sizeof out), sizeof out);
        CHECK_EQ(recv(fd, &in, sizeof in, MSG_WAITALL), sizeof in);
        CHECK_EQ(in, round + 1);
        CHECK_OK(close(fd));
    }
    return NULL;
}

/* The backlog is smaller than the crowd: connect(2) waits too. */
static void server(void) {
    int l = listener(SOCK_STREAM, "@threads", 1);
    pthread_t t[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        t[i] = spawn(client, NULL);
    for (int i = 0; i < CLIENTS * ROUNDS; i++) {
        int fd = accept(l, NULL, NULL), value;
        CHECK(fd >= 0);
        CHECK_EQ(recv(fd, &value, sizeof value, MSG_WAITALL), sizeof value);
        value++;
        CHECK_EQ(write(fd, &value, sizeof value), sizeof value);
        CHECK_OK(close(fd));
    }
    for (int i = 0; i < CLIENTS; i++)
        join(t[i]);
    CHECK_OK(close(l));
    ok("clients and a server");
}

static void *datagrams(void *arg) {
    int fd = new_socket(SOCK_DGRAM);
    (void)arg;
    CHECK_OK(connect_to(fd, "@crowd"));
    for (int i = 0; i < 2000; i++)
        CHECK_EQ(write(fd, &i, sizeof i), sizeof i);
    CHECK_OK(close(fd));
    return NULL;
}

static void crowd(void) {
    int fd = new_socket(SOCK_DGRAM), value;
    pthread_t t[4];
    CHECK_OK(bind_to(fd, "@crowd"));
    for (int i = 0; i < 4; i++)
        t[i] = spawn(datagrams, NULL);
    long sum = 0;
    for (int i = 0; i < 8000; i++) {
        CHECK_EQ(read(fd, &value, sizeof value), sizeof value);
        sum += value;
    }
    CHECK_EQ(sum, 4L * 1999 * 2000 / 2);
    for (int i = 0; i < 4; i++)
        join(t[i]);
    CHECK_OK(close(fd));
    ok("datagrams from many");
}

static _Atomic int waiting;
struct call {
    int fd;
    ssize_t result;
    int error;
};

static void *blocked_read(void *arg) {
    struct call *c = arg;
    char byte;
    waiting = gettid_();
    c->result = read(c->fd, &byte, 1);
    c->error = errno;
    return NULL;
}

static void *blocked_write(void *arg) {
    static char block[1 << 20];
    struct call *c = arg;
    waiting = gettid_();
    c->result = write(c->fd, block, sizeof block);
    c->error = errno;
    return NULL;
}

static void *blocked_accept(void *arg) {
    struct call *c = arg;
    waiting = gettid_();
    c->result = accept(c->fd, NULL, NULL);
    c->error = errno;
    return NULL;
}

static pthread_t start(void *(*run)(void *), struct call *c, int fd) {
    waiting = 0;
    *c = (struct call){.fd = fd};
    pthread_t t = spawn(run, c);
    wait_until_asleep(&waiting);
    return t;
}

static void on_signal(int sig) { (void)sig; }

static void endings(void) {
    int s[2];
    struct call c;
    new_pair(SOCK_STREAM, s);
    pthread_t t = start(blocked_read, &c, s[0]);
    CHECK_OK(shutdown(s[1], SHUT_WR));
    join(t);
    CHECK_EQ(c.result, 0);
    t = start(blocked_write, &c, s[0]);
    CHECK_OK(close(s[1]));
    join(t);
    CHECK(c.result > 0 && c.result < 1 << 20);
    CHECK_OK(close(s[0]));

    int l = listener(SOCK_STREAM, "@end", 1);
    t = start(blocked_accept, &c, l);
    CHECK_OK(shutdown(l, SHUT_RD));
    join(t);
    CHECK_EQ(c.result, -1);
    CHECK_EQ(c.error, EINVAL);
    CHECK_OK(close(l));

    struct sigaction act = {.sa_handler = on_signal};
    CHECK_OK(sigaction(SIGUSR1, &act, NULL));
    new_pair(SOCK_DGRAM, s);
    t = start(blocked_read, &c, s[0]);
    CHECK_OK(pthread_kill(t, SIGUSR1));
    join(t);
    CHECK_EQ(c.result, -1);
    CHECK_EQ(c.error, EINTR);
    act.sa_flags = SA_RESTART;
    CHECK_OK(sigaction(SIGUSR1, &act, NULL));
    t = start(blocked_read, &c, s[0]);
    CHECK_OK(pthread_kill(t, SIGUSR1));
    CHECK_EQ(write(s[1], "x", 1), 1);
    join(t);
    CHECK_EQ(c.result, 1);
    close_pair(s);
    ok("what ends a wait");
}

static void *poll_one(void *arg) {
    struct call *c = arg;
    struct pollfd p = {.fd = c->fd, .events = POLLIN | POLLRDHUP};
    waiting = gettid_();
    CHECK_EQ(poll(&p, 1, -1), 1);
    c->result = p.revents;
    return NULL;
}

static void polls(void) {
    int s[2];
    struct call c;
    new_pair(SOCK_STREAM, s);
    pthread_t t = start(poll_one, &c, s[0]);
    CHECK_EQ(write(s[1], "x", 1), 1);
    join(t);
    CHECK_EQ(c.result, POLLIN);
    CHECK_EQ(read(s[0], (char[1]){0}, 1), 1);
    t = start(poll_one, &c, s[0]);
    CHECK_OK(close(s[1]));
    join(t);
    CHECK_EQ(c.result, POLLIN | POLLRDHUP | POLLHUP);
    CHECK_OK(close(s[0]));
    int l = listener(SOCK_STREAM, "@poll", 1), fd = new_socket(SOCK_STREAM);
    t = start(poll_one, &c, l);
    CHECK_OK(connect_to(fd, "@poll"));
    join(t);
    CHECK_EQ(c.result, POLLIN);
    CHECK_OK(close(fd));
    CHECK_OK(close(l));
    ok("poll");
}

int main(void) {
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    transfer();
    server();
    crowd();
    endings();
    polls();
    return 0;
}
