/* SPDX-License-Identifier: MIT */
/* Creating and joining threads, what they share and what they do not. */
#include <semaphore.h>

#include "thread.h"

#include <dirent.h>
#include <sched.h>
#include <sys/prctl.h>

#define MANY 100
#define ROUNDS 2000

static __thread int local = 5;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int counter;

static void *count(void *arg) {
    CHECK_EQ(local, 5);
    local = (int)(intptr_t)arg;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
        if (i % 100 == 0) sched_yield();
    }
    CHECK_EQ(local, (intptr_t)arg);
    return arg;
}

static void create_and_join(void) {
    pthread_t t[8];
    for (intptr_t i = 0; i < 8; i++)
        t[i] = spawn(count, (void *)i);
    for (intptr_t i = 0; i < 8; i++)
        CHECK_EQ((intptr_t)join(t[i]), i);
    CHECK_EQ(counter, 8 * ROUNDS);
    CHECK_EQ(local, 5);
    ok("create, join, thread-local data");
}

static _Atomic int gate;

static void *stand(void *arg) {
    while (gate == 0)
        futex(&gate, F_WAIT, 0, NULL, NULL, 0);
    return (void *)(intptr_t)gettid_();
}

static int count_tasks(void) {
    DIR *d = opendir("/proc/self/task");
    CHECK(d != NULL);
    int n = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.') n++;
    closedir(d);
    return n;
}

static void many(void) {
    static pthread_t t[MANY];
    char line[32];
    for (int i = 0; i < MANY; i++)
        t[i] = spawn(stand, NULL);
    CHECK_EQ(count_tasks(), MANY + 1);
    snprintf(line, sizeof line, "Threads:\t%d\n", MANY + 1);
    CHECK(strstr(get_file("/proc/self/status"), line) != NULL);
    gate = 1;
    futex(&gate, F_WAKE, INT32_MAX, NULL, NULL, 0);
    for (int i = 0; i < MANY; i++) {
        intptr_t tid = (intptr_t)join(t[i]);
        CHECK(tid > 0 && tid != getpid());
    }
    /* The kernel lets go of a thread a moment after it wakes who joins it. */
    for (int i = 0; i < 1000 && count_tasks() != 1; i++)
        sleep_ms(1);
    CHECK_EQ(count_tasks(), 1);
    ok("a hundred threads, /proc/self/task");
}

static void *name_it(void *arg) {
    char path[64], name[16];
    CHECK_OK(prctl(PR_SET_NAME, "worker-with-a-long-name"));
    CHECK_OK(prctl(PR_GET_NAME, name));
    CHECK_STR(name, "worker-with-a-l");
    snprintf(path, sizeof path, "/proc/self/task/%d/comm", gettid_());
    CHECK_STR(get_file(path), "worker-with-a-l\n");
    return NULL;
}

static void names(void) {
    char before[16], after[16];
    CHECK_OK(prctl(PR_GET_NAME, before));
    join(spawn(name_it, NULL));
    CHECK_OK(prctl(PR_GET_NAME, after));
    CHECK_STR(after, before);
    ok("names");
}

static int ends[2];

static void *read_one(void *arg) {
    char c = 0;
    CHECK_EQ(read(ends[0], &c, 1), 1);
    return (void *)(intptr_t)c;
}

/* Descriptors and the working directory are shared; a thread that waits holds nobody up. */
static void shared(void) {
    CHECK_OK(pipe(ends));
    pthread_t t = spawn(read_one, NULL);
    sleep_ms(5);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ((intptr_t)join(t), 'x');
    ok("shared descriptors");
}

static sem_t asked;

static void *burn(void *arg) {
    int64_t until = now_ns(CLOCK_THREAD_CPUTIME_ID) + 200000000;
    while (now_ns(CLOCK_THREAD_CPUTIME_ID) < until)
        ;
    CHECK_OK(sem_wait(&asked)); /* its clock ends with it */
    return NULL;
}

static void cpu_clocks(void) {
    int64_t mine = now_ns(CLOCK_THREAD_CPUTIME_ID), all = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    CHECK_OK(sem_init(&asked, 0, 0));
    pthread_t t = spawn(burn, NULL);
    clockid_t clock;
    CHECK_OK(pthread_getcpuclockid(t, &clock));
    CHECK(now_ns(clock) >= 0);
    CHECK_OK(sem_post(&asked));
    join(t);
    CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) - all >= 199000000);
    CHECK(now_ns(CLOCK_THREAD_CPUTIME_ID) - mine < 150000000); /* a busy host may take some */
    ok("CPU clocks");
}

int main(void) {
    create_and_join();
    many();
    names();
    shared();
    cpu_clocks();
    return 0;
}
