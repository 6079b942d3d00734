/* SPDX-License-Identifier: MIT */
/* io_setup(2), io_submit(2), io_getevents(2), io_pgetevents(2), io_cancel(2), io_destroy(2). */
#include "signals.h"
#include "thread.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

/* <linux/aio_abi.h> is not there for every libc. */
typedef unsigned long aio_context_t;
enum {
    IOCB_CMD_PREAD = 0,
    IOCB_CMD_PWRITE = 1,
    IOCB_CMD_FSYNC = 2,
    IOCB_CMD_FDSYNC = 3,
    IOCB_CMD_POLL = 5,
    IOCB_CMD_NOOP = 6,
    IOCB_CMD_PREADV = 7,
    IOCB_CMD_PWRITEV = 8,
    IOCB_FLAG_RESFD = 1
};
struct io_event {
    uint64_t data, obj;
    int64_t res, res2;
};
struct iocb {
    uint64_t aio_data;
    uint32_t aio_key, aio_rw_flags;
    uint16_t aio_lio_opcode;
    int16_t aio_reqprio;
    uint32_t aio_fildes;
    uint64_t aio_buf, aio_nbytes;
    int64_t aio_offset;
    uint64_t aio_reserved2;
    uint32_t aio_flags, aio_resfd;
};

static long setup(unsigned n, aio_context_t *c) { return syscall(SYS_io_setup, n, c); }
static long destroy(aio_context_t c) { return syscall(SYS_io_destroy, c); }
static long submit(aio_context_t c, long n, struct iocb **list) {
    return syscall(SYS_io_submit, c, n, list);
}
static long submit1(aio_context_t c, struct iocb *cb) { return submit(c, 1, &cb); }
static long get(aio_context_t c, long least, long most, struct io_event *e, struct timespec *t) {
    return syscall(SYS_io_getevents, c, least, most, e, t);
}
static long cancel(aio_context_t c, struct iocb *cb) {
    struct io_event e;
    return syscall(SYS_io_cancel, c, cb, &e);
}

static struct iocb request(int op, int fd, void *buf, size_t len, long offset) {
    return (struct iocb){.aio_data = 0x1234,
                         .aio_lio_opcode = (uint16_t)op,
                         .aio_fildes = (uint32_t)fd,
                         .aio_buf = (uint64_t)(uintptr_t)buf,
                         .aio_nbytes = len,
                         .aio_offset = offset};
}

/* Submits one and takes its event: the result. */
static int64_t run(aio_context_t c, struct iocb cb) {
    struct io_event e;
    CHECK_EQ(submit1(c, &cb), 1);
    CHECK_EQ(get(c, 1, 1, &e, NULL), 1);
    CHECK_EQ(e.obj, (uintptr_t)&cb);
    CHECK_EQ(e.data, 0x1234);
    CHECK_EQ(e.res2, 0);
    return e.res;
}

static void contexts(void) {
    aio_context_t c = 0, other = 0;
    struct io_event e;
    struct timespec none = {0, 0};
    CHECK_ERR(setup(0, &c), EINVAL);
    CHECK_ERR(setup(8, bad_pointer()), EFAULT);
    CHECK_OK(setup(8, &c));
    CHECK(c != 0);
    CHECK_ERR(setup(8, &c), EINVAL); /* not 0 */
    CHECK_OK(setup(1, &other));
    CHECK(other != c);
    CHECK_EQ(get(c, 0, 1, &e, NULL), 0);
    CHECK_EQ(get(c, 1, 1, &e, &none), 0);
    CHECK_ERR(get(c, 2, 1, &e, &none), EINVAL);
    CHECK_ERR(get(c, -1, 1, &e, &none), EINVAL);
    CHECK_ERR(get(c + 1, 0, 1, &e, &none), EINVAL);
    CHECK_ERR(get(c, 0, 1, &e, bad_pointer()), EFAULT);
    CHECK_ERR(submit(c, -1, NULL), EINVAL);
    CHECK_EQ(submit(c, 0, NULL), 0);
    CHECK_ERR(submit(c, 1, bad_pointer()), EFAULT);
    CHECK_ERR(submit1(c, bad_pointer()), EFAULT);
    CHECK_OK(destroy(other));
    CHECK_ERR(destroy(other), EINVAL);
    CHECK_OK(destroy(c));
    CHECK_ERR(submit(c, 0, NULL), EINVAL);
    ok("contexts");
}

