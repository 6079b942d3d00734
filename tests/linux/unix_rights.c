/* SPDX-License-Identifier: MIT */
/* Control messages of AF_UNIX: SCM_RIGHTS, SCM_CREDENTIALS, circles of sockets, and headers that
 * no sane program sends. */
#include "unix_socket.h"

/* As the kernel defines them; some libraries have narrower fields. */
struct raw_control {
    uint64_t cmsg_len;
    int cmsg_level;
    int cmsg_type;
};

struct raw_message {
    void *name;
    int name_len;
    struct iovec *iov;
    uint64_t iov_count;
    void *control;
    uint64_t control_len;
    unsigned flags;
};

union control {
    struct raw_control header;
    char bytes[2048];
};

#define DATA(c) ((c)->bytes + sizeof(struct raw_control))

static long raw_send(int s, const void *m) { return syscall(SYS_sendmsg, s, m, 0); }
static long raw_recv(int s, const void *m) { return syscall(SYS_recvmsg, s, m, MSG_DONTWAIT); }

static long send_control(int s, union control *control, size_t len) {
    char byte = 'x';
    struct iovec iov = {&byte, 1};
    struct raw_message m = {.iov = &iov, .iov_count = 1, .control = control, .control_len = len};
    return raw_send(s, &m);
}

static long send_fds(int s, const int *fds, size_t count) {
    union control c;
    memset(&c, 0, sizeof c);
    c.header.cmsg_len = CMSG_LEN(count * sizeof *fds);
    c.header.cmsg_level = SOL_SOCKET;
    c.header.cmsg_type = SCM_RIGHTS;
    memcpy(DATA(&c), fds, count * sizeof *fds);
    return send_control(s, &c, CMSG_SPACE(count * sizeof *fds));
}

/* Receives one byte and up to `room` bytes of control data; the number of descriptors. */
static int recv_fds(int s, int *fds, size_t room, int flags, int *result_flags) {
    union control c;
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    m.msg_control = room > 0 ? &c : NULL;
    m.msg_controllen = room;
    CHECK_EQ(recvmsg(s, &m, flags), 1);
    if (result_flags != NULL) *result_flags = m.msg_flags;
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    if (h == NULL) return 0;
    CHECK_EQ(h->cmsg_level, SOL_SOCKET);
    CHECK_EQ(h->cmsg_type, SCM_RIGHTS);
    int count = (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof *fds);
    memcpy(fds, CMSG_DATA(h), (size_t)count * sizeof *fds);
    return count;
}

static void rights(int type) {
    int s[2], p[2], got[4], flags;
    char c;
    new_pair(type, s);
    CHECK_OK(pipe(p));
    CHECK_EQ(send_fds(s[0], p, 2), 1);
    CHECK_OK(close(p[0]));
    CHECK_OK(close(p[1]));
    CHECK_EQ(recv_fds(s[1], got, CMSG_SPACE(2 * sizeof(int)), 0, &flags), 2);
    CHECK_EQ(flags, 0);
    CHECK_EQ(fcntl(got[0], F_GETFD), 0);
    CHECK_EQ(write(got[1], "!", 1), 1);
    CHECK_EQ(read(got[0], &c, 1), 1);
    CHECK_EQ(c, '!');
    CHECK_EQ(send_fds(s[0], &got[1], 1), 1);
    int again[4];
    CHECK_EQ(recv_fds(s[1], again, 64, MSG_CMSG_CLOEXEC, &flags), 1);
    CHECK_EQ(flags & MSG_CMSG_CLOEXEC, MSG_CMSG_CLOEXEC);
    CHECK_EQ(fcntl(again[0], F_GETFD), FD_CLOEXEC);
    CHECK_OK(close(again[0]));
    CHECK_OK(close(got[1]));
    CHECK_EQ(read(got[0], &c, 1), 0); /* nobody else holds the other end */
    CHECK_OK(close(got[0]));
    close_pair(s);
    ok("SCM_RIGHTS");
}

