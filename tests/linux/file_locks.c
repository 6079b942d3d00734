/* SPDX-License-Identifier: MIT */
/* flock(2) and the record locks of fcntl(2), POSIX and OFD, inside one process. */
#include "thread.h"

#include <stdbool.h>

#include <signal.h>
#include <sys/file.h>

static struct flock range(int type, off_t start, off_t len) {
    return (struct flock){
        .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
}

static int lock(int fd, int cmd, int type, off_t start, off_t len) {
    struct flock l = range(type, start, len);
    return fcntl(fd, cmd, &l);
}

/* What an OFD lock for writing at [start, len) would meet. */
static struct flock meets(int fd, off_t start, off_t len) {
    struct flock l = range(F_WRLCK, start, len);
    CHECK_OK(fcntl(fd, F_OFD_GETLK, &l));
    return l;
}

static void expect(int fd, off_t start, off_t len, int type, off_t at, off_t at_len) {
    struct flock l = meets(fd, start, len);
    CHECK_EQ(l.l_type, type);
    if (type == F_UNLCK) return;
    CHECK_EQ(l.l_whence, SEEK_SET);
    CHECK_EQ(l.l_start, at);
    CHECK_EQ(l.l_len, at_len);
}

static void whole_files(void) {
    int a = open("f", O_RDWR | O_CREAT, 0644), b = open("f", O_RDONLY), c = dup(a);
    CHECK_OK(flock(a, LOCK_EX));
    CHECK_ERR(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK_ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    CHECK_OK(flock(c, LOCK_EX | LOCK_NB)); /* one open file */
    CHECK_OK(flock(a, LOCK_SH));
    CHECK_OK(flock(b, LOCK_SH | LOCK_NB));
    CHECK_ERR(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    /* The failed upgrade cost a its lock. */
    CHECK_OK(flock(b, LOCK_EX | LOCK_NB));
    CHECK_OK(flock(b, LOCK_UN));
    CHECK_OK(flock(b, LOCK_UN));
    CHECK_OK(flock(a, LOCK_EX));
    CHECK_OK(close(a));
    CHECK_ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    CHECK_OK(close(c));
    CHECK_OK(flock(b, LOCK_SH | LOCK_NB));
    CHECK_OK(close(b));
    CHECK_ERR(flock(b, LOCK_SH), EBADF);
    a = open(".", O_RDONLY), b = open(".", O_RDONLY);
    CHECK_OK(flock(a, LOCK_EX));
    CHECK_ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    CHECK_ERR(flock(b, 0), EINVAL);
    CHECK_ERR(flock(b, LOCK_SH | LOCK_EX), EINVAL);
    CHECK_ERR(flock(999, LOCK_SH), EBADF);
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    ok("flock");
}

static _Atomic int waiter_tid, got_it;

struct waiter {
    int fd;
    int cmd; /* 0: flock */
};

static void *wait_for_lock(void *arg) {
    const struct waiter *w = arg;
    waiter_tid = gettid_();
    int r = w->cmd == 0 ? flock(w->fd, LOCK_EX) : lock(w->fd, w->cmd, F_WRLCK, 5, 5);
    got_it = r == 0 ? 1 : -errno;
    return NULL;
}

static pthread_t start_waiter(struct waiter *w) {
    waiter_tid = got_it = 0;
    pthread_t t = spawn(wait_for_lock, w);
    wait_until_asleep(&waiter_tid);
    CHECK_EQ(got_it, 0);
    return t;
}

static void blocking(void) {
    int a = open("f", O_RDWR), b = open("f", O_RDWR);
    struct waiter w = {b, 0};
    CHECK_OK(flock(a, LOCK_SH));
    pthread_t t = start_waiter(&w);
    CHECK_OK(flock(a, LOCK_UN));
    join(t);
    CHECK_EQ(got_it, 1);
    CHECK_OK(flock(b, LOCK_UN));
    CHECK_OK(flock(a, LOCK_EX));
    t = start_waiter(&w);
    CHECK_OK(close(a));
    join(t);
    CHECK_EQ(got_it, 1);

    a = open("f", O_RDWR);
    w.cmd = F_OFD_SETLKW;
    CHECK_OK(lock(a, F_OFD_SETLK, F_RDLCK, 0, 100));
    t = start_waiter(&w);
    CHECK_OK(lock(a, F_OFD_SETLK, F_UNLCK, 0, 8));
    CHECK_OK(lock(a, F_OFD_SETLK, F_UNLCK, 8, 2));
    join(t);
    CHECK_EQ(got_it, 1);
    expect(a, 0, 0, F_WRLCK, 5, 5);
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    ok("blocking");
}

static void on_signal(int sig) { (void)sig; }

static void interrupted(void) {
    int a = open("f", O_RDWR), b = open("f", O_RDWR);
    struct sigaction action = {.sa_handler = on_signal};
    CHECK_OK(sigaction(SIGUSR1, &action, NULL));
    struct waiter w = {b, 0};
    CHECK_OK(flock(a, LOCK_EX));
    pthread_t t = start_waiter(&w);
    CHECK_OK(pthread_kill(t, SIGUSR1));
    join(t);
    CHECK_EQ(got_it, -EINTR);
    w.cmd = F_OFD_SETLKW;
    CHECK_OK(lock(a, F_SETLK, F_WRLCK, 0, 0));
    t = start_waiter(&w);
    CHECK_OK(pthread_kill(t, SIGUSR1));
    join(t);
    CHECK_EQ(got_it, -EINTR);
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    ok("signals");
}

static void posix_ranges(void) {
    int a = open("f", O_RDWR), b = open("f", O_RDWR);
    CHECK_OK(lock(a, F_SETLK, F_WRLCK, 100, 100));
    CHECK_OK(lock(b, F_SETLK, F_WRLCK, 150, 100)); /* the process's own: joined */
    expect(b, 0, 0, F_WRLCK, 100, 150);
    CHECK_EQ(meets(b, 0, 0).l_pid, getpid());
    CHECK_OK(lock(a, F_SETLK, F_UNLCK, 120, 10)); /* split */
    expect(b, 0, 110, F_WRLCK, 100, 20);
    expect(b, 120, 10, F_UNLCK, 0, 0);
    expect(b, 125, 0, F_WRLCK, 130, 120);
    CHECK_OK(lock(a, F_SETLK, F_RDLCK, 140, 10)); /* part becomes shared */
    expect(b, 140, 10, F_RDLCK, 140, 10);
    expect(b, 130, 10, F_WRLCK, 130, 10);
    expect(b, 150, 10, F_WRLCK, 150, 100);
    CHECK_ERR(lock(b, F_OFD_SETLK, F_WRLCK, 140, 10), EAGAIN);
    CHECK_OK(lock(b, F_OFD_SETLK, F_RDLCK, 140, 10));
    CHECK_ERR(lock(a, F_SETLK, F_WRLCK, 140, 10), EAGAIN);
    CHECK_OK(lock(b, F_OFD_SETLK, F_UNLCK, 0, 0));
    CHECK_OK(lock(a, F_SETLK, F_WRLCK, 120, 60)); /* one again */
    expect(b, 0, 0, F_WRLCK, 100, 150);
    CHECK_OK(lock(a, F_SETLK, F_WRLCK, 250, 0)); /* touches: up to the end of all files */
    expect(b, 0, 0, F_WRLCK, 100, 0);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 50, .l_len = -10};
    CHECK_OK(fcntl(a, F_SETLK, &l));
    expect(b, 0, 60, F_WRLCK, 40, 10);
    /* Any descriptor of the file that is closed takes them all. */
    int c = open("f", O_RDONLY);
    CHECK_OK(close(c));
    expect(b, 0, 0, F_UNLCK, 0, 0);
    CHECK_OK(lock(a, F_SETLK, F_WRLCK, 0, 1));
    CHECK_EQ(dup2(a, 77), 77);
    CHECK_EQ(dup2(b, 77), 77);
    expect(b, 0, 0, F_UNLCK, 0, 0);
    CHECK_OK(close(77));
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    ok("ranges");
}

static void ofd_locks(void) {
    int a = open("f", O_RDWR), b = open("f", O_RDWR), c = dup(a);
    CHECK_OK(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10));
    CHECK_ERR(lock(b, F_OFD_SETLK, F_RDLCK, 9, 1), EAGAIN);
    CHECK_ERR(lock(b, F_SETLK, F_RDLCK, 9, 1), EAGAIN);
    CHECK_OK(lock(b, F_OFD_SETLK, F_RDLCK, 10, 1));
    expect(b, 0, 0, F_WRLCK, 0, 10);
    CHECK_EQ(meets(b, 0, 0).l_pid, -1);
    struct flock l = range(F_WRLCK, 0, 0);
    CHECK_OK(fcntl(b, F_GETLK, &l));
    CHECK(l.l_type != F_UNLCK && l.l_pid == -1);
    CHECK_OK(close(a));
    expect(b, 0, 0, F_WRLCK, 0, 10);
    CHECK_OK(close(c));
    expect(b, 0, 5, F_UNLCK, 0, 0);
    l = range(F_RDLCK, 0, 0);
    l.l_pid = 1;
    CHECK_ERR(fcntl(b, F_OFD_SETLK, &l), EINVAL);
    CHECK_ERR(fcntl(b, F_OFD_GETLK, &l), EINVAL);
    CHECK_OK(close(b));
    ok("OFD locks");
}

static void errors(void) {
    int a = open("f", O_RDONLY), b = open("f", O_WRONLY), p = open("f", O_PATH);
    CHECK_ERR(lock(a, F_SETLK, F_WRLCK, 0, 1), EBADF);
    CHECK_ERR(lock(b, F_SETLK, F_RDLCK, 0, 1), EBADF);
    CHECK_ERR(lock(p, F_SETLK, F_RDLCK, 0, 1), EBADF);
    CHECK_ERR(flock(p, LOCK_SH), EBADF);
    CHECK_ERR(lock(a, F_SETLK, F_RDLCK, -1, 1), EINVAL);
    CHECK_ERR(lock(a, F_SETLK, F_RDLCK, 5, -6), EINVAL);
    CHECK_ERR(lock(a, F_SETLK, F_RDLCK, INT64_MAX, 2), EOVERFLOW);
    CHECK_ERR(lock(a, F_SETLK, 9, 0, 1), EINVAL);
    CHECK_ERR(lock(a, F_GETLK, F_UNLCK, 0, 1), EINVAL);
    CHECK_ERR(fcntl(a, F_SETLK, bad_pointer()), EFAULT);
    struct flock l = {.l_type = F_RDLCK, .l_whence = 3};
    CHECK_ERR(fcntl(a, F_SETLK, &l), EINVAL);
    CHECK_EQ(lseek(a, 3, SEEK_SET), 3);
    l = (struct flock){.l_type = F_RDLCK, .l_whence = SEEK_CUR, .l_start = -4};
    CHECK_ERR(fcntl(a, F_SETLK, &l), EINVAL);
    l.l_start = INT64_MAX;
    CHECK_ERR(fcntl(a, F_SETLK, &l), EOVERFLOW);
    CHECK_EQ(fcntl(a, F_GETLEASE), F_UNLCK);
    CHECK_ERR(fcntl(a, F_SETLEASE, 55), EINVAL);
    CHECK_OK(close(a));
    CHECK_OK(close(b));
    CHECK_OK(close(p));
    ok("errors");
}

/* Many waiters, one at a time inside. */
static _Atomic int inside, rounds;

static void *contend(void *arg) {
    bool records = arg != NULL;
    int fd = open("f", O_RDWR);
    for (int i = 0; i < 50; i++) {
        CHECK_OK(records ? lock(fd, F_OFD_SETLKW, F_WRLCK, 0, 0) : flock(fd, LOCK_EX));
        CHECK_EQ(++inside, 1);
        rounds++;
        sched_yield();
        CHECK_EQ(--inside, 0);
        CHECK_OK(records ? lock(fd, F_OFD_SETLK, F_UNLCK, 0, 0) : flock(fd, LOCK_UN));
    }
    CHECK_OK(close(fd));
    return NULL;
}

static void contention(void) {
    pthread_t t[4];
    for (int how = 0; how < 2; how++) {
        rounds = 0;
        for (int i = 0; i < 4; i++)
            t[i] = spawn(contend, how ? &inside : NULL);
        for (int i = 0; i < 4; i++)
            join(t[i]);
        CHECK_EQ(rounds, 200);
    }
    ok("contention");
}

/* With arguments, a part of tests/e2e/shared_locks.py: "count FILE HOW TIMES" adds to the number in
 * the file, "try FILE HOW" reports whether the lock is to be had. */
static int take(int fd, const char *how, bool wait) {
    if (strcmp(how, "flock") == 0) return flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB));
    if (strcmp(how, "ofd") == 0) return lock(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, F_WRLCK, 0, 0);
    return lock(fd, wait ? F_SETLKW : F_SETLK, F_WRLCK, 0, 0);
}

