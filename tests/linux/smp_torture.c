/* SPDX-License-Identifier: MIT */
/* More threads than CPUs fight for locks, memory maps, signals and each other's attention.  Nothing
 * may be lost: a lost wake-up shows as a hang. */
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "thread.h"

#define THREADS 8
#define ROUNDS 2000
#define PAGE 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long counter, turns;
static atomic_long spun;

static void *count_under_lock(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_OK(pthread_mutex_lock(&lock));
        counter++;
        CHECK_OK(pthread_mutex_unlock(&lock));
    }
    return NULL;
}

/* Each thread waits for its turn and passes it on. */
static void *take_turns(void *arg) {
    long self = (long)arg;
    for (int i = 0; i < ROUNDS / 10; i++) {
        CHECK_OK(pthread_mutex_lock(&lock));
        while (turns % THREADS != self)
            CHECK_OK(pthread_cond_wait(&changed, &lock));
        turns++;
        CHECK_OK(pthread_cond_broadcast(&changed));
        CHECK_OK(pthread_mutex_unlock(&lock));
    }
    return NULL;
}

/* Mappings come and go while the others run: a translation that outlives its page would let the
 * bytes of one thread appear in another's. */
static void *map_and_unmap(void *arg) {
    long self = (long)arg;
    for (int i = 0; i < ROUNDS / 10; i++) {
        volatile char *p =
            mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(p != MAP_FAILED);
        for (int k = 0; k < 4; k++) {
            CHECK_EQ(p[k * PAGE], 0);
            p[k * PAGE] = (char)(self + 1);
        }
        sched_yield();
        for (int k = 0; k < 4; k++)
            CHECK_EQ(p[k * PAGE], (char)(self + 1));
        CHECK_OK(mprotect((void *)p, PAGE, PROT_READ));
        CHECK_OK(munmap((void *)p, 4 * PAGE));
    }
    return NULL;
}

static void *spin(void *arg) {
    while (!atomic_load((atomic_int *)arg))
        atomic_fetch_add(&spun, 1);
    return NULL;
}

static void all(void *(*work)(void *)) {
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++)
        threads[i] = spawn(work, (void *)i);
    for (int i = 0; i < THREADS; i++)
        join(threads[i]);
}

static sem_t ping, pong;

static void *answer(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_OK(sem_wait(&ping));
        CHECK_OK(sem_post(&pong));
    }
    return NULL;
}

static void ping_pong(void) {
    CHECK_OK(sem_init(&ping, 0, 0));
    CHECK_OK(sem_init(&pong, 0, 0));
    pthread_t t = spawn(answer, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_OK(sem_post(&ping));
        CHECK_OK(sem_wait(&pong));
    }
    join(t);
}

static void *nothing(void *arg) { return arg; }

static void create_and_join(void) {
    for (int i = 0; i < ROUNDS / 20; i++)
        all(nothing);
}

int main(void) {
    atomic_int stop = 0;
    pthread_t spinner = spawn(spin, &stop); /* in the program all the time */
    all(count_under_lock);
    CHECK_EQ(counter, (long)THREADS * ROUNDS);
    ok("mutex");
    all(take_turns);
    CHECK_EQ(turns, (long)THREADS * (ROUNDS / 10));
    ok("condition");
    all(map_and_unmap);
    ok("mappings");
    ping_pong();
    ok("semaphores");
    create_and_join();
    ok("create and join");
    atomic_store(&stop, 1);
    join(spinner);
    CHECK(atomic_load(&spun) > 0);
    return 0;
}