static void in_flight(void) {
    int s[2], p[2], got[4], flags;
    char c;
    /* What nobody receives is closed with the socket. */
    new_pair(SOCK_STREAM, s);
    CHECK_OK(pipe(p));
    CHECK_EQ(send_fds(s[0], &p[1], 1), 1);
    CHECK_OK(close(p[1]));
    CHECK_OK(fcntl(p[0], F_SETFL, O_NONBLOCK));
    CHECK_ERR(read(p[0], &c, 1), EAGAIN);
    close_pair(s);
    CHECK_EQ(read(p[0], &c, 1), 0);
    CHECK_OK(close(p[0]));
    /* So is what there is no room for, and what read(2) takes no notice of. */
    new_pair(SOCK_STREAM, s);
    CHECK_OK(pipe(p));
    CHECK_EQ(send_fds(s[0], (int[]){p[1], p[1], p[1]}, 3), 1);
    CHECK_EQ(send_fds(s[0], &p[1], 1), 1);
    CHECK_EQ(send_fds(s[0], &p[1], 1), 1);
    CHECK_OK(close(p[1]));
    CHECK_EQ(recv_fds(s[1], got, CMSG_LEN(2 * sizeof(int)), 0, &flags), 2);
    CHECK_EQ(flags & MSG_CTRUNC, MSG_CTRUNC);
    CHECK_OK(close(got[0]));
    CHECK_OK(close(got[1]));
    CHECK_EQ(recv_fds(s[1], got, 0, 0, &flags), 0);
    CHECK_EQ(flags & MSG_CTRUNC, MSG_CTRUNC);
    CHECK_EQ(read(s[1], &c, 1), 1);
    CHECK_EQ(read(p[0], &c, 1), 0);
    CHECK_OK(close(p[0]));
    /* A peek makes copies. */
    CHECK_OK(pipe(p));
    CHECK_EQ(send_fds(s[0], p, 1), 1);
    CHECK_EQ(recv_fds(s[1], got, 64, MSG_PEEK, &flags), 1);
    CHECK_OK(close(got[0]));
    CHECK_EQ(recv_fds(s[1], got, 64, 0, &flags), 1);
    CHECK_OK(close(got[0]));
    close_pair(p);
    close_pair(s);
    ok("in flight");
}

/* A read ends at the message that brings descriptors. */
static void stream_order(void) {
    int s[2], got[4];
    union control c;
    char buf[16];
    struct iovec iov = {buf, sizeof buf};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    m.msg_control = &c;
    m.msg_controllen = sizeof c;
    new_pair(SOCK_STREAM, s);
    CHECK_EQ(write(s[0], "ab", 2), 2);
    CHECK_EQ(send_fds(s[0], s, 1), 1);
    CHECK_EQ(write(s[0], "cd", 2), 2);
    CHECK_EQ(recvmsg(s[1], &m, 0), 3);
    CHECK(m.msg_controllen == CMSG_SPACE(sizeof(int)));
    memcpy(got, DATA(&c), sizeof(int));
    CHECK_OK(close(got[0]));
    CHECK_EQ(read(s[1], buf, sizeof buf), 2);
    close_pair(s);
    ok("order");
}

/* Sockets that only messages to each other hold. */
static void circles(void) {
    for (int round = 0; round < 200; round++) {
        int a[2], p[2];
        char c;
        new_pair(SOCK_STREAM, a);
        CHECK_OK(pipe(p));
        CHECK_EQ(send_fds(a[0], &a[1], 1), 1);
        CHECK_EQ(send_fds(a[1], &a[0], 1), 1);
        CHECK_EQ(send_fds(a[1], &p[1], 1), 1);
        CHECK_OK(close(p[1]));
        close_pair(a);
        /* Closing a socket is what starts a collection; Linux may do it in the background. */
        CHECK_OK(fcntl(p[0], F_SETFL, O_NONBLOCK));
        while (read(p[0], &c, 1) != 0) {
            CHECK_EQ(errno, EAGAIN);
            CHECK_OK(close(new_socket(SOCK_STREAM)));
        }
        CHECK_OK(close(p[0]));
    }
    /* A chain is freed link by link. */
    int last = -1;
    for (int i = 0; i < 3000; i++) {
        int a[2];
        new_pair(SOCK_STREAM, a);
        if (last >= 0) {
            /* Linux limits the depth. */
            if (send_fds(a[0], &last, 1) != 1) CHECK_EQ(errno, ETOOMANYREFS);
            CHECK_OK(close(last));
        }
        CHECK_OK(close(a[0]));
        last = a[1];
    }
    CHECK_OK(close(last));
    ok("circles");
}

static void credentials(void) {
    int s[2];
    union control c;
    char buf[8];
    struct iovec iov = {buf, sizeof buf};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    struct ucred cred;
    new_pair(SOCK_DGRAM, s);
    CHECK_OK(set_option(s[1], SO_PASSCRED, 1));
    CHECK_EQ(write(s[0], "abc", 3), 3);
    m.msg_control = &c;
    m.msg_controllen = sizeof c;
    CHECK_EQ(recvmsg(s[1], &m, 0), 3);
    CHECK_EQ(m.msg_controllen, CMSG_SPACE(sizeof cred));
    CHECK_EQ(c.header.cmsg_type, SCM_CREDENTIALS);
    memcpy(&cred, DATA(&c), sizeof cred);
    CHECK_EQ(cred.pid, getpid());
    CHECK_EQ(cred.uid, getuid());
    CHECK_EQ(cred.gid, getgid());
    /* Sent along. */
    memset(&c, 0, sizeof c);
    c.header = (struct raw_control){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS};
    c.header.cmsg_len = CMSG_LEN(sizeof cred);
    memcpy(DATA(&c), &cred, sizeof cred);
    CHECK_EQ(send_control(s[0], &c, CMSG_SPACE(sizeof cred)), 1);
    c.header.cmsg_len--;
    CHECK_ERR(send_control(s[0], &c, CMSG_SPACE(sizeof cred)), EINVAL);
    c.header.cmsg_len++;
    m.msg_controllen = CMSG_LEN(4);
    CHECK_EQ(recvmsg(s[1], &m, 0), 1);
    CHECK_EQ(m.msg_flags & MSG_CTRUNC, MSG_CTRUNC);
    CHECK_EQ(m.msg_controllen, CMSG_LEN(4));
    close_pair(s);
    ok("SCM_CREDENTIALS");
}

