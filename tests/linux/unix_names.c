/* SPDX-License-Identifier: MIT */
/* AF_UNIX names: in the file system, abstract, automatic; listen(2), connect(2), accept(2). */
#include "unix_socket.h"

static void paths(void) {
    int l = new_socket(SOCK_STREAM), c = new_socket(SOCK_STREAM), d = new_socket(SOCK_DGRAM);
    struct sockaddr_un name;
    socklen_t len = sizeof name;
    struct stat st;
    umask(022);
    CHECK_ERR(connect_to(c, "s"), ENOENT);
    CHECK_OK(bind_to(l, "s"));
    CHECK_OK(stat("s", &st));
    CHECK(S_ISSOCK(st.st_mode));
    CHECK_EQ(st.st_mode & 07777, 0755);
    CHECK_ERR(open("s", O_RDWR), ENXIO);
    CHECK_OK(getsockname(l, (struct sockaddr *)&name, &len));
    CHECK_EQ(len, PATH_AT + 2);
    CHECK_STR(name.sun_path, "s");
    CHECK_ERR(bind_to(l, "other"), EINVAL);
    CHECK(!exists("other"));
    CHECK_ERR(bind_to(d, "s"), EADDRINUSE);
    CHECK_ERR(bind_to(d, "no/dir"), ENOENT);
    CHECK_ERR(connect_to(c, "s"), ECONNREFUSED);
    CHECK_OK(listen(l, 5));
    CHECK_ERR(connect_to(d, "s"), EPROTOTYPE);
    CHECK_OK(mkdir("dir", 0755));
    CHECK_OK(symlink("../s", "dir/link"));
    CHECK_OK(connect_to(c, "dir/link"));
    CHECK_ERR(connect_to(c, "s"), EISCONN);
    put_file("file", "x");
    CHECK_ERR(connect_to(d, "file"), ECONNREFUSED);
    /* A name that moves still leads to the socket; one that is gone does not. */
    CHECK_OK(rename("s", "moved"));
    int c2 = new_socket(SOCK_STREAM), c3 = new_socket(SOCK_STREAM);
    CHECK_OK(connect_to(c2, "moved"));
    CHECK_OK(unlink("moved"));
    CHECK_ERR(connect_to(c3, "moved"), ENOENT);
    CHECK_OK(close(l));
    CHECK_OK(close(c2));
    CHECK_OK(close(c));
    /* The name outlives the socket. */
    CHECK_OK(bind_to(d, "left"));
    CHECK_OK(close(d));
    CHECK(exists("left"));
    CHECK_ERR(connect_to(c3, "left"), ECONNREFUSED);
    CHECK_ERR(bind_to(c3, "left"), EADDRINUSE);
    CHECK_OK(unlink("left"));
    CHECK_OK(bind_to(c3, "left"));
    CHECK_OK(unlink("left"));
    CHECK_OK(close(c3));
    ok("paths");
}

static void abstract(void) {
    int a = new_socket(SOCK_STREAM), b = new_socket(SOCK_STREAM), d = new_socket(SOCK_DGRAM);
    struct sockaddr_un name;
    socklen_t len = sizeof name;
    struct address empty = {.un.sun_family = AF_UNIX, .len = PATH_AT};
    CHECK_OK(getsockname(a, (struct sockaddr *)&name, &len));
    CHECK_EQ(len, PATH_AT);
    CHECK_OK(bind_to(a, "@name"));
    CHECK_ERR(bind_to(b, "@name"), EADDRINUSE);
    CHECK_OK(bind_to(d, "@name")); /* each type has its own names */
    CHECK_ERR(connect_to(b, "@name2"), ECONNREFUSED);
    CHECK_OK(close(a));
    CHECK_OK(bind_to(b, "@name"));
    CHECK_OK(close(b));
    CHECK_OK(close(d));
    a = new_socket(SOCK_STREAM);
    CHECK_OK(bind(a, (struct sockaddr *)&empty.un, empty.len));
    len = sizeof name;
    CHECK_OK(getsockname(a, (struct sockaddr *)&name, &len));
    CHECK_EQ(len, PATH_AT + 6);
    CHECK_EQ(name.sun_path[0], 0);
    CHECK(strspn(name.sun_path + 1, "0123456789abcdef") >= 5);
    CHECK_OK(close(a));
    ok("abstract, automatic");
}

