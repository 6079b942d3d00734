/* SPDX-License-Identifier: MIT */
/* /dev/null, zero, full, random, urandom, tty, fd, stdin, stdout, stderr. */
#include "check.h"

#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>

static int device(const char *path, int flags, unsigned minor_number) {
    struct stat st;
    int fd = open(path, flags);
    CHECK(fd >= 0);
    CHECK_OK(fstat(fd, &st));
    CHECK(S_ISCHR(st.st_mode));
    CHECK_EQ(st.st_rdev, makedev(1, minor_number));
    return fd;
}

static void null_and_zero(void) {
    char buf[64];
    int fd = device("/dev/null", O_RDWR, 3);
    CHECK_EQ(read(fd, buf, sizeof buf), 0);
    CHECK_EQ(write(fd, "gone", 4), 4);
    CHECK_ERR(ioctl(fd, TCGETS, buf), ENOTTY);
    CHECK_EQ(isatty(fd), 0);
    CHECK_OK(close(fd));
    fd = open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    CHECK(fd >= 0);
    CHECK_OK(close(fd));
    fd = device("/dev/zero", O_RDWR, 5);
    memset(buf, 1, sizeof buf);
    CHECK_EQ(read(fd, buf, sizeof buf), sizeof buf);
    for (size_t i = 0; i < sizeof buf; i++)
        CHECK_EQ(buf[i], 0);
    CHECK_EQ(write(fd, buf, sizeof buf), sizeof buf);
    char *map = mmap(NULL, CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(map != MAP_FAILED);
    CHECK_EQ(map[100], 0);
    map[100] = 1;
    CHECK_OK(munmap(map, CHECK_PAGE));
    CHECK_OK(close(fd));
    fd = device("/dev/full", O_RDWR, 7);
    memset(buf, 1, sizeof buf);
    CHECK_EQ(read(fd, buf, sizeof buf), sizeof buf);
    CHECK_EQ(buf[0], 0);
    CHECK_ERR(write(fd, "x", 1), ENOSPC);
    CHECK_OK(close(fd));
    ok("null, zero, full");
}

static void random_devices(void) {
    static const struct {
        const char *path;
        unsigned minor_number;
    } list[] = {{"/dev/random", 8}, {"/dev/urandom", 9}};
    for (size_t i = 0; i < 2; i++) {
        unsigned char a[256], b[256];
        int fd = device(list[i].path, O_RDONLY, list[i].minor_number);
        CHECK_EQ(read(fd, a, sizeof a), sizeof a);
        CHECK_EQ(read(fd, b, sizeof b), sizeof b);
        CHECK(memcmp(a, b, sizeof a) != 0);
        int bits = 0;
        for (size_t k = 0; k < sizeof a; k++)
            bits += __builtin_popcount(a[k]);
        CHECK(bits > 800 && bits < 1250); /* of 2048: 10 sigma */
        CHECK_OK(close(fd));
    }
    ok("random, urandom");
}

static void descriptors(void) {
    char path[32], c;
    put_file("f", "abc");
    int fd = open("f", O_RDONLY);
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    int again = open(path, O_RDONLY);
    CHECK(again >= 0 && again != fd);
    CHECK_EQ(read(again, &c, 1), 1);
    CHECK_EQ(c, 'a');
    CHECK_OK(close(again));
    CHECK_OK(close(fd));
    CHECK_ERR(open(path, O_RDONLY), ENOENT);
    CHECK_ERR(open("/dev/fd/nonsense", O_RDONLY), ENOENT);

    int fds[2];
    CHECK_OK(pipe(fds));
    CHECK_EQ(write(fds[1], "p", 1), 1);
    CHECK_EQ(dup2(fds[0], 0), 0);
    int in = open("/dev/stdin", O_RDONLY);
    CHECK(in >= 0);
    CHECK_EQ(read(in, &c, 1), 1);
    CHECK_EQ(c, 'p');
    CHECK_OK(close(in));
    CHECK(exists("/dev/stdout"));
    CHECK(exists("/dev/stderr"));
    ok("/dev/fd, /dev/stdin");
}

static void terminal(void) {
    struct stat st;
    CHECK_OK(stat("/dev/tty", &st));
    CHECK(S_ISCHR(st.st_mode));
    CHECK_EQ(st.st_rdev, makedev(5, 0));
    int fd = open("/dev/tty", O_RDWR);
    CHECK(fd >= 0 || errno == ENXIO); /* ENXIO: there is no controlling terminal */
    if (fd >= 0) {
        struct termios modes;
        CHECK_OK(tcgetattr(fd, &modes));
        CHECK_OK(close(fd));
    }
    ok("/dev/tty");
}

int main(void) {
    scratch();
    null_and_zero();
    random_devices();
    descriptors();
    terminal();
    return 0;
}
