/* SPDX-License-Identifier: MIT */
/* What a handler does to each call that waits, with SA_RESTART and without it: the lists of
 * signal(7), as a table.  A row's call is made by a thread; once that sleeps it gets a signal. Then
 * either the call has failed with EINTR, or it sleeps again and ends when it is given what it waits
 * for. */
#include "signals.h"
#include "thread.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>

static int pipe_fds[2], full_pipe[2], pair[2], full_pair[2], timed_pair[2], event_fd, full_event,
    epoll_fd, timer_fd, signal_fd, inotify_fd, listener, lock_fds[2], msg_queue, sem_set;
static char big[65536];
static uint32_t word;
static struct sockaddr_un address;
static socklen_t address_length;

static long wait_read(void) { return read(pipe_fds[0], big, 1); }
static long wait_readv(void) {
    struct iovec v = {big, 1};
    return readv(pipe_fds[0], &v, 1);
}
static void give_byte(void) { CHECK_EQ(write(pipe_fds[1], "x", 1), 1); }
static long wait_write(void) { return write(full_pipe[1], big, 4096); }
static void take_page(void) { CHECK_EQ(read(full_pipe[0], big, 4096), 4096); }
static long wait_splice(void) { return splice(pipe_fds[0], NULL, full_pipe[1], NULL, 1, 0); }
static void give_splice(void) {
    take_page();
    give_byte();
}
static long wait_recv(void) { return recv(pair[0], big, 1, 0); }
static long wait_recvmsg(void) {
    struct iovec v = {big, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    return recvmsg(pair[0], &m, 0);
}
static long wait_recvmmsg(void) {
    struct iovec v = {big, 1};
    struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
    return recvmmsg(pair[0], &m, 1, 0, NULL);
}
static void give_message(void) { CHECK_EQ(send(pair[1], "x", 1, 0), 1); }
static long wait_send(void) { return send(full_pair[0], big, 1024, 0); }
static void take_message(void) {
    CHECK(recv(full_pair[1], big, sizeof big, 0) > 0);
    while (recv(full_pair[1], big, sizeof big, MSG_DONTWAIT) > 0)
        continue;
}
static long wait_timed_recv(void) { return recv(timed_pair[0], big, 1, 0); }
static long wait_accept(void) {
    int fd = accept(listener, NULL, NULL);
    if (fd >= 0) close(fd);
    return fd;
}
static void give_connection(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_OK(connect(fd, (struct sockaddr *)&address, address_length));
    CHECK_OK(close(fd));
}
static long wait_flock(void) {
    long r = flock(lock_fds[1], LOCK_EX);
    if (r == 0) flock(lock_fds[1], LOCK_UN);
    return r;
}
static void give_flock(void) { CHECK_OK(flock(lock_fds[0], LOCK_UN)); }
static long wait_setlkw(void) {
    struct flock l = {.l_type = F_WRLCK};
    long r = fcntl(lock_fds[1], F_OFD_SETLKW, &l);
    l.l_type = F_UNLCK;
    if (r == 0) fcntl(lock_fds[1], F_OFD_SETLK, &l);
    return r;
}
static void give_setlkw(void) {
    struct flock l = {.l_type = F_UNLCK};
    CHECK_OK(fcntl(lock_fds[0], F_OFD_SETLK, &l));
}
static long wait_eventfd(void) {
    uint64_t n;
    return read(event_fd, &n, sizeof n);
}
static void give_event(void) { CHECK_OK(eventfd_write(event_fd, 1)); }
static long wait_full_eventfd(void) {
    uint64_t n = 1;
    return write(full_event, &n, sizeof n);
}
static void take_event(void) {
    eventfd_t n;
    CHECK_OK(eventfd_read(full_event, &n));
}
static long wait_timerfd(void) {
    uint64_t n;
    return read(timer_fd, &n, sizeof n);
}
static void give_timer(void) {
    const struct itimerspec soon = {.it_value.tv_nsec = 1};
    CHECK_OK(timerfd_settime(timer_fd, 0, &soon, NULL));
}
static long wait_signalfd(void) {
    struct signalfd_siginfo info;
    return read(signal_fd, &info, sizeof info);
}
static void give_signal(void) { CHECK_OK(kill(getpid(), SIGUSR2)); }
static long wait_inotify(void) { return read(inotify_fd, big, sizeof big); }
static void give_file(void) {
    put_file("made", "x");
    CHECK_OK(unlink("made"));
}
static long wait_futex(void) { return futex(&word, F_WAIT, 0, NULL, NULL, 0); }
static long wait_futex_bitset(void) { return futex(&word, F_WAIT_BITSET, 0, NULL, NULL, 1); }
static void wake_futex(void) { CHECK_EQ(futex(&word, F_WAKE, 1, NULL, NULL, 0), 1); }
static long wait_timed_futex(void) {
    const struct timespec hour = {.tv_sec = 3600};
    return futex(&word, F_WAIT, 0, &hour, NULL, 0);
}

static long wait_poll(void) {
    struct pollfd p = {.fd = pipe_fds[0], .events = POLLIN};
    return poll(&p, 1, -1);
}
static long wait_ppoll(void) {
    struct pollfd p = {.fd = pipe_fds[0], .events = POLLIN};
    return ppoll(&p, 1, NULL, NULL);
}
static long wait_select(void) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pipe_fds[0], &set);
    return select(pipe_fds[0] + 1, &set, NULL, NULL, NULL);
}
static long wait_pselect(void) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pipe_fds[0], &set);
    return pselect(pipe_fds[0] + 1, &set, NULL, NULL, NULL, NULL);
}
static long wait_epoll(void) {
    struct epoll_event e;
    return epoll_wait(epoll_fd, &e, 1, -1);
}
static long wait_epoll_pwait(void) {
    struct epoll_event e;
    return epoll_pwait(epoll_fd, &e, 1, -1, NULL);
}
static long wait_pause(void) { return pause(); }
static long wait_sigsuspend(void) {
    sigset_t none;
    sigemptyset(&none);
    return sigsuspend(&none);
}
static long wait_sigtimedwait(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 8); /* some libcs try again */
}
static long wait_nanosleep(void) {
    const struct timespec hour = {.tv_sec = 3600};
    return nanosleep(&hour, NULL);
}
static long wait_clock_nanosleep(void) {
    struct timespec t;
    CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &t));
    t.tv_sec += 3600;
    return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}