static void transfers(void) {
    aio_context_t c = 0;
    char text[] = "hello there", buf[16] = {0}, a[3], b[4];
    struct iovec v[2] = {{a, 3}, {b, 4}};
    CHECK_OK(setup(4, &c));
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    CHECK_EQ(run(c, request(IOCB_CMD_PWRITE, fd, text, 11, 2)), 11);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_EQ(run(c, request(IOCB_CMD_PREAD, fd, buf, 5, 2)), 5);
    CHECK_STR(buf, "hello");
    CHECK_EQ(run(c, request(IOCB_CMD_PREADV, fd, v, 2, 2)), 7);
    CHECK(memcmp(a, "hel", 3) == 0 && memcmp(b, "lo t", 4) == 0);
    CHECK_EQ(run(c, request(IOCB_CMD_PWRITEV, fd, v, 2, 20)), 7);
    CHECK_EQ(run(c, request(IOCB_CMD_PREAD, fd, buf, 5, 1000)), 0);
    CHECK_EQ(run(c, request(IOCB_CMD_FSYNC, fd, NULL, 0, 0)), 0);
    CHECK_EQ(run(c, request(IOCB_CMD_FDSYNC, fd, NULL, 0, 0)), 0);
    CHECK_EQ(run(c, request(IOCB_CMD_PREAD, fd, bad_pointer(), 5, 2)), -EFAULT);
    CHECK_OK(close(fd));
    CHECK_OK(destroy(c));
    ok("transfers");
}

/* Each of these is refused as it is submitted. */
static void refusals(void) {
    aio_context_t c = 0;
    char buf[8];
    int rd = open("file", O_RDONLY), wr = open("file", O_WRONLY), path = open("file", O_PATH);
    int event = eventfd(0, 0);
    CHECK(rd >= 0 && wr >= 0 && path >= 0 && event >= 0);
    CHECK_OK(setup(4, &c));
    struct {
        int error;
        struct iocb cb;
    } rows[] = {
        {EBADF, request(IOCB_CMD_PREAD, 999, buf, 8, 0)},
        {EBADF, request(IOCB_CMD_PREAD, path, buf, 8, 0)},
        {EBADF, request(IOCB_CMD_PREAD, wr, buf, 8, 0)},
        {EBADF, request(IOCB_CMD_PWRITE, rd, buf, 8, 0)},
        {EINVAL, request(IOCB_CMD_PREAD, rd, buf, 8, -1)},
        {EINVAL, request(IOCB_CMD_PREAD, rd, buf, (size_t)-1, 0)},
        {EINVAL, request(4, rd, buf, 8, 0)},
        {EINVAL, request(IOCB_CMD_NOOP, rd, buf, 8, 0)},
        {EINVAL, request(99, rd, buf, 8, 0)},
        {EINVAL, request(IOCB_CMD_FSYNC, wr, NULL, 1, 0)},
        {EINVAL, request(IOCB_CMD_FSYNC, event, NULL, 0, 0)},
        {EFAULT, request(IOCB_CMD_PREADV, rd, bad_pointer(), 1, 0)},
        {EINVAL, request(IOCB_CMD_PREADV, rd, buf, 5000, 0)},
        {EINVAL, request(IOCB_CMD_POLL, event, (void *)0x10000, 0, 0)},
        {EINVAL, request(IOCB_CMD_POLL, event, (void *)POLLIN, 1, 0)},
        {EINVAL, request(IOCB_CMD_PREAD, rd, buf, 8, 0)}, /* reserved2, below */
        {EBADF, request(IOCB_CMD_PREAD, rd, buf, 8, 0)},  /* resfd, below */
        {EINVAL, request(IOCB_CMD_PREAD, rd, buf, 8, 0)}, /* resfd, below */
        {EOPNOTSUPP, request(IOCB_CMD_PREAD, rd, buf, 8, 0)},
    };
    const size_t count = sizeof rows / sizeof *rows;
    rows[count - 4].cb.aio_reserved2 = 1;
    rows[count - 3].cb.aio_flags = IOCB_FLAG_RESFD;
    rows[count - 3].cb.aio_resfd = 999;
    rows[count - 2].cb.aio_flags = IOCB_FLAG_RESFD;
    rows[count - 2].cb.aio_resfd = (uint32_t)rd;
    rows[count - 1].cb.aio_rw_flags = 0x4000;
    for (size_t i = 0; i < count; i++) {
        errno = 0;
        if (submit1(c, &rows[i].cb) != -1 || errno != rows[i].error) printf("row %zu\n", i);
        CHECK_ERR(submit1(c, &rows[i].cb), rows[i].error);
    }
    /* Those before a bad one count. */
    struct iocb good = request(IOCB_CMD_PREAD, rd, buf, 8, 0), *list[] = {&good, &rows[0].cb};
    struct io_event e;
    CHECK_EQ(submit(c, 2, list), 1);
    CHECK_EQ(get(c, 1, 4, &e, NULL), 1);
    CHECK_EQ(close(rd) | close(wr) | close(path) | close(event), 0);
    CHECK_OK(destroy(c));
    ok("refusals");
}

