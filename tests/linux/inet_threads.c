/* SPDX-License-Identifier: MIT */
/* Internet sockets and threads: a server with epoll and its clients, many connections at a time,
 * bytes that must arrive as they were sent; close(2) and shutdown(2) under those who wait. */
#include <pthread.h>
#include <sys/epoll.h>

#include "inet_socket.h"

enum { CLIENTS = 4, ROUNDS = 40, IDLE = 200 };

static int door;
static uint16_t port;

/* Echoes until `CLIENTS * ROUNDS` connections have ended. */
static void *serve(void *arg) {
    int ep = epoll_create1(0), left = CLIENTS * ROUNDS;
    struct epoll_event e = {.events = EPOLLIN, .data.fd = door}, got[16];
    static char buf[4096];
    CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, door, &e));
    set_nonblocking(door);
    while (left > 0) {
        int n = epoll_wait(ep, got, 16, 20000);
        CHECK(n > 0);
        for (int i = 0; i < n; i++) {
            int fd = got[i].data.fd;
            if (fd == door) {
                while ((fd = accept4(door, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    e = (struct epoll_event){.events = EPOLLIN | EPOLLET, .data.fd = fd};
                    CHECK_OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
                }
                CHECK_EQ(errno, EAGAIN);
                continue;
            }
            ssize_t r;
            while ((r = read(fd, buf, sizeof buf)) > 0)
                for (ssize_t done = 0; done < r;) {
                    ssize_t w = write(fd, buf + done, (size_t)(r - done));
                    if (w < 0) {
                        CHECK_EQ(errno, EAGAIN);
                        await(fd, POLLOUT);
                        continue;
                    }
                    done += w;
                }
            if (r < 0) {
                CHECK_EQ(errno, EAGAIN);
                continue;
            }
            CHECK_OK(close(fd));
            left--;
        }
    }
    CHECK_OK(close(ep));
    return arg;
}

static void *ask(void *arg) {
    uint32_t seed = (uint32_t)(uintptr_t)arg * 977 + 1;
    char out[3000], in[3000];
    for (int round = 0; round < ROUNDS; round++) {
        int s = new_socket(AF_INET, SOCK_STREAM);
        CHECK_OK(connect_to(s, "127.0.0.1", port));
        for (int i = 0; i < 5; i++) {
            seed = seed * 1103515245u + 12345u;
            size_t len = 1 + seed % sizeof out;
            for (size_t k = 0; k < len; k++)
                out[k] = (char)(seed >> (k % 24));
            CHECK_EQ(send(s, out, len, 0), len);
            CHECK_EQ(recv(s, in, len, MSG_WAITALL), len);
            CHECK(memcmp(in, out, len) == 0);
        }
        CHECK_OK(shutdown(s, SHUT_WR));
        CHECK_EQ(read(s, in, 1), 0);
        CHECK_OK(close(s));
    }
    return NULL;
}

static void server(void) {
    pthread_t t[CLIENTS + 1];
    door = new_bound(SOCK_STREAM, "127.0.0.1");
    port = port_of(door);
    CHECK_OK(pthread_create(&t[CLIENTS], NULL, serve, NULL));
    for (uintptr_t i = 0; i < CLIENTS; i++)
        CHECK_OK(pthread_create(&t[i], NULL, ask, (void *)i));
    for (int i = 0; i <= CLIENTS; i++)
        CHECK_OK(pthread_join(t[i], NULL));
    CHECK_OK(close(door));
    ok("server");
}

static void idle_connections(void) {
    static int s[IDLE][2];
    char c;
    door = new_socket(AF_INET6, SOCK_STREAM);
    CHECK_OK(bind_to(door, "::1", 0));
    CHECK_OK(listen(door, 16));
    for (int i = 0; i < IDLE; i++) {
        s[i][0] = new_socket(AF_INET6, SOCK_STREAM);
        CHECK_OK(connect_to(s[i][0], "::1", port_of(door)));
        s[i][1] = accept(door, NULL, NULL);
        CHECK(s[i][1] >= 0);
        CHECK_EQ(ntohs(name_of(s[i][1], true).in6.sin6_port), port_of(s[i][0]));
    }
    for (int i = 0; i < IDLE; i++) {
        CHECK_EQ(write(s[i][0], "x", 1), 1);
        CHECK_EQ(read(s[i][1], &c, 1), 1);
    }
    for (int i = 0; i < IDLE; i++)
        close_both(s[i]);
    CHECK_OK(close(door));
    ok("idle connections");
}

static void *read_one(void *arg) {
    char c;
    CHECK_EQ(read(*(int *)arg, &c, 1), 0);
    return NULL;
}

/* shutdown(2) ends a read that waits. */
static void interrupted(void) {
    int s[2];
    pthread_t t;
    for (int i = 0; i < 20; i++) {
        new_connection("127.0.0.1", s);
        CHECK_OK(pthread_create(&t, NULL, read_one, &s[0]));
        CHECK_OK(shutdown(s[i % 2], i % 2 ? SHUT_WR : SHUT_RD));
        CHECK_OK(pthread_join(t, NULL));
        close_both(s);
    }
    ok("interrupted");
}

static void *ping(void *arg) {
    int fd = *(int *)arg;
    char c;
    while (read(fd, &c, 1) == 1)
        CHECK_EQ(write(fd, &c, 1), 1);
    return NULL;
}

static void ping_pong(int type) {
    int a, b, s[2];
    pthread_t t;
    char c = 'p';
    if (type == SOCK_STREAM) {
        new_connection("127.0.0.1", s);
        a = s[0], b = s[1];
    } else {
        a = new_bound(type, "127.0.0.1");
        b = new_bound(type, "127.0.0.1");
        CHECK_OK(connect_to(a, "127.0.0.1", port_of(b)));
        CHECK_OK(connect_to(b, "127.0.0.1", port_of(a)));
    }
    CHECK_OK(pthread_create(&t, NULL, ping, &b));
    for (int i = 0; i < 2000; i++) {
        CHECK_EQ(write(a, &c, 1), 1);
        CHECK_EQ(read(a, &c, 1), 1);
    }
    if (type == SOCK_STREAM)
        CHECK_OK(shutdown(a, SHUT_WR));
    else
        CHECK_EQ(write(a, "", 0), 0);
    CHECK_OK(pthread_join(t, NULL));
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    ok("ping pong");
}

int main(void) {
    server();
    idle_connections();
    interrupted();
    ping_pong(SOCK_STREAM);
    ping_pong(SOCK_DGRAM);
    return 0;
}
