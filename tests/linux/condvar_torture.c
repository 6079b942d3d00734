/* SPDX-License-Identifier: MIT */
/* Producers, consumers, barriers and read-write locks at full speed: no wake-up may get lost. */
#include "thread.h"

#include <semaphore.h>

#define WORKERS 6
#define ITEMS 3000
#define SLOTS 4

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static long slots[SLOTS], used, sum, taken;

static void *produce(void *arg) {
    for (long i = 1; i <= ITEMS; i++) {
        pthread_mutex_lock(&mutex);
        while (used == SLOTS)
            pthread_cond_wait(&not_full, &mutex);
        slots[used++] = i;
        pthread_cond_signal(&not_empty);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *consume(void *arg) {
    for (;;) {
        pthread_mutex_lock(&mutex);
        while (used == 0 && taken < (long)WORKERS * ITEMS)
            pthread_cond_wait(&not_empty, &mutex);
        if (used == 0) {
            pthread_cond_broadcast(&not_empty);
            pthread_mutex_unlock(&mutex);
            return NULL;
        }
        sum += slots[--used];
        taken++;
        pthread_cond_signal(&not_full);
        if (taken == (long)WORKERS * ITEMS) pthread_cond_broadcast(&not_empty);
        pthread_mutex_unlock(&mutex);
    }
}

static void queue(void) {
    pthread_t p[WORKERS], c[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        p[i] = spawn(produce, NULL);
        c[i] = spawn(consume, NULL);
    }
    for (int i = 0; i < WORKERS; i++) {
        join(p[i]);
        join(c[i]);
    }
    CHECK_EQ(sum, (long)WORKERS * ITEMS * (ITEMS + 1) / 2);
    ok("queue");
}

static pthread_barrier_t barrier;
static _Atomic int arrived;

static void *meet(void *arg) {
    for (int i = 0; i < 300; i++) {
        arrived++;
        pthread_barrier_wait(&barrier);
        CHECK_EQ(arrived, (i + 1) * WORKERS);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void barriers(void) {
    pthread_t t[WORKERS];
    CHECK_OK(pthread_barrier_init(&barrier, NULL, WORKERS));
    for (int i = 0; i < WORKERS; i++)
        t[i] = spawn(meet, NULL);
    for (int i = 0; i < WORKERS; i++)
        join(t[i]);
    ok("barriers");
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static long a, b;

static void *read_or_write(void *arg) {
    for (int i = 0; i < 2000; i++) {
        if (i % 8 == (intptr_t)arg) {
            pthread_rwlock_wrlock(&rwlock);
            a++;
            if (i % 16 == 0) sched_yield();
            b++;
        } else {
            pthread_rwlock_rdlock(&rwlock);
            CHECK_EQ(a, b);
        }
        pthread_rwlock_unlock(&rwlock);
    }
    return NULL;
}

static void rwlocks(void) {
    pthread_t t[WORKERS];
    for (intptr_t i = 0; i < WORKERS; i++)
        t[i] = spawn(read_or_write, (void *)i);
    for (int i = 0; i < WORKERS; i++)
        join(t[i]);
    CHECK_EQ(a, WORKERS * 2000 / 8);
    ok("read-write locks");
}

static sem_t ping, pong;

static void *answer(void *arg) {
    for (int i = 0; i < 3000; i++) {
        CHECK_OK(sem_wait(&ping));
        CHECK_OK(sem_post(&pong));
    }
    return NULL;
}

static void semaphores(void) {
    CHECK_OK(sem_init(&ping, 0, 0));
    CHECK_OK(sem_init(&pong, 0, 0));
    pthread_t t = spawn(answer, NULL);
    for (int i = 0; i < 3000; i++) {
        CHECK_OK(sem_post(&ping));
        CHECK_OK(sem_wait(&pong));
    }
    join(t);
    struct timespec soon = timespec_of(now_ns(CLOCK_REALTIME) + 20000000);
    CHECK_ERR(sem_timedwait(&ping, &soon), ETIMEDOUT);
    ok("semaphores");
}

static void *timed_waits(void *arg) {
    for (int i = 0; i < 50; i++) {
        struct timespec soon = timespec_of(now_ns(CLOCK_REALTIME) + 1000000);
        pthread_mutex_lock(&mutex);
        CHECK_EQ(pthread_cond_timedwait(&not_full, &mutex, &soon), ETIMEDOUT);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void timeouts(void) {
    pthread_t t[WORKERS];
    int64_t start = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < WORKERS; i++)
        t[i] = spawn(timed_waits, NULL);
    for (int i = 0; i < WORKERS; i++)
        join(t[i]);
    CHECK(now_ns(CLOCK_MONOTONIC) - start >= 50 * 1000000LL);
    CHECK(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu < 2000000000LL);
    ok("timeouts");
}

int main(void) {
    queue();
    barriers();
    rwlocks();
    semaphores();
    timeouts();
    return 0;
}
