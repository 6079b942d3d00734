/* SPDX-License-Identifier: MIT */
/* eventfd(2): counting, semaphores, blocking on both ends, readiness, errors. */
#include "thread.h"

#include <poll.h>
#include <sys/eventfd.h>

#define LIMIT (UINT64_MAX - 1)

static void add(int fd, uint64_t value) { CHECK_EQ(write(fd, &value, sizeof value), 8); }

static uint64_t take(int fd) {
    uint64_t value = 0;
    CHECK_EQ(read(fd, &value, sizeof value), 8);
    return value;
}

static int state(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
    CHECK(poll(&p, 1, 0) >= 0);
    return p.revents;
}

static void counting(void) {
    uint64_t value = 1;
    int fd = eventfd(5, EFD_NONBLOCK);
    CHECK(fd >= 0);
    CHECK_EQ(state(fd), POLLIN | POLLOUT);
    CHECK_EQ(take(fd), 5);
    CHECK_EQ(state(fd), POLLOUT);
    CHECK_ERR(read(fd, &value, 8), EAGAIN);
    add(fd, 0);
    CHECK_ERR(read(fd, &value, 8), EAGAIN);
    add(fd, 3);
    add(fd, LIMIT - 3);
    CHECK_EQ(state(fd), POLLIN);
    CHECK_ERR(write(fd, &value, 8), EAGAIN);
    CHECK(take(fd) == LIMIT);
    value = UINT64_MAX;
    CHECK_ERR(write(fd, &value, 8), EINVAL);
    CHECK_ERR(write(fd, &value, 7), EINVAL);
    CHECK_ERR(read(fd, &value, 7), EINVAL);
    CHECK_ERR(write(fd, bad_pointer(), 8), EFAULT);
    CHECK_ERR(pread(fd, &value, 8, 0), ESPIPE);
    CHECK_EQ(lseek(fd, 3, SEEK_SET), 0);
    CHECK_OK(close(fd));
    CHECK_ERR(eventfd(0, 2), EINVAL);
    ok("counting");
}

static void semaphore(void) {
    uint64_t value;
    int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDWR | O_NONBLOCK);
    CHECK_EQ(take(fd), 1);
    CHECK_EQ(take(fd), 1);
    CHECK_ERR(read(fd, &value, 8), EAGAIN);
    CHECK_OK(close(fd));
    ok("semaphore");
}

static void names(void) {
    char path[64], text[64];
    struct stat st;
    int fd = eventfd(0, 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, text, sizeof text - 1);
    CHECK(n > 0);
    text[n] = 0;
    CHECK_STR(text, "anon_inode:[eventfd]");
    CHECK_OK(fstat(fd, &st));
    CHECK_EQ(st.st_mode, 0600);
    CHECK_OK(close(fd));
    ok("names");
}

static _Atomic int blocked;

static void *reader(void *arg) {
    blocked = gettid_();
    return (void *)(uintptr_t)take(*(int *)arg);
}

static void *writer(void *arg) {
    blocked = gettid_();
    add(*(int *)arg, 2);
    return NULL;
}

static void blocking(void) {
    int fd = eventfd(0, 0);
    blocked = 0;
    pthread_t t = spawn(reader, &fd);
    wait_until_asleep(&blocked);
    add(fd, 77);
    CHECK_EQ((uintptr_t)join(t), 77);
    add(fd, LIMIT - 1);
    blocked = 0;
    t = spawn(writer, &fd);
    wait_until_asleep(&blocked);
    CHECK(take(fd) == LIMIT - 1);
    join(t);
    CHECK_EQ(take(fd), 2);
    CHECK_OK(close(fd));
    ok("blocking");
}

#define WORKERS 4
#define ROUNDS 500
static int work, done;

static void *worker(void *arg) {
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQ(take(work), 1);
        add(done, 1);
    }
    return NULL;
}

static void many_threads(void) {
    pthread_t t[WORKERS];
    uint64_t total = 0;
    work = eventfd(0, EFD_SEMAPHORE);
    done = eventfd(0, 0);
    for (int i = 0; i < WORKERS; i++)
        t[i] = spawn(worker, NULL);
    for (int i = 0; i < ROUNDS; i++)
        add(work, WORKERS);
    while (total < WORKERS * ROUNDS)
        total += take(done);
    for (int i = 0; i < WORKERS; i++)
        join(t[i]);
    CHECK_EQ(total, WORKERS * ROUNDS);
    ok("many threads");
}

int main(void) {
    counting();
    semaphore();
    names();
    blocking();
    many_threads();
    return 0;
}