static void notification(void) {
    aio_context_t c = 0;
    struct io_event e[4];
    uint64_t count;
    int event = eventfd(0, EFD_NONBLOCK), fd = open("file", O_RDONLY);
    char buf[4];
    CHECK_OK(setup(4, &c));
    struct iocb cb[2];
    struct iocb *list[2] = {&cb[0], &cb[1]};
    for (int i = 0; i < 2; i++) {
        cb[i] = request(IOCB_CMD_PREAD, fd, buf, 4, 0);
        cb[i].aio_flags = IOCB_FLAG_RESFD;
        cb[i].aio_resfd = (uint32_t)event;
    }
    CHECK_EQ(submit(c, 2, list), 2);
    CHECK_EQ(get(c, 2, 4, e, NULL), 2);
    CHECK_EQ(read(event, &count, sizeof count), sizeof count);
    CHECK_EQ(count, 2);
    CHECK_EQ(e[0].obj, (uintptr_t)&cb[0]);
    CHECK_EQ(e[1].obj, (uintptr_t)&cb[1]);
    CHECK_EQ(close(fd) | close(event), 0);
    CHECK_OK(destroy(c));
    ok("eventfd");
}

static void *write_later(void *arg) {
    CHECK_EQ(write(*(int *)arg, "x", 1), 1);
    return NULL;
}

static void polls(void) {
    aio_context_t c = 0;
    struct io_event e;
    struct timespec none = {0, 0};
    int p[2], event = eventfd(0, 0);
    char buf[4];
    uint64_t count;
    CHECK_OK(pipe(p));
    CHECK_OK(setup(4, &c));
    CHECK_EQ(run(c, request(IOCB_CMD_POLL, p[1], (void *)POLLOUT, 0, 0)), POLLOUT);
    struct iocb cb = request(IOCB_CMD_POLL, p[0], (void *)POLLIN, 0, 0);
    CHECK_EQ(submit1(c, &cb), 1);
    CHECK_EQ(get(c, 1, 1, &e, &none), 0);
    CHECK_ERR(cancel(c, &cb), EINPROGRESS);
    CHECK_EQ(get(c, 1, 1, &e, NULL), 1);
    CHECK_EQ(e.res, 0);
    CHECK_ERR(cancel(c, &cb), EINVAL);
    CHECK_ERR(cancel(c, bad_pointer()), EFAULT);

    cb.aio_flags = IOCB_FLAG_RESFD;
    cb.aio_resfd = (uint32_t)event;
    CHECK_EQ(submit1(c, &cb), 1);
    pthread_t t = spawn(write_later, &p[1]);
    CHECK_EQ(read(event, &count, sizeof count), sizeof count);
    CHECK_EQ(count, 1);
    CHECK_EQ(get(c, 1, 1, &e, NULL), 1);
    CHECK(e.res & POLLIN); /* and perhaps what else came with it */
    join(t);
    CHECK_EQ(run(c, request(IOCB_CMD_PREAD, p[0], buf, 4, 0)), 1);

    CHECK_EQ(submit1(c, &cb), 1);
    t = spawn(write_later, &p[1]);
    CHECK_EQ(get(c, 1, 1, &e, NULL), 1); /* asleep or not: it comes */
    join(t);
    CHECK_EQ(run(c, request(IOCB_CMD_PREAD, p[0], buf, 4, 0)), 1);
    CHECK_EQ(submit1(c, &cb), 1); /* still waiting as the context ends */
    CHECK_OK(destroy(c));
    CHECK_EQ(close(p[0]) | close(p[1]) | close(event), 0);
    ok("poll");
}

static void signals(void) {
    aio_context_t c = 0;
    struct io_event e;
    const struct itimerval soon = {.it_value.tv_usec = 1000, .it_interval.tv_usec = 1000};
    const struct itimerval off = {{0, 0}, {0, 0}};
    sigset_t open_mask;
    sigemptyset(&open_mask);
    struct {
        const sigset_t *mask;
        size_t size;
    } arg = {&open_mask, 8}, wrong = {&open_mask, 7};
    CHECK_OK(setup(4, &c));
    handle_signal(SIGALRM, count_signal, SA_RESTART);
    CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
    CHECK_ERR(get(c, 1, 1, &e, NULL), EINTR);
    CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));
    mask_signal(SIG_BLOCK, SIGALRM);
    CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
    CHECK_ERR(syscall(SYS_io_pgetevents, c, 1L, 1L, &e, NULL, &arg), EINTR);
    CHECK_OK(setitimer(ITIMER_REAL, &off, NULL));
    CHECK_ERR(syscall(SYS_io_pgetevents, c, 1L, 1L, &e, NULL, &wrong), EINVAL);
    CHECK_ERR(syscall(SYS_io_pgetevents, c, 1L, 1L, &e, NULL, bad_pointer()), EFAULT);
    CHECK_EQ(syscall(SYS_io_pgetevents, c, 0L, 1L, &e, NULL, NULL), 0);
    CHECK_OK(destroy(c));
    ok("signals");
}

int main(void) {
    aio_context_t c = 0;
    scratch();
    if (setup(1, &c) != 0 && errno == ENOSYS) {
        printf("skip: this kernel has no asynchronous I/O\n");
        return 77;
    }
    CHECK_OK(destroy(c));
    contexts();
    transfers();
    refusals();
    notification();
    polls();
    signals();
    return 0;
}
