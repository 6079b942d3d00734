/* SPDX-License-Identifier: MIT */
/* Pseudo-terminals: pairs, names, the line discipline, signals aside. pty(7), termios(3). */
#include "check.h"

#include <dirent.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

static void open_pair(void) {
    char name[64], proc[64], link[64];
    struct stat a, b;
    master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(master >= 0);
    CHECK_OK(ptsname_r(master, name, sizeof name));
    CHECK(strncmp(name, "/dev/pts/", 9) == 0);
    CHECK_ERR(open(name, O_RDWR | O_NOCTTY), EIO); /* locked */
    CHECK_OK(grantpt(master));
    CHECK_OK(unlockpt(master));
    slave = open(name, O_RDWR | O_NOCTTY);
    CHECK(slave >= 0);
    CHECK(isatty(slave) && isatty(master));
    CHECK_OK(fstat(slave, &a));
    CHECK_OK(stat(name, &b));
    CHECK(S_ISCHR(a.st_mode) && a.st_ino == b.st_ino && a.st_rdev == b.st_rdev);
    CHECK_OK(ttyname_r(slave, link, sizeof link));
    CHECK_STR(link, name);
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", slave);
    ssize_t n = readlink(proc, link, sizeof link - 1);
    CHECK(n > 0);
    link[n] = 0;
    CHECK_STR(link, name);
    CHECK_OK(stat("/dev/ptmx", &a));
    CHECK(S_ISCHR(a.st_mode));
    CHECK_ERR(lseek(slave, 0, SEEK_SET), ESPIPE);
    CHECK_ERR(lseek(master, 0, SEEK_SET), ESPIPE);
}

static void close_pair(void) {
    CHECK_OK(close(slave));
    CHECK_OK(close(master));
}

/* What one read gives; the data is there as soon as poll says so. */
static const char *take(int fd) {
    static char text[8192];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    CHECK_EQ(poll(&p, 1, 5000), 1);
    ssize_t n = read(fd, text, sizeof text - 1);
    CHECK(n >= 0);
    text[n] = 0;
    return text;
}

/* As take, until there are `len` bytes: natively they may come in pieces. */
static const char *take_all(int fd, size_t len) {
    static char text[8192];
    for (size_t have = 0; have < len; have += strlen(text + have))
        strcpy(text + have, take(fd));
    return text;
}

static void send(const char *keys) { CHECK_EQ(write(master, keys, strlen(keys)), strlen(keys)); }

static void modes_of(tcflag_t clear, tcflag_t set, int min, int time) {
    struct termios t;
    CHECK_OK(tcgetattr(slave, &t));
    t.c_lflag = (t.c_lflag & ~clear) | set;
    t.c_cc[VMIN] = (cc_t)min;
    t.c_cc[VTIME] = (cc_t)time;
    CHECK_OK(tcsetattr(slave, TCSANOW, &t));
}

static void defaults(void) {
    struct termios t;
    struct winsize w = {.ws_row = 30, .ws_col = 100}, got;
    open_pair();
    CHECK_OK(tcgetattr(slave, &t));
    CHECK((t.c_lflag & (ICANON | ECHO | ISIG | IEXTEN)) == (ICANON | ECHO | ISIG | IEXTEN));
    CHECK((t.c_oflag & (OPOST | ONLCR)) == (OPOST | ONLCR));
    CHECK(t.c_iflag & ICRNL);
    CHECK(t.c_cc[VINTR] == 3 && t.c_cc[VERASE] == 127 && t.c_cc[VEOF] == 4);
    CHECK_EQ(cfgetospeed(&t), B38400);
    CHECK_OK(ioctl(slave, TIOCGWINSZ, &got));
    CHECK(got.ws_row == 0 && got.ws_col == 0);
    CHECK_OK(ioctl(master, TIOCSWINSZ, &w));
    CHECK_OK(ioctl(slave, TIOCGWINSZ, &got));
    CHECK(got.ws_row == 30 && got.ws_col == 100);
    CHECK_ERR(tcgetpgrp(slave), ENOTTY); /* it controls no session */
    CHECK_ERR(ioctl(slave, TIOCGPTN, &got), ENOTTY);
    close_pair();
    ok("defaults");
}