static void drop(int fd, const char *how) {
    if (strcmp(how, "flock") == 0)
        CHECK_OK(flock(fd, LOCK_UN));
    else
        CHECK_OK(lock(fd, strcmp(how, "ofd") == 0 ? F_OFD_SETLK : F_SETLK, F_UNLCK, 0, 0));
}

static int count_up(const char *path, const char *how, int times) {
    for (int i = 0; i < times; i++) {
        char text[16] = "";
        int fd = open(path, O_RDWR);
        CHECK(fd >= 0);
        CHECK_OK(take(fd, how, true));
        CHECK(pread(fd, text, sizeof text - 1, 0) >= 0);
        int len = snprintf(text, sizeof text, "%d", atoi(text) + 1);
        CHECK_EQ(pwrite(fd, text, (size_t)len, 0), len);
        if (i % 2) drop(fd, how);
        CHECK_OK(close(fd));
    }
    return 0;
}

static int try(const char *path, const char *how) {
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0);
    if (take(fd, how, false) == 0) {
        puts("free");
    } else {
        CHECK_EQ(errno, EAGAIN);
        struct flock l = range(F_WRLCK, 0, 0);
        CHECK_OK(fcntl(fd, F_OFD_GETLK, &l));
        printf("held %d\n", l.l_type != F_UNLCK);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 5) return count_up(argv[2], argv[3], atoi(argv[4]));
    if (argc == 4) return try(argv[2], argv[3]);
    scratch();
    whole_files();
    blocking();
    interrupted();
    posix_ranges();
    ofd_locks();
    errors();
    contention();
    return 0;
}
