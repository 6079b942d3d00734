/* SPDX-License-Identifier: MIT */
/* splice(2), tee(2), vmsplice(2): files and pipes, offsets, blocking, errors. */
#include "thread.h"

#include <signal.h>
#include <sys/uio.h>

static char data[100000], got[100000];

static void fill(void) {
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 31 + i / 251);
}

static int data_file(const char *name) {
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK_EQ(write(fd, data, sizeof data), sizeof data);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void files(void) {
    int p[2], in = data_file("in"), out = open("out", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK_OK(pipe(p));
    off_t total = 0;
    for (;;) {
        ssize_t n = splice(in, NULL, p[1], NULL, 50000, 0);
        if (n == 0) break;
        CHECK(n > 0 && n <= 50000);
        for (ssize_t done = 0; done < n;) {
            ssize_t m = splice(p[0], NULL, out, NULL, (size_t)(n - done), SPLICE_F_MOVE);
            CHECK(m > 0);
            done += m;
        }
        total += n;
    }
    CHECK_EQ(total, sizeof data);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), sizeof data);
    CHECK_EQ(lseek(out, 0, SEEK_CUR), sizeof data);
    CHECK_EQ(pread(out, got, sizeof got, 0), sizeof got);
    CHECK_EQ(memcmp(got, data, sizeof data), 0);
    /* Offsets of one's own leave the position alone. */
    loff_t from = 1000, to = 5;
    CHECK_EQ(splice(in, &from, p[1], NULL, 10, 0), 10);
    CHECK_EQ(from, 1010);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), sizeof data);
    CHECK_EQ(splice(p[0], NULL, out, &to, 4, 0), 4);
    CHECK_EQ(to, 9);
    CHECK_EQ(pread(out, got, 4, 5), 4);
    CHECK_EQ(memcmp(got, data + 1000, 4), 0);
    CHECK_EQ(read(p[0], got, 100), 6);
    CHECK_EQ(memcmp(got, data + 1004, 6), 0);
    from = sizeof data;
    CHECK_EQ(splice(in, &from, p[1], NULL, 10, 0), 0);
    CHECK_OK(close(p[1]));
    CHECK_EQ(splice(p[0], NULL, out, NULL, 10, 0), 0);
    CHECK_OK(close(p[0]));
    CHECK_OK(close(in));
    CHECK_OK(close(out));
    ok("files");
}