static long wait_msgrcv(void) {
    struct {
        long type;
        char c;
    } m;
    return msgrcv(msg_queue, &m, 1, 0, 0);
}
static long wait_semop(void) {
    struct sembuf op = {.sem_op = -1};
    return semop(sem_set, &op, 1);
}
static long wait_semtimedop(void) {
    struct sembuf op = {.sem_op = -1};
    const struct timespec hour = {.tv_sec = 3600};
    return semtimedop(sem_set, &op, 1, &hour);
}

/* `give` NULL: never restarted, whatever SA_RESTART says. */
static const struct row {
    const char *name;
    long (*wait)(void);
    void (*give)(void);
} rows[] = {
    {"read", wait_read, give_byte},
    {"readv", wait_readv, give_byte},
    {"write", wait_write, take_page},
    {"splice", wait_splice, give_splice},
    {"recv", wait_recv, give_message},
    {"recvmsg", wait_recvmsg, give_message},
    {"recvmmsg", wait_recvmmsg, give_message},
    {"send", wait_send, take_message},
    {"accept", wait_accept, give_connection},
    {"flock", wait_flock, give_flock},
    {"fcntl F_OFD_SETLKW", wait_setlkw, give_setlkw},
    {"read of an eventfd", wait_eventfd, give_event},
    {"write to an eventfd", wait_full_eventfd, take_event},
    {"read of a timerfd", wait_timerfd, give_timer},
    {"read of a signalfd", wait_signalfd, give_signal},
    {"read of inotify", wait_inotify, give_file},
    {"futex wait", wait_futex, wake_futex},
    {"futex wait with a bit set", wait_futex_bitset, wake_futex},
    {"futex wait with a timeout", wait_timed_futex, NULL},
    {"recv with SO_RCVTIMEO", wait_timed_recv, NULL},
    {"poll", wait_poll, NULL},
    {"ppoll", wait_ppoll, NULL},
    {"select", wait_select, NULL},
    {"pselect", wait_pselect, NULL},
    {"epoll_wait", wait_epoll, NULL},
    {"epoll_pwait", wait_epoll_pwait, NULL},
    {"pause", wait_pause, NULL},
    {"sigsuspend", wait_sigsuspend, NULL},
    {"sigtimedwait", wait_sigtimedwait, NULL},
    {"nanosleep", wait_nanosleep, NULL},
    {"clock_nanosleep", wait_clock_nanosleep, NULL},
    {"msgrcv", wait_msgrcv, NULL},
    {"semop", wait_semop, NULL},
    {"semtimedop", wait_semtimedop, NULL},
};

static _Atomic int waiter, finished;
static int result_errno;