static void lines(void) {
    int bytes = -1;
    open_pair();
    CHECK_EQ(write(slave, "a\nb", 3), 3);
    CHECK_STR(take_all(master, 4), "a\r\nb");
    struct pollfd p = {.fd = slave, .events = POLLIN | POLLOUT};
    send("hel");
    CHECK_STR(take_all(master, 3), "hel");
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLOUT); /* no line yet */
    send("lo\r");
    CHECK_STR(take_all(master, 4), "lo\r\n");
    CHECK_STR(take(slave), "hello\n");
    send("abX\177c\n");
    CHECK_STR(take_all(master, 9), "abX\b \bc\r\n");
    CHECK_STR(take(slave), "abc\n");
    send("one two\027three\n");
    CHECK_STR(take(slave), "one three\n");
    send("gone\025kept\n");
    CHECK_STR(take(slave), "kept\n");
    CHECK_OK(tcflush(master, TCIOFLUSH));
    send("x\ny\n"); /* one line a read */
    CHECK_STR(take(slave), "x\n");
    CHECK_STR(take(slave), "y\n");
    send("part\004");
    CHECK_STR(take(slave), "part");
    send("\004");
    CHECK_STR(take(slave), ""); /* end of file */
    send("1234\n");
    char two[2];
    CHECK_EQ(poll(&p, 1, 5000), 1);
    CHECK_EQ(read(slave, two, 2), 2);
    CHECK_OK(ioctl(slave, FIONREAD, &bytes));
    CHECK_EQ(bytes, 3);
    CHECK_STR(take(slave), "34\n");
    close_pair();
    ok("lines");
}

static void control_characters(void) {
    open_pair();
    modes_of(ISIG, 0, 1, 0);
    send("\003\001\n");
    CHECK_STR(take_all(master, 6), "^C^A\r\n");
    CHECK_STR(take(slave), "\003\001\n");
    modes_of(0, ISIG, 1, 0);
    send("lost\003kept\n"); /* nobody's terminal: no signal, but the line is gone */
    CHECK_STR(take(slave), "kept\n");
    close_pair();
    ok("control characters");
}

static void raw(void) {
    struct termios t;
    char text[16];
    open_pair();
    CHECK_OK(tcgetattr(slave, &t));
    cfmakeraw(&t);
    CHECK_OK(tcsetattr(slave, TCSAFLUSH, &t));
    send("\003\r\n\177");
    CHECK_STR(take_all(slave, 4), "\003\r\n\177");
    CHECK_EQ(write(slave, "\n", 1), 1);
    CHECK_STR(take(master), "\n");
    modes_of(0, 0, 0, 0);
    CHECK_EQ(read(slave, text, sizeof text), 0);
    modes_of(0, 0, 0, 1);
    CHECK_EQ(read(slave, text, sizeof text), 0); /* after a tenth of a second */
    modes_of(0, 0, 4, 0);
    send("abcd");
    CHECK_EQ(read(slave, text, sizeof text), 4);
    CHECK_OK(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK));
    CHECK_ERR(read(slave, text, sizeof text), EAGAIN);
    CHECK_OK(fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK));
    CHECK_ERR(read(master, text, sizeof text), EAGAIN);
    /* Somewhere there is an end to what can be written and not read. */
    static char much[4096];
    ssize_t total = 0, n;
    while ((n = write(slave, much, sizeof much)) > 0)
        total += n;
    CHECK(n == -1 && errno == EAGAIN && total >= 1024);
    close_pair();
    ok("raw");
}

static void hang_up(void) {
    char c;
    open_pair();
    CHECK_EQ(write(slave, "last", 4), 4);
    CHECK_OK(close(slave));
    CHECK_STR(take_all(master, 4), "last");
    CHECK_ERR(read(master, &c, 1), EIO);
    struct pollfd p = {.fd = master, .events = POLLIN};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK(p.revents & POLLHUP);
    CHECK_OK(close(master));
    open_pair();
    char name[64];
    CHECK_OK(ptsname_r(master, name, sizeof name));
    CHECK_OK(close(master));
    CHECK_EQ(read(slave, &c, 1), 0);
    CHECK_ERR(write(slave, "x", 1), EIO);
    p = (struct pollfd){.fd = slave, .events = POLLIN};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK(p.revents & POLLHUP);
    CHECK_OK(close(slave));
    ok("hang up");
}

static void two_pairs(void) {
    open_pair();
    int first = slave, first_master = master;
    open_pair();
    unsigned a, b;
    CHECK_OK(ioctl(first_master, TIOCGPTN, &a));
    CHECK_OK(ioctl(master, TIOCGPTN, &b));
    CHECK(a != b);
    char name[32];
    int seen = 0;
    snprintf(name, sizeof name, "%u", b);
    DIR *d = opendir("/dev/pts");
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d));)
        seen += strcmp(e->d_name, name) == 0;
    CHECK_OK(closedir(d));
    CHECK_EQ(seen, 1);
    CHECK_EQ(write(first, "1", 1), 1);
    CHECK_EQ(write(slave, "2", 1), 1);
    CHECK_STR(take(master), "2");
    CHECK_STR(take(first_master), "1");
    close_pair();
    CHECK_OK(close(first));
    CHECK_OK(close(first_master));
    ok("two pairs");
}

int main(void) {
    defaults();
    lines();
    control_characters();
    raw();
    hang_up();
    two_pairs();
    return 0;
}