static void addresses(void) {
    int s = new_socket(SOCK_STREAM);
    struct address a = address("x");
    struct sockaddr_un name;
    socklen_t len = sizeof name;
    CHECK_ERR(bind(s, (struct sockaddr *)&a.un, 1), EINVAL);
    CHECK_ERR(bind(s, (struct sockaddr *)&a.un, sizeof a.un + 1), EINVAL);
    CHECK_ERR(connect(s, (struct sockaddr *)&a.un, PATH_AT), EINVAL);
    CHECK_ERR(bind(s, bad_pointer(), sizeof a.un), EFAULT);
    CHECK_ERR(syscall(SYS_bind, s, &a.un, 129), EINVAL);
    CHECK_ERR(syscall(SYS_bind, s, &a.un, -1), EINVAL);
    a.un.sun_family = AF_INET;
    CHECK_ERR(bind(s, (struct sockaddr *)&a.un, a.len), EINVAL);
    CHECK_ERR(getpeername(s, (struct sockaddr *)&name, &len), ENOTCONN);
    CHECK_ERR(getsockname(s, bad_pointer(), &len), EFAULT);
    len = (socklen_t)-1;
    CHECK_ERR(getsockname(s, (struct sockaddr *)&name, &len), EINVAL);
    /* A path may fill the address without a NUL. */
    memset(a.un.sun_path, 'p', sizeof a.un.sun_path);
    a.un.sun_family = AF_UNIX;
    CHECK_OK(bind(s, (struct sockaddr *)&a.un, sizeof a.un));
    char big[sizeof a.un + 8];
    len = sizeof big;
    CHECK_OK(getsockname(s, (struct sockaddr *)big, &len));
    CHECK_EQ(len, sizeof a.un + 1);
    len = 5;
    CHECK_OK(getsockname(s, (struct sockaddr *)big, &len));
    CHECK_EQ(len, sizeof a.un + 1);
    CHECK_OK(close(s));
    ok("addresses");
}

static void backlog(void) {
    int l = listener(SOCK_STREAM, "@backlog", 1), c[4], count = 0;
    for (; count < 4; count++) {
        c[count] = new_socket(SOCK_STREAM | SOCK_NONBLOCK);
        if (connect_to(c[count], "@backlog") != 0) break;
    }
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(count, 2);
    CHECK_EQ(events_of(l), POLLIN);
    CHECK_ERR(ioctl(l, FIONREAD, &(int){0}), EINVAL);
    struct sockaddr_un name;
    socklen_t len = sizeof name;
    int s = accept4(l, (struct sockaddr *)&name, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    CHECK(s >= 0);
    CHECK_EQ(len, PATH_AT);
    CHECK_EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(s, F_GETFL), O_RDWR | O_NONBLOCK);
    len = sizeof name;
    CHECK_OK(getsockname(s, (struct sockaddr *)&name, &len));
    CHECK_EQ(len, address("@backlog").len);
    len = sizeof name;
    CHECK_OK(getpeername(c[0], (struct sockaddr *)&name, &len));
    CHECK(memcmp(name.sun_path, "\0backlog", 8) == 0);
    CHECK_OK(connect_to(c[2], "@backlog"));
    CHECK_OK(close(s));
    CHECK_EQ(events_of(c[0]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    /* Connections that were never accepted are reset. */
    CHECK_OK(close(l));
    char ch;
    CHECK_ERR(read(c[1], &ch, 1), ECONNRESET);
    CHECK_EQ(read(c[1], &ch, 1), 0);
    CHECK_ERR(accept4(c[0], NULL, NULL, 0x10), EINVAL);
    for (int i = 0; i < 3; i++)
        CHECK_OK(close(c[i]));
    l = listener(SOCK_STREAM | SOCK_NONBLOCK, "@backlog", 0);
    CHECK_ERR(accept(l, NULL, NULL), EAGAIN);
    CHECK_ERR(connect_to(l, "@backlog"), EINVAL);
    CHECK_OK(shutdown(l, SHUT_RD));
    c[0] = new_socket(SOCK_STREAM);
    CHECK_ERR(connect_to(c[0], "@backlog"), ECONNREFUSED);
    CHECK_OK(close(c[0]));
    CHECK_OK(close(l));
    ok("backlog, accept");
}

static void permissions(void) {
    int l = new_socket(SOCK_STREAM);
    struct stat st;
    CHECK_OK(fchmod(l, 0700));
    CHECK_OK(bind_to(l, "mode"));
    CHECK_OK(stat("mode", &st));
    CHECK_EQ(st.st_mode & 07777, 0700);
    CHECK_OK(chmod("mode", 0));
    CHECK_OK(listen(l, 1));
    if (geteuid() != 0) {
        int c = new_socket(SOCK_STREAM);
        CHECK_ERR(connect_to(c, "mode"), EACCES);
        CHECK_OK(close(c));
    }
    CHECK_OK(close(l));
    ok("permissions");
}

int main(void) {
    scratch();
    paths();
    abstract();
    addresses();
    backlog();
    permissions();
    return 0;
}