static void *run_row(void *arg) {
    const struct row *r = arg;
    waiter = gettid_();
    errno = 0;
    result_errno = r->wait() < 0 ? errno : 0;
    finished = 1;
    return NULL;
}

/* Handlers that ran, by the thread they ran in: only the waiting one's count. */
static _Atomic int handled;
static void on_signal(int sig) {
    (void)sig;
    handled++;
}

static void lock_first(const struct row *r) {
    struct flock l = {.l_type = F_WRLCK};
    if (r->wait == wait_flock) CHECK_OK(flock(lock_fds[0], LOCK_EX));
    if (r->wait == wait_setlkw) CHECK_OK(fcntl(lock_fds[0], F_OFD_SETLK, &l));
}

static void unlock_after(const struct row *r) {
    if (r->wait == wait_flock) give_flock();
    if (r->wait == wait_setlkw) give_setlkw();
}

static void try_row(const struct row *r, int flags) {
    waiter = finished = handled = 0;
    handle_signal(SIGUSR1, on_signal, flags);
    lock_first(r);
    pthread_t t = spawn(run_row, (void *)(uintptr_t)r);
    wait_until_asleep(&waiter);
    CHECK_OK(syscall(SYS_tgkill, getpid(), waiter, SIGUSR1));
    while (handled == 0)
        sleep_ms(1);
    int restarts = r->give != NULL && (flags & SA_RESTART);
    if (restarts) {
        while (!finished && thread_state(waiter) != 'S')
            sleep_ms(1);
        CHECK_EQ(finished, 0);
        r->give();
    }
    join(t);
    if (result_errno != (restarts ? 0 : EINTR))
        printf("%s, flags %x: errno %d\n", r->name, flags, result_errno);
    CHECK_EQ(result_errno, restarts ? 0 : EINTR);
    CHECK_EQ(handled, 1);
    unlock_after(r);
}

static void fill(int fd) {
    CHECK_OK(fcntl(fd, F_SETFL, O_NONBLOCK));
    while (write(fd, big, 4096) > 0)
        continue;
    CHECK_OK(fcntl(fd, F_SETFL, 0));
}

static void make_objects(void) {
    sigset_t set;
    struct epoll_event e = {.events = EPOLLIN};
    const struct timeval hour = {.tv_sec = 3600};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    CHECK_EQ(pipe(pipe_fds) | pipe(full_pipe), 0);
    fill(full_pipe[1]);
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, timed_pair));
    CHECK_OK(setsockopt(timed_pair[0], SOL_SOCKET, SO_RCVTIMEO, &hour, sizeof hour));
    CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, full_pair));
    fill(full_pair[0]);
    CHECK((event_fd = eventfd(0, 0)) >= 0 && (full_event = eventfd(0, 0)) >= 0);
    CHECK_OK(eventfd_write(full_event, UINT64_MAX - 1));
    CHECK((epoll_fd = epoll_create1(0)) >= 0);
    CHECK_OK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, pipe_fds[0], &e));
    CHECK((timer_fd = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0);
    CHECK((signal_fd = signalfd(-1, &set, 0)) >= 0);
    CHECK((inotify_fd = inotify_init1(0)) >= 0);
    address.sun_family = AF_UNIX; /* a name of its own */
    address_length = sizeof(sa_family_t);
    CHECK((listener = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0);
    CHECK_OK(bind(listener, (struct sockaddr *)&address, address_length));
    address_length = sizeof address;
    CHECK_OK(getsockname(listener, (struct sockaddr *)&address, &address_length));
    CHECK_OK(listen(listener, 4));
    put_file("lock", "x");
    for (int i = 0; i < 2; i++)
        CHECK((lock_fds[i] = open("lock", O_RDWR)) >= 0);
    CHECK(inotify_add_watch(inotify_fd, ".", IN_CREATE) >= 0);
    CHECK((msg_queue = msgget(IPC_PRIVATE, 0600)) >= 0);
    CHECK((sem_set = semget(IPC_PRIVATE, 1, 0600)) >= 0);
}

int main(void) {
    scratch();
    make_objects();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        try_row(&rows[i], 0);
        try_row(&rows[i], SA_RESTART);
        ok(rows[i].name);
        if (rows[i].wait == wait_write || rows[i].wait == wait_splice) fill(full_pipe[1]);
        if (rows[i].wait == wait_send) fill(full_pair[0]);
    }
    CHECK_OK(msgctl(msg_queue, IPC_RMID, NULL));
    CHECK_OK(semctl(sem_set, 0, IPC_RMID));
    return 0;
}
