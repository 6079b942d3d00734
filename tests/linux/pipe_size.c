/* SPDX-License-Identifier: MIT */
/* Capacity of pipes (F_SETPIPE_SZ), packet mode (O_DIRECT), FIONREAD. */
#include "check.h"

#include <poll.h>
#include <sys/ioctl.h>

static char page[CHECK_PAGE];

static int readable_bytes(int fd) {
    int n = -1;
    CHECK_OK(ioctl(fd, FIONREAD, &n));
    return n;
}

static void capacity(void) {
    int p[2];
    CHECK_OK(pipe2(p, O_NONBLOCK));
    CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 65536);
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 1), 4096);
    CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 4096);
    CHECK_EQ(write(p[1], page, 4096), 4096);
    CHECK_ERR(write(p[1], page, 1), EAGAIN);
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 4097), 8192);
    CHECK_EQ(write(p[1], page, 10), 10);
    CHECK_ERR(write(p[1], page, 4096), EAGAIN);
    CHECK_EQ(write(p[1], page, 4086), 4086); /* room in the last page */
    CHECK_ERR(write(p[1], page, 1), EAGAIN);
    CHECK_EQ(readable_bytes(p[0]), 8192);
    CHECK_EQ(readable_bytes(p[1]), 8192);
    CHECK_ERR(fcntl(p[1], F_SETPIPE_SZ, 4096), EBUSY);
    CHECK_EQ(read(p[0], page, 4096), 4096);
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 4096), 4096);
    struct pollfd w = {.fd = p[1], .events = POLLOUT};
    CHECK_EQ(poll(&w, 1, 0), 0);
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
    CHECK_EQ(poll(&w, 1, 0), 1);
    int total = 4096, n;
    while ((n = (int)write(p[1], page, 4096)) > 0)
        total += n;
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(total, 1 << 20);
    CHECK_ERR(fcntl(p[1], F_SETPIPE_SZ, 0x80000001u), EINVAL);
    int file = open("/dev/null", O_RDWR);
    CHECK_ERR(fcntl(file, F_GETPIPE_SZ), EBADF);
    CHECK_ERR(fcntl(file, F_SETPIPE_SZ, 4096), EBADF);
    CHECK_OK(close(file));
    CHECK_OK(close(p[0]));
    CHECK_OK(close(p[1]));
    ok("capacity");
}

static void packets(void) {
    int p[2];
    char buf[100];
    CHECK_OK(pipe2(p, O_DIRECT | O_NONBLOCK));
    CHECK(fcntl(p[1], F_GETFL) & O_DIRECT);
    CHECK_EQ(write(p[1], "one", 3), 3);
    CHECK_EQ(write(p[1], "two!", 4), 4);
    CHECK_EQ(write(p[1], "three", 5), 5);
    CHECK_EQ(readable_bytes(p[0]), 12);
    CHECK_EQ(read(p[0], buf, sizeof buf), 3);
    CHECK_EQ(read(p[0], buf, 2), 2); /* the rest of the packet is lost */
    CHECK_EQ(memcmp(buf, "tw", 2), 0);
    CHECK_EQ(read(p[0], buf, sizeof buf), 5);
    CHECK_EQ(memcmp(buf, "three", 5), 0);
    CHECK_ERR(read(p[0], buf, sizeof buf), EAGAIN);
    CHECK_EQ(write(p[1], buf, 0), 0);
    CHECK_ERR(read(p[0], buf, sizeof buf), EAGAIN);
    for (int i = 0; i < 16; i++)
        CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_ERR(write(p[1], "x", 1), EAGAIN); /* each takes a page */
    CHECK_OK(fcntl(p[1], F_SETFL, O_NONBLOCK));
    for (int i = 0; i < 16; i++)
        CHECK_EQ(read(p[0], buf, sizeof buf), 1);
    CHECK_EQ(write(p[1], "a", 1), 1);
    CHECK_EQ(write(p[1], "b", 1), 1);
    CHECK_EQ(read(p[0], buf, sizeof buf), 2);
    CHECK_OK(close(p[0]));
    CHECK_OK(close(p[1]));
    ok("packets");
}

int main(void) {
    capacity();
    packets();
    return 0;
}
