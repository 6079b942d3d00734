/* SPDX-License-Identifier: MIT */
/* POSIX message queues: mq_overview(7). */
#include "thread.h"

#include <mqueue.h>
#include <poll.h>
#include <signal.h>

static char name[64];
static mqd_t queue;

static void opening(void) {
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 100}, got;
    CHECK_ERR(mq_open(name, O_RDWR), ENOENT);
    attr.mq_maxmsg = 0;
    CHECK_ERR(mq_open(name, O_RDWR | O_CREAT, 0600, &attr), EINVAL);
    attr.mq_maxmsg = 4;
    queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
    CHECK(queue >= 0);
    CHECK_ERR(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr), EEXIST);
    CHECK_OK(mq_getattr(queue, &got));
    CHECK_EQ(got.mq_maxmsg, 4);
    CHECK_EQ(got.mq_msgsize, 100);
    CHECK_EQ(got.mq_curmsgs, 0);
    CHECK_EQ(got.mq_flags, 0);
    CHECK_EQ(fcntl(queue, F_GETFD), FD_CLOEXEC);
    CHECK_ERR(mq_open("/a/b", O_RDWR | O_CREAT, 0600, NULL), EACCES);
    CHECK_ERR(syscall(SYS_mq_open, "", O_RDWR | O_CREAT, 0600, NULL), ENOENT);
    ok("opening");
}

static void expect(const char *text, unsigned priority) {
    char buf[100];
    unsigned got;
    CHECK_EQ(mq_receive(queue, buf, sizeof buf, &got), strlen(text));
    CHECK_EQ(memcmp(buf, text, strlen(text)), 0);
    CHECK_EQ(got, priority);
}

static void messages(void) {
    char buf[101] = "";
    struct mq_attr attr = {.mq_flags = O_NONBLOCK}, old;
    struct timespec past = {1, 0}, bad = {0, -1};
    struct pollfd p = {.fd = queue, .events = POLLIN | POLLOUT};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLOUT);
    CHECK_OK(mq_send(queue, "low", 3, 1));
    CHECK_OK(mq_send(queue, "high", 4, 9));
    CHECK_OK(mq_send(queue, "low too", 7, 1));
    CHECK_OK(mq_send(queue, "", 0, 32767));
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLIN);
    CHECK_ERR(mq_timedsend(queue, "x", 1, 0, &past), ETIMEDOUT);
    CHECK_ERR(mq_timedsend(queue, "x", 1, 0, &bad), EINVAL);
    CHECK_OK(mq_setattr(queue, &attr, &old));
    CHECK_EQ(old.mq_curmsgs, 4);
    CHECK_EQ(old.mq_flags, 0);
    CHECK_ERR(mq_send(queue, "x", 1, 0), EAGAIN);
    CHECK_ERR(mq_send(queue, buf, 101, 0), EMSGSIZE);
    CHECK_ERR(mq_send(queue, buf, 1, 32768), EINVAL);
    CHECK_ERR(mq_receive(queue, buf, 99, NULL), EMSGSIZE);
    expect("", 32767);
    expect("high", 9);
    expect("low", 1);
    expect("low too", 1);
    CHECK_ERR(mq_receive(queue, buf, 100, NULL), EAGAIN);
    attr.mq_flags = 0;
    CHECK_OK(mq_setattr(queue, &attr, NULL));
    CHECK_ERR(mq_timedreceive(queue, buf, 100, NULL, &past), ETIMEDOUT);
    mqd_t reader = mq_open(name, O_RDONLY), writer = mq_open(name, O_WRONLY);
    CHECK_ERR(mq_send(reader, "x", 1, 0), EBADF);
    CHECK_ERR(mq_receive(writer, buf, 100, NULL), EBADF);
    CHECK_ERR(mq_send(1, "x", 1, 0), EBADF);
    CHECK_OK(mq_close(reader));
    CHECK_OK(mq_close(writer));
    ok("messages");
}

static _Atomic int tid, notified;

static void *receiver(void *arg) {
    char buf[100];
    (void)arg;
    tid = gettid_();
    return (void *)(intptr_t)mq_receive(queue, buf, sizeof buf, NULL);
}

static void on_message(int sig, siginfo_t *info, void *context) {
    (void)sig;
    (void)context;
    notified += info->si_code == SI_MESGQ && info->si_value.sival_int == 77 ? 1 : 100;
}

static void waiting(void) {
    struct sigaction action = {.sa_sigaction = on_message, .sa_flags = SA_SIGINFO};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_int = 77;
    CHECK_OK(sigaction(SIGUSR1, &action, NULL));
    CHECK_OK(mq_notify(queue, &event));
    CHECK_ERR(mq_notify(queue, &event), EBUSY);
    pthread_t t = spawn(receiver, NULL);
    wait_until_asleep(&tid);
    CHECK_OK(mq_send(queue, "for the thread", 14, 0));
    CHECK_EQ((intptr_t)join(t), 14);
    CHECK_EQ(notified, 0);
    CHECK_OK(mq_send(queue, "one", 3, 0));
    while (notified == 0)
        sched_yield();
    CHECK_OK(mq_send(queue, "two", 3, 0));
    CHECK_OK(mq_notify(queue, &event)); /* once only; and now the queue is not empty */
    CHECK_OK(mq_send(queue, "three", 5, 0));
    CHECK_EQ(notified, 1);
    CHECK_OK(mq_notify(queue, NULL));
    event.sigev_notify = 55;
    CHECK_ERR(mq_notify(queue, &event), EINVAL);
    expect("one", 0);
    expect("two", 0);
    expect("three", 0);
    ok("waiting");
}

static void *producer(void *arg) {
    for (int i = 0; i < 1000; i++)
        CHECK_OK(mq_send(queue, (char *)&i, sizeof i, 3));
    return arg;
}

static void flow(void) {
    pthread_t t = spawn(producer, NULL);
    for (int i = 0; i < 1000; i++) {
        char buf[100];
        int n;
        CHECK_EQ(mq_receive(queue, buf, sizeof buf, NULL), sizeof n);
        memcpy(&n, buf, sizeof n);
        CHECK_EQ(n, i);
    }
    join(t);
    ok("flow");
}

int main(void) {
    snprintf(name, sizeof name, "/hermit-test-%d", getpid());
    mq_unlink(name);
    opening();
    messages();
    waiting();
    flow();
    CHECK_OK(mq_unlink(name));
    CHECK_ERR(mq_unlink(name), ENOENT);
    CHECK_OK(mq_send(queue, "still there", 11, 0));
    expect("still there", 0);
    CHECK_OK(mq_close(queue));
    return 0;
}
