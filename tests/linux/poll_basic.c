/* SPDX-License-Identifier: MIT */
/* poll(2), ppoll(2), select(2), pselect(2): readiness, timeouts, masks, errors. */
#include "signals.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/time.h>

static void polling(int rd, int wr) {
    struct pollfd p[4] = {{.fd = rd, .events = POLLIN},
                          {.fd = wr, .events = POLLOUT},
                          {.fd = -1, .events = POLLIN, .revents = 7},
                          {.fd = 900, .events = POLLIN}};
    CHECK_EQ(poll(p, 1, 0), 0);
    int64_t start = now_ms();
    CHECK_EQ(poll(p, 1, 40), 0);
    CHECK(now_ms() - start >= 39 && now_ms() - start < 2000);
    CHECK_EQ(poll(NULL, 0, 1), 0);
    CHECK_EQ(poll(p, 4, -1), 2);
    CHECK(p[0].revents == 0 && p[1].revents == POLLOUT);
    CHECK(p[2].revents == 0 && p[3].revents == POLLNVAL);
    CHECK_EQ(write(wr, "x", 1), 1);
    p[0].events = POLLIN | POLLRDNORM;
    CHECK_EQ(poll(p, 1, -1), 1);
    CHECK_EQ(p[0].revents, POLLIN | POLLRDNORM);

    int file = open("/proc/self/exe", O_RDONLY);
    if (file < 0) file = open("/", O_RDONLY);
    CHECK(file >= 0);
    p[0] = (struct pollfd){.fd = file, .events = POLLIN | POLLOUT};
    CHECK_EQ(poll(p, 1, 0), 1);
    CHECK_EQ(p[0].revents, POLLIN | POLLOUT);
    CHECK_OK(close(file));
    ok("poll");
}

/* More descriptors than fit into a piece of memory: all but the last one never ready. */
static void polling_many(int rd, int wr) {
    const nfds_t count = 70000;
    struct rlimit limit;
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = count;
    if (limit.rlim_max < count) limit.rlim_max = count;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    struct pollfd *p = calloc(count + 1, sizeof *p);
    CHECK(p != NULL);
    for (nfds_t i = 0; i < count; i++)
        p[i] = (struct pollfd){.fd = i % 2 ? rd : -1, .events = POLLPRI};
    CHECK_EQ(poll(p, count, 1), 0);
    p[count - 1] = (struct pollfd){.fd = wr, .events = POLLOUT};
    CHECK_EQ(poll(p, count, -1), 1);
    CHECK_EQ(p[count - 1].revents, POLLOUT);
    CHECK_ERR(poll(p, count + 1, 0), EINVAL);
    free(p);
    ok("many descriptors");
}

static void selecting(int rd, int wr) {
    fd_set in, out, ex;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&ex);
    FD_SET(rd, &in);
    FD_SET(wr, &out);
    FD_SET(rd, &ex);
    int top = (rd > wr ? rd : wr) + 1;
    CHECK_EQ(select(top, &in, &out, &ex, NULL), 2);
    CHECK(FD_ISSET(rd, &in) && FD_ISSET(wr, &out) && !FD_ISSET(rd, &ex));
    char c;
    CHECK_EQ(read(rd, &c, 1), 1);
    struct timeval tv = {.tv_usec = 30000};
    int64_t start = now_ms();
    CHECK_EQ(syscall(SYS_select, top, &in, NULL, NULL, &tv), 0); /* musl copies the time */
    CHECK(now_ms() - start >= 29 && now_ms() - start < 2000);
    CHECK(!FD_ISSET(rd, &in));
    CHECK(tv.tv_sec == 0 && tv.tv_usec == 0); /* Linux writes what is left */
    tv.tv_sec = 10;
    FD_SET(wr, &out);
    CHECK_EQ(syscall(SYS_select, top, NULL, &out, NULL, &tv), 1);
    CHECK(tv.tv_sec == 9 || (tv.tv_sec == 10 && tv.tv_usec == 0));

    FD_ZERO(&in);
    FD_SET(60, &in);
    CHECK_ERR(select(61, &in, NULL, NULL, NULL), EBADF);
    tv = (struct timeval){.tv_sec = -1};
    CHECK_ERR(syscall(SYS_select, 0, NULL, NULL, NULL, &tv), EINVAL);
    CHECK_ERR(syscall(SYS_select, -1, NULL, NULL, NULL, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_select, 1, bad_pointer(), NULL, NULL, NULL), EFAULT);
    ok("select");
}

/* A signal that is blocked outside and let in by the call's mask. */
static void masks(int rd) {
    sigset_t block, none, now;
    struct timespec ts = {.tv_sec = 20};
    struct pollfd p = {.fd = rd, .events = POLLIN};
    struct sigaction a = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
    CHECK_OK(sigaction(SIGUSR1, &a, NULL));
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    CHECK_OK(sigprocmask(SIG_BLOCK, &block, NULL));
    CHECK_OK(raise(SIGUSR1));
    CHECK_EQ(signals_seen, 0);
    CHECK_ERR(ppoll(&p, 1, &ts, &none), EINTR);
    CHECK_EQ(signals_seen, 1);
    CHECK_OK(raise(SIGUSR1));
    fd_set in;
    FD_ZERO(&in);
    FD_SET(rd, &in);
    CHECK_ERR(pselect(rd + 1, &in, NULL, NULL, &ts, &none), EINTR);
    CHECK_EQ(signals_seen, 2);
    CHECK_OK(sigprocmask(SIG_UNBLOCK, NULL, &now));
    CHECK_EQ(sigismember(&now, SIGUSR1), 1);
    CHECK_EQ(ppoll(NULL, 0, &(struct timespec){.tv_nsec = 1000000}, &none), 0);
    ok("ppoll and pselect masks");
}

static void errors(int rd) {
    struct pollfd p = {.fd = rd, .events = POLLIN};
    struct timespec bad = {.tv_nsec = 1000000000};
    struct rlimit lim;
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &lim));
    CHECK_ERR(syscall(SYS_ppoll, &p, 1, &bad, NULL, 8), EINVAL);
    CHECK_ERR(syscall(SYS_ppoll, &p, 1, NULL, &bad, 4), EINVAL);
    CHECK_ERR(syscall(SYS_poll, bad_pointer(), 1, 0), EFAULT);
    if (lim.rlim_cur < 0x7fffffff)
        CHECK_ERR(syscall(SYS_poll, &p, (unsigned)lim.rlim_cur + 1, 0), EINVAL);
    ok("errors");
}

int main(void) {
    int fds[2];
    CHECK_OK(pipe(fds));
    polling(fds[0], fds[1]);
    polling_many(fds[0], fds[1]);
    selecting(fds[0], fds[1]);
    masks(fds[0]);
    errors(fds[0]);
    CHECK_OK(close(fds[1]));
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    CHECK_EQ(poll(&p, 1, -1), 1);
    CHECK_EQ(p.revents, POLLHUP);
    ok("hang-up");
    return 0;
}