static void hostile(void) {
    int s[2], fd = 0;
    union control c;
    new_pair(SOCK_DGRAM, s);
    memset(&c, 0, sizeof c);
    c.header = (struct raw_control){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    for (size_t len = 0; len < CMSG_LEN(0); len++) {
        c.header.cmsg_len = len;
        CHECK_ERR(send_control(s[0], &c, sizeof c), EINVAL);
    }
    c.header.cmsg_len = sizeof c + 1;
    CHECK_ERR(send_control(s[0], &c, sizeof c), EINVAL);
    c.header.cmsg_len = UINT64_MAX;
    CHECK_ERR(send_control(s[0], &c, sizeof c), EINVAL);
    c.header.cmsg_len = CMSG_LEN(254 * sizeof(int));
    CHECK_ERR(send_control(s[0], &c, sizeof c), EINVAL);
    c.header.cmsg_len = CMSG_LEN(sizeof(int));
    fd = 9999;
    memcpy(DATA(&c), &fd, sizeof fd);
    CHECK_ERR(send_control(s[0], &c, CMSG_SPACE(sizeof fd)), EBADF);
    c.header.cmsg_type = 77;
    CHECK_ERR(send_control(s[0], &c, CMSG_SPACE(sizeof fd)), EINVAL);
    c.header.cmsg_level = 77;
    CHECK_EQ(send_control(s[0], &c, CMSG_SPACE(sizeof fd)), 1); /* not for us */
    CHECK_EQ(send_control(s[0], &c, 5), 1);                     /* too short to be one */
    CHECK_ERR(send_control(s[0], bad_pointer(), 100), EFAULT);
    CHECK_ERR(send_control(s[0], &c, (size_t)1 << 40), ENOBUFS);
    CHECK_ERR(send_control(s[0], &c, (size_t)1 << 30), ENOBUFS);

    char byte = 'x';
    struct iovec iov = {&byte, 1};
    struct raw_message m = {.iov = &iov, .iov_count = 1025};
    CHECK_ERR(raw_send(s[0], &m), EMSGSIZE);
    CHECK_ERR(raw_recv(s[1], &m), EMSGSIZE);
    m.iov_count = UINT64_MAX;
    CHECK_ERR(raw_send(s[0], &m), EMSGSIZE);
    m.iov_count = 1;
    iov.iov_len = SIZE_MAX;
    CHECK_ERR(raw_send(s[0], &m), EINVAL);
    m.iov = bad_pointer();
    CHECK_ERR(raw_send(s[0], &m), EFAULT);
    CHECK_ERR(raw_send(s[0], bad_pointer()), EFAULT);
    CHECK_ERR(raw_recv(s[1], bad_pointer()), EFAULT);
    m = (struct raw_message){.name = &c, .name_len = -1};
    CHECK_ERR(raw_send(s[0], &m), EINVAL);
    CHECK_ERR(raw_recv(s[1], &m), EINVAL);
    m.name_len = 1000;
    CHECK_ERR(raw_send(s[0], &m), EINVAL);
    m.name = bad_pointer();
    CHECK_ERR(raw_send(s[0], &m), EFAULT);
    close_pair(s);
    ok("hostile headers");
}

/* Random bytes as control data and headers: any answer will do, but one there must be. */
static void random_bytes(void) {
    int s[2];
    uint64_t state = 88172645463325252ULL;
    new_pair(SOCK_DGRAM | SOCK_NONBLOCK, s);
    for (int round = 0; round < 20000; round++) {
        union control c, in;
        char byte;
        for (size_t i = 0; i < 96; i++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            c.bytes[i] = (char)(state % 3 == 0 ? state >> 20 : 0);
        }
        c.header.cmsg_len = state % 80;
        if (state & 0x100) c.header.cmsg_level = SOL_SOCKET;
        if (state & 0x200) c.header.cmsg_type = SCM_RIGHTS;
        (void)!send_control(s[0], &c, state / 7 % 96);
        struct iovec iov = {&byte, 1};
        struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
        m.msg_control = &in;
        m.msg_controllen = state / 11 % 64;
        if (recvmsg(s[1], &m, 0) != 1) continue;
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        if (h == NULL) continue;
        for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= h->cmsg_len; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
            CHECK_OK(close(fd));
        }
    }
    close_pair(s);
    ok("random bytes");
}

int main(void) {
    rights(SOCK_STREAM);
    rights(SOCK_DGRAM);
    rights(SOCK_SEQPACKET);
    in_flight();
    stream_order();
    circles();
    credentials();
    hostile();
    random_bytes();
    return 0;
}