static void pipes(void) {
    int a[2], b[2];
    CHECK_OK(pipe(a));
    CHECK_OK(pipe(b));
    CHECK_EQ(write(a[1], "hello world", 11), 11);
    CHECK_EQ(tee(a[0], b[1], 5, 0), 5);
    CHECK_EQ(tee(a[0], b[1], 100, 0), 11);
    CHECK_EQ(write(a[1], "!", 1), 1); /* does not show in what was duplicated */
    CHECK_EQ(read(b[0], got, 100), 16);
    CHECK_EQ(memcmp(got, "hellohello world", 16), 0);
    CHECK_EQ(splice(a[0], NULL, b[1], NULL, 6, 0), 6);
    CHECK_EQ(splice(a[0], NULL, b[1], NULL, 100, SPLICE_F_NONBLOCK), 6);
    CHECK_EQ(read(b[0], got, 100), 12);
    CHECK_EQ(memcmp(got, "hello world!", 12), 0);
    CHECK_ERR(splice(a[0], NULL, b[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_ERR(tee(a[0], b[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_OK(close(a[1]));
    CHECK_EQ(splice(a[0], NULL, b[1], NULL, 1, 0), 0);
    CHECK_EQ(tee(a[0], b[1], 1, 0), 0);
    CHECK_OK(close(b[0]));
    CHECK_OK(close(b[1]));
    CHECK_OK(close(a[0]));
    ok("pipes");
}

static void memory(void) {
    int p[2];
    CHECK_OK(pipe(p));
    struct iovec v[2] = {{data, 10}, {data + 5000, 5000}};
    CHECK_EQ(vmsplice(p[1], v, 2, 0), 5010);
    struct iovec w[2] = {{got, 7}, {got + 7, 6000}};
    CHECK_EQ(vmsplice(p[0], w, 2, 0), 5010);
    CHECK_EQ(memcmp(got, data, 10), 0);
    CHECK_EQ(memcmp(got + 10, data + 5000, 5000), 0);
    CHECK_ERR(vmsplice(p[0], w, 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_EQ(vmsplice(p[1], v, 0, 0), 0);
    char *page = mmap(NULL, CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, data, CHECK_PAGE);
    struct iovec gift = {page, CHECK_PAGE};
    CHECK_EQ(vmsplice(p[1], &gift, 1, SPLICE_F_GIFT), CHECK_PAGE);
    CHECK_EQ(read(p[0], got, CHECK_PAGE), CHECK_PAGE);
    CHECK_EQ(memcmp(got, data, CHECK_PAGE), 0);
    struct iovec big = {data, sizeof data};
    CHECK_EQ(vmsplice(p[1], &big, 1, 0) > 0, 1); /* what fits; does not wait for the rest */
    CHECK_ERR(vmsplice(p[1], &big, 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_OK(close(p[0]));
    CHECK_OK(close(p[1]));
    ok("memory");
}

static _Atomic int reader_tid;
static int reader_pipe[2], reader_out;

static void *splicing_reader(void *arg) {
    (void)arg;
    reader_tid = gettid_();
    ssize_t n = splice(reader_pipe[0], NULL, reader_out, NULL, 100, 0);
    return (void *)(intptr_t)n;
}

static void blocking(void) {
    CHECK_OK(pipe(reader_pipe));
    reader_out = open("late", O_RDWR | O_CREAT, 0644);
    pthread_t t = spawn(splicing_reader, NULL);
    wait_until_asleep(&reader_tid);
    CHECK_EQ(write(reader_pipe[1], "late", 4), 4);
    CHECK_EQ((intptr_t)join(t), 4);
    CHECK_STR(get_file("late"), "late");
    CHECK_OK(close(reader_pipe[0]));
    CHECK_OK(close(reader_pipe[1]));
    CHECK_OK(close(reader_out));
    ok("blocking");
}

static void errors(void) {
    int p[2], q[2], f = open("in", O_RDWR), w = open("in", O_WRONLY), app;
    loff_t off = 0;
    app = open("in", O_WRONLY | O_APPEND);
    CHECK_OK(pipe(p));
    CHECK_OK(pipe(q));
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_ERR(splice(f, NULL, w, NULL, 1, 0), EINVAL);
    CHECK_ERR(splice(p[0], &off, w, NULL, 1, 0), ESPIPE);
    CHECK_ERR(splice(f, NULL, p[1], &off, 1, 0), ESPIPE);
    CHECK_ERR(splice(p[0], NULL, p[1], NULL, 1, 0), EINVAL);
    CHECK_ERR(splice(p[0], NULL, app, NULL, 1, 0), EINVAL);
    CHECK_ERR(splice(p[1], NULL, f, NULL, 1, 0), EBADF);
    CHECK_ERR(splice(w, NULL, p[1], NULL, 1, 0), EBADF);
    CHECK_ERR(splice(999, NULL, p[1], NULL, 1, 0), EBADF);
    CHECK_ERR(splice(f, NULL, 999, NULL, 1, 0), EBADF);
    CHECK_ERR(splice(p[0], NULL, f, NULL, 1, 0x100), EINVAL);
    CHECK_ERR(splice(f, bad_pointer(), p[1], NULL, 1, 0), EFAULT);
    off = -1;
    CHECK_ERR(splice(f, &off, p[1], NULL, 1, 0), EINVAL);
    CHECK_EQ(splice(999, NULL, 999, NULL, 0, 0), 0);
    CHECK_ERR(tee(p[0], p[1], 1, 0), EINVAL);
    CHECK_ERR(tee(f, p[1], 1, 0), EINVAL);
    CHECK_ERR(tee(p[1], q[1], 1, 0), EBADF);
    CHECK_ERR(tee(p[0], q[1], 1, 0x100), EINVAL);
    struct iovec v = {bad_pointer(), 10};
    CHECK_ERR(vmsplice(q[1], &v, 1, 0), EFAULT);
    CHECK_ERR(vmsplice(f, &v, 1, 0), EBADF);
    CHECK_ERR(vmsplice(p[1], &v, 1, 0x100), EINVAL);
    signal(SIGPIPE, SIG_IGN);
    CHECK_OK(close(p[0]));
    CHECK_ERR(splice(f, NULL, p[1], NULL, 1, 0), EPIPE);
    CHECK_ERR(splice(q[0], NULL, p[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    ok("errors");
}

int main(void) {
    fill();
    scratch();
    files();
    pipes();
    memory();
    blocking();
    errors();
    return 0;
}
