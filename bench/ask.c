/* SPDX-License-Identifier: MIT */
/* A client that keeps connections busy, each with one request at a time, and knows how long each
 * answer took.
 *
 * usage: ask echo|memcached PORT CONNECTIONS MILLISECONDS.  echo: a byte, and back.  memcached: a
 * value of 100 bytes is set once, then asked for.  Prints requests a second and the median and the
 * 99th percentile of the time that one took. */
#include "timing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define TIMES_MAX (1 << 20) /* of answers that are kept; the rate counts all */
#define VALUE_BYTES 100
#define PATIENCE_MS 10000

static struct connection {
    int fd;
    size_t missing; /* bytes of the answer that have not come */
    uint64_t since;
} connections[CONNECTIONS_MAX];

static char request[64], expected[256];
static size_t request_bytes, expected_bytes;
static uint64_t times[TIMES_MAX], answers;

static void check(int ok, const char *what) {
    if (ok) return;
    fprintf(stderr, "ask: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int connect_to(uint16_t port) {
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    check(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0, "connect");
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
    return fd;
}

/* Sets the value that is asked for, so that every answer is a hit of known length. */
static void set_value(uint16_t port) {
    char value[VALUE_BYTES + 1], text[256], answer[16] = "";
    int n, fd = connect_to(port);

    memset(value, 'v', VALUE_BYTES);
    value[VALUE_BYTES] = 0;
    n = snprintf(text, sizeof text, "set key 0 0 %d\r\n%s\r\n", VALUE_BYTES, value);
    check(write(fd, text, (size_t)n) == n, "set");
    for (size_t got = 0; got < 8;) {
        ssize_t m = read(fd, answer + got, 8 - got);
        check(m > 0, "set");
        got += (size_t)m;
    }
    errno = EPROTO;
    check(memcmp(answer, "STORED\r\n", 8) == 0, "set");
    close(fd);
    request_bytes = (size_t)snprintf(request, sizeof request, "get key\r\n");
    expected_bytes = (size_t)snprintf(expected, sizeof expected, "VALUE key 0 %d\r\n%s\r\nEND\r\n",
                                      VALUE_BYTES, value);
}

static void send_request(struct connection *c) {
    c->missing = expected_bytes;
    c->since = clock_ns();
    check(write(c->fd, request, request_bytes) == (ssize_t)request_bytes, "write");
}

/* Takes what has come; every byte has to be the expected one. */
static void take(struct connection *c) {
    char buf[sizeof expected];
    ssize_t n = read(c->fd, buf, c->missing);

    if (n == 0) errno = ECONNRESET;
    check(n > 0, "read");
    errno = EPROTO;
    check(memcmp(buf, expected + expected_bytes - c->missing, (size_t)n) == 0, "the answer");
    c->missing -= (size_t)n;
    if (c->missing == 0) {
        times[answers++ % TIMES_MAX] = clock_ns() - c->since;
        send_request(c);
    }
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void report(uint64_t ns) {
    size_t n = answers < TIMES_MAX ? answers : TIMES_MAX;

    errno = ETIMEDOUT;
    check(n > 0, "no answer");
    qsort(times, n, sizeof times[0], by_size);
    printf("{\"rate\": %.1f, \"p50_ns\": %llu, \"p99_ns\": %llu}\n",
           (double)answers * 1e9 / (double)ns, (unsigned long long)times[n / 2],
           (unsigned long long)times[n - 1 - n / 100]);
}

int main(int argc, char **argv) {
    struct epoll_event events[CONNECTIONS_MAX];
    uint64_t start, ns, now;
    int epoll = epoll_create1(0), count;
    uint16_t port;

    if (argc != 5) {
        fprintf(stderr, "usage: ask echo|memcached PORT CONNECTIONS MILLISECONDS\n");
        return 2;
    }
    port = (uint16_t)atoi(argv[2]);
    count = atoi(argv[3]);
    ns = strtoull(argv[4], NULL, 10) * 1000000;
    if (count < 1 || count > CONNECTIONS_MAX || ns == 0) return 2;
    request_bytes = expected_bytes = 1;
    if (strcmp(argv[1], "memcached") == 0) set_value(port);
    for (int i = 0; i < count; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &connections[i]};

        connections[i].fd = connect_to(port);
        check(epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &e) == 0, "epoll_ctl");
    }
    start = clock_ns();
    for (int i = 0; i < count; i++)
        send_request(&connections[i]);
    do {
        int n = epoll_wait(epoll, events, CONNECTIONS_MAX, PATIENCE_MS);

        if (n == 0) errno = ETIMEDOUT;
        check(n > 0, "wait");
        for (int i = 0; i < n; i++)
            take(events[i].data.ptr);
        now = clock_ns();
    } while (now - start < ns);
    report(now - start);
    return 0;
}
