/* SPDX-License-Identifier: MIT */
/* System V message queues between threads. */
#include "thread.h"

#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>

struct text {
    long type;
    char bytes[100];
};

static int queue;

static void put(long type, const char *s) {
    struct text m = {.type = type};
    strcpy(m.bytes, s);
    CHECK_OK(msgsnd(queue, &m, strlen(s), 0));
}

static void expect(long type, int flags, long want, const char *s) {
    struct text m = {0};
    CHECK_EQ(msgrcv(queue, &m, sizeof m.bytes, type, flags | IPC_NOWAIT), strlen(s));
    CHECK_EQ(m.type, want);
    CHECK_STR(m.bytes, s);
}

static void selection(void) {
    put(3, "three");
    put(1, "one");
    put(2, "two");
    put(1, "uno");
    put(3, "");
    expect(1, 0, 1, "one");
    expect(-2, 0, 1, "uno");
    expect(-2, 0, 2, "two");
    expect(0, 0, 3, "three");
    put(5, "five");
    expect(3, MSG_EXCEPT, 5, "five");
    expect(0, 0, 3, "");
    struct text m;
    CHECK_ERR(msgrcv(queue, &m, 10, 0, IPC_NOWAIT), ENOMSG);
    put(1, "long message");
    CHECK_ERR(msgrcv(queue, &m, 4, 0, IPC_NOWAIT), E2BIG);
    CHECK_ERR(msgrcv(queue, &m, 4, 9, IPC_NOWAIT), ENOMSG);
    CHECK_EQ(msgrcv(queue, &m, 4, 0, IPC_NOWAIT | MSG_NOERROR), 4);
    CHECK_EQ(memcmp(m.bytes, "long", 4), 0);
    CHECK_ERR(msgrcv(queue, &m, 4, 0, IPC_NOWAIT), ENOMSG);
    ok("selection");
}

static void limits(void) {
    static struct {
        long type;
        char bytes[8193];
    } big = {1, {0}};
    struct msqid_ds ds;
    CHECK_ERR(msgsnd(queue, &big, 8193, 0), EINVAL);
    CHECK_OK(msgsnd(queue, &big, 8192, 0));
    CHECK_OK(msgsnd(queue, &big, 8192, 0));
    CHECK_ERR(msgsnd(queue, &big, 1, IPC_NOWAIT), EAGAIN);
    CHECK_OK(msgctl(queue, IPC_STAT, &ds));
    CHECK_EQ(ds.msg_qnum, 2);
    CHECK_EQ(ds.msg_qbytes, 16384);
    CHECK_EQ(ds.msg_lspid, getpid());
    CHECK(ds.msg_stime > 0 && ds.msg_ctime > 0);
    CHECK_EQ(msgrcv(queue, &big, 8192, 0, 0), 8192);
    CHECK_EQ(msgrcv(queue, &big, 8192, 0, 0), 8192);
    ds.msg_qbytes = 100;
    CHECK_OK(msgctl(queue, IPC_SET, &ds));
    CHECK_ERR(msgsnd(queue, &big, 101, IPC_NOWAIT), EAGAIN);
    ds.msg_qbytes = 16384;
    CHECK_OK(msgctl(queue, IPC_SET, &ds));
    ok("limits");
}

static void errors(void) {
    struct text m = {.type = 0};
    CHECK_ERR(msgsnd(queue, &m, 1, 0), EINVAL);
    m.type = -1;
    CHECK_ERR(msgsnd(queue, &m, 1, 0), EINVAL);
    m.type = 1;
    CHECK_ERR(msgsnd(-1, &m, 1, 0), EINVAL);
    CHECK_ERR(msgsnd(queue, bad_pointer(), 1, 0), EFAULT);
    CHECK_ERR(msgrcv(-1, &m, 1, 0, 0), EINVAL);
    CHECK_ERR(msgrcv(queue, &m, (size_t)-1, 0, 0), EINVAL);
    CHECK_ERR(msgctl(queue, 999, NULL), EINVAL);
    CHECK_ERR(msgctl(-1, IPC_RMID, NULL), EINVAL);
    CHECK_ERR(msgctl(queue, IPC_STAT, bad_pointer()), EFAULT);
    key_t key = (key_t)(0x49000000 | (getpid() & 0xffff));
    CHECK_ERR(msgget(key, 0600), ENOENT);
    int id = msgget(key, IPC_CREAT | 0600);
    CHECK(id >= 0);
    CHECK_EQ(msgget(key, 0), id);
    CHECK_ERR(msgget(key, IPC_CREAT | IPC_EXCL), EEXIST);
    CHECK_OK(msgctl(id, IPC_RMID, NULL));
    CHECK(msgrcv(id, &m, 1, 0, IPC_NOWAIT) == -1 && (errno == EINVAL || errno == EIDRM));
    ok("errors");
}

static _Atomic int tid, result;

static void *receive(void *arg) {
    struct text m;
    tid = gettid_();
    ssize_t n = msgrcv(queue, &m, sizeof m.bytes, *(long *)arg, 0);
    result = n >= 0 ? (int)n + 1 : -errno;
    return NULL;
}

static void on_signal(int sig) { (void)sig; }

static pthread_t start(long *type) {
    tid = result = 0;
    pthread_t t = spawn(receive, type);
    wait_until_asleep(&tid);
    CHECK_EQ(result, 0);
    return t;
}

static void blocking(void) {
    long type = 7;
    pthread_t t = start(&type);
    put(6, "six");
    put(7, "seven");
    join(t);
    CHECK_EQ(result, 6);
    expect(0, 0, 6, "six");
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    CHECK_OK(sigaction(SIGUSR1, &action, NULL));
    t = start(&type);
    CHECK_OK(pthread_kill(t, SIGUSR1));
    join(t);
    CHECK_EQ(result, -EINTR);
    t = start(&type);
    CHECK_OK(msgctl(queue, IPC_RMID, NULL));
    join(t);
    CHECK_EQ(result, -EIDRM);
    ok("blocking");
}

#define MESSAGES 2000

static void *produce(void *arg) {
    struct text m = {.type = 1};
    (void)arg;
    for (int i = 0; i < MESSAGES; i++) {
        memcpy(m.bytes, &i, sizeof i);
        CHECK_OK(msgsnd(queue, &m, sizeof m.bytes, 0));
    }
    return NULL;
}

static void flow(void) {
    pthread_t t = spawn(produce, NULL);
    for (int i = 0; i < MESSAGES; i++) {
        struct text m;
        int n;
        CHECK_EQ(msgrcv(queue, &m, sizeof m.bytes, 0, 0), sizeof m.bytes);
        memcpy(&n, m.bytes, sizeof n);
        CHECK_EQ(n, i);
    }
    join(t);
    ok("flow");
}

int main(void) {
    queue = msgget(IPC_PRIVATE, 0600);
    CHECK(queue >= 0);
    selection();
    limits();
    errors();
    flow();
    blocking();
    return 0;
}
