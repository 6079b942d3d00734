/* SPDX-License-Identifier: MIT */
/* System V semaphores between threads. */
#include "thread.h"

#include <signal.h>
#include <sys/ipc.h>
#include <sys/sem.h>

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};

static int op(int id, int num, int by, int flags) {
    struct sembuf b = {(unsigned short)num, (short)by, (short)flags};
    return semop(id, &b, 1);
}

static int value(int id, int num) { return semctl(id, num, GETVAL); }

static void set_value(int id, int num, int v) {
    union semun u = {.val = v};
    CHECK_OK(semctl(id, num, SETVAL, u));
}

static void identifiers(void) {
    key_t key = (key_t)(0x48000000 | (getpid() & 0xffff));
    int id = semget(key, 3, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(id >= 0);
    CHECK_EQ(semget(key, 3, 0600), id);
    CHECK_EQ(semget(key, 0, 0), id);
    CHECK_EQ(semget(key, 2, IPC_CREAT | 0600), id);
    CHECK_ERR(semget(key, 4, 0600), EINVAL);
    CHECK_ERR(semget(key, 3, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    CHECK_ERR(semget(key, -1, 0600), EINVAL);
    CHECK_ERR(semget(key + 0x10000, 1, 0600), ENOENT);
    CHECK_ERR(semget(IPC_PRIVATE, 0, 0600), EINVAL);
    CHECK_ERR(semget(IPC_PRIVATE, 40000, 0600), EINVAL);
    struct semid_ds ds;
    union semun u = {.buf = &ds};
    CHECK_OK(semctl(id, 0, IPC_STAT, u));
    CHECK_EQ(ds.sem_nsems, 3);
    CHECK_EQ(ds.sem_perm.mode & 0777, 0600);
    CHECK_EQ(ds.sem_perm.uid, geteuid());
    CHECK_EQ(ds.sem_otime, 0);
    CHECK(ds.sem_ctime > 0);
    CHECK_EQ(ds.sem_perm.__key, key);
    ds.sem_perm.mode = 0644;
    CHECK_OK(semctl(id, 0, IPC_SET, u));
    CHECK_OK(semctl(id, 0, IPC_STAT, u));
    CHECK_EQ(ds.sem_perm.mode & 0777, 0644);
    CHECK_OK(semctl(id, 0, IPC_RMID));
    int r = semctl(id, 0, GETVAL);
    CHECK(r == -1 && (errno == EINVAL || errno == EIDRM));
    CHECK_ERR(semget(key, 3, 0600), ENOENT);
    CHECK_ERR(semctl(-1, 0, GETVAL), EINVAL);
    ok("identifiers");
}

static void values(int id) {
    unsigned short all[3] = {5, 6, 7}, now[3];
    union semun u = {.array = all};
    CHECK_OK(semctl(id, 0, SETALL, u));
    u.array = now;
    CHECK_OK(semctl(id, 0, GETALL, u));
    CHECK_EQ(memcmp(all, now, sizeof all), 0);
    CHECK_OK(op(id, 1, 4, 0));
    CHECK_EQ(value(id, 1), 10);
    CHECK_EQ(semctl(id, 1, GETPID), getpid());
    CHECK_OK(op(id, 1, -10, 0));
    CHECK_ERR(op(id, 1, -1, IPC_NOWAIT), EAGAIN);
    CHECK_OK(op(id, 1, 0, 0));
    CHECK_ERR(op(id, 0, 0, IPC_NOWAIT), EAGAIN);
    /* All or nothing. */
    struct sembuf many[3] = {{0, -5, 0}, {2, 1, 0}, {1, -1, IPC_NOWAIT}};
    CHECK_ERR(semop(id, many, 3), EAGAIN);
    CHECK_EQ(value(id, 0), 5);
    CHECK_EQ(value(id, 2), 7);
    /* In order: one operation sees those before it. */
    struct sembuf twice[2] = {{1, 2, 0}, {1, -2, IPC_NOWAIT}};
    CHECK_OK(semop(id, twice, 2));
    set_value(id, 1, 32767);
    CHECK_ERR(op(id, 1, 1, 0), ERANGE);
    u.val = 32768;
    CHECK_ERR(semctl(id, 0, SETVAL, u), ERANGE);
    u.val = -1;
    CHECK_ERR(semctl(id, 0, SETVAL, u), ERANGE);
    CHECK_ERR(op(id, 3, 1, 0), EFBIG);
    CHECK_ERR(semop(id, many, 0), EINVAL);
    CHECK_ERR(semop(id, many, 501), E2BIG);
    CHECK_ERR(semop(id, bad_pointer(), 1), EFAULT);
    CHECK_ERR(semop(-1, many, 1), EINVAL);
    CHECK_ERR(semctl(id, 3, GETVAL), EINVAL);
    CHECK_ERR(semctl(id, 0, 999), EINVAL);
    set_value(id, 1, 0);
    CHECK_OK(op(id, 1, 3, SEM_UNDO));
    CHECK_OK(op(id, 1, -3, SEM_UNDO));
    ok("values");
}

static int shared_id;
static _Atomic int tid, result;

struct request {
    int num, by, flags;
};

static void *operate(void *arg) {
    const struct request *r = arg;
    tid = gettid_();
    result = op(shared_id, r->num, r->by, r->flags) == 0 ? 1 : -errno;
    return NULL;
}

static pthread_t start(struct request *r) {
    tid = result = 0;
    pthread_t t = spawn(operate, r);
    wait_until_asleep(&tid);
    CHECK_EQ(result, 0);
    return t;
}

static void on_signal(int sig) { (void)sig; }

static void blocking(void) {
    struct request take = {0, -2, 0}, zero = {0, 0, 0};
    set_value(shared_id, 0, 1);
    pthread_t t = start(&take);
    CHECK_EQ(semctl(shared_id, 0, GETNCNT), 1);
    CHECK_EQ(semctl(shared_id, 0, GETZCNT), 0);
    CHECK_OK(op(shared_id, 0, 1, 0));
    join(t);
    CHECK_EQ(result, 1);
    CHECK_EQ(value(shared_id, 0), 0);
    set_value(shared_id, 0, 2);
    t = start(&zero);
    CHECK_EQ(semctl(shared_id, 0, GETZCNT), 1);
    set_value(shared_id, 0, 0);
    join(t);
    CHECK_EQ(result, 1);
    /* A handler ends the wait for good, SA_RESTART or not. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    CHECK_OK(sigaction(SIGUSR1, &action, NULL));
    t = start(&take);
    CHECK_OK(pthread_kill(t, SIGUSR1));
    join(t);
    CHECK_EQ(result, -EINTR);
    struct sembuf b = {0, -1, 0};
    struct timespec soon = {0, 1000000}, bad = {0, -1};
    CHECK_ERR(semtimedop(shared_id, &b, 1, &soon), EAGAIN);
    CHECK_ERR(semtimedop(shared_id, &b, 1, &bad), EINVAL);
    CHECK_EQ(semctl(shared_id, 0, GETNCNT), 0);
    t = start(&take);
    CHECK_OK(semctl(shared_id, 0, IPC_RMID));
    join(t);
    CHECK_EQ(result, -EIDRM);
    ok("blocking");
}

#define ROUNDS 200
static _Atomic int inside;

static void *contend(void *arg) {
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_OK(op(shared_id, 0, -1, SEM_UNDO));
        CHECK_EQ(++inside, 1);
        sched_yield();
        CHECK_EQ(--inside, 0);
        CHECK_OK(op(shared_id, 0, 1, SEM_UNDO));
    }
    return NULL;
}

static void contention(void) {
    pthread_t t[4];
    set_value(shared_id, 0, 1);
    for (int i = 0; i < 4; i++)
        t[i] = spawn(contend, NULL);
    for (int i = 0; i < 4; i++)
        join(t[i]);
    CHECK_EQ(value(shared_id, 0), 1);
    ok("contention");
}

int main(void) {
    identifiers();
    shared_id = semget(IPC_PRIVATE, 3, 0600);
    CHECK(shared_id >= 0);
    values(shared_id);
    contention();
    blocking();
    return 0;
}
