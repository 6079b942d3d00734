/* SPDX-License-Identifier: MIT */
/* A server that sends back what it gets, for one connection after the other.
 *
 * usage: echo PORT.  Prints "ready" when it listens.  Ends by SIGTERM. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_term(int sig) { _exit(0); }

static int fail(const char *what) {
    perror(what);
    return 1;
}

/* read(2) that waits, also where a socket that should wait does not (gVisor's, with the network of
 * the host). */
static ssize_t take(int fd, char *buf, size_t size) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ssize_t n;

    while ((n = read(fd, buf, size)) < 0 && errno == EAGAIN)
        if (poll(&p, 1, -1) < 0) break;
    return n;
}

int main(int argc, char **argv) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    struct sigaction act = {.sa_handler = on_term};
    int on = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    char buf[4096];

    if (argc != 2) return fprintf(stderr, "usage: echo PORT\n"), 2;
    at.sin_port = htons((uint16_t)atoi(argv[1]));
    sigaction(SIGTERM, &act, NULL);
    if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return fail("socket");
    if (bind(s, (struct sockaddr *)&at, sizeof at) < 0 || listen(s, 16) < 0) return fail("listen");
    if (write(1, "ready\n", 6) != 6) return 1;
    for (;;) {
        int c = accept(s, NULL, NULL);
        ssize_t n;

        if (c < 0) return fail("accept");
        setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        while ((n = take(c, buf, sizeof buf)) > 0)
            if (write(c, buf, (size_t)n) != n) break;
        close(c);
    }
}
