/* SPDX-License-Identifier: MIT */
/* Random load for a number of seconds (argument, default 3), at bounded memory: threads come and
 * go, mappings are made, cut, moved, protected and dropped, signals arrive, pipes pass bytes.
 * Afterwards what is in use is what was in use before. */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "thread.h"

#define WORKERS 6
#define SLOTS 8
#define PAGES_MAX 64
#define CREATIONS 10000
#define MAPPINGS 10000
#define RW (PROT_READ | PROT_WRITE)
#define SLACK_KIB 4096 /* of a libc's own caches: stacks, arenas */

struct mapping {
    uint64_t *at;
    size_t pages;
    uint64_t stamp; /* in the first word of each page */
};

static atomic_int stop;
static atomic_long signals_taken, signals_sent, steps;

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t *page_of(const struct mapping *m, size_t i) { return m->at + i * CHECK_PAGE / 8; }

static void verify(const struct mapping *m) {
    for (size_t i = 0; i < m->pages; i++)
        CHECK_EQ(*page_of(m, i), m->stamp + i);
}

static void fill(struct mapping *m, uint64_t stamp) {
    m->stamp = stamp;
    for (size_t i = 0; i < m->pages; i++)
        *page_of(m, i) = stamp + i;
}

static void map(struct mapping *m, uint64_t r) {
    m->pages = r % PAGES_MAX + 1;
    int flags = MAP_ANONYMOUS | (r & 0x1000 ? MAP_SHARED : MAP_PRIVATE);
    if (r & 0x2000) flags |= MAP_POPULATE;
    m->at = mmap(NULL, m->pages * CHECK_PAGE, RW, flags, -1, 0);
    CHECK(m->at != MAP_FAILED);
    for (size_t i = 0; i < m->pages; i++)
        CHECK_EQ(*page_of(m, i), 0);
    fill(m, r);
}

static void unmap(struct mapping *m) {
    verify(m);
    CHECK_OK(munmap(m->at, m->pages * CHECK_PAGE));
    m->at = NULL;
}

/* Drops the upper half, or lets the mapping grow or shrink, perhaps elsewhere. */
static void resize(struct mapping *m, uint64_t r) {
    size_t was = m->pages, now = r % PAGES_MAX + 1;
    void *p = mremap(m->at, was * CHECK_PAGE, now * CHECK_PAGE, MREMAP_MAYMOVE);
    if (p == MAP_FAILED) { /* shared memory does not grow behind its end */
        CHECK(errno == ENOMEM || errno == EINVAL);
        return;
    }
    m->at = p;
    m->pages = was < now ? was : now;
    verify(m);
    if (was < now) CHECK_OK(munmap(page_of(m, was), (now - was) * CHECK_PAGE));
}

static void protect(struct mapping *m, uint64_t r) {
    size_t from = r % m->pages, count = (r >> 8) % (m->pages - from) + 1;
    CHECK_OK(mprotect(page_of(m, from), count * CHECK_PAGE, r & 0x10000 ? PROT_NONE : PROT_READ));
    CHECK_OK(mprotect(m->at, m->pages * CHECK_PAGE, RW));
    verify(m);
    fill(m, r);
}

static void advise(struct mapping *m, uint64_t r) {
    size_t i = r % m->pages;
    CHECK_OK(madvise(page_of(m, i), CHECK_PAGE, MADV_DONTNEED));
    uint64_t now = *page_of(m, i); /* shared memory keeps it */
    CHECK(now == 0 || now == m->stamp + i);
    *page_of(m, i) = m->stamp + i;
}

static void *worker(void *arg) {
    uint64_t state = 0x9e3779b97f4a7c15ULL * ((uintptr_t)arg + 1);
    struct mapping slots[SLOTS] = {0};
    int fds[2];
    CHECK_OK(pipe(fds));
    while (!atomic_load(&stop)) {
        uint64_t r = next_random(&state), out = r, in;
        struct mapping *m = &slots[r >> 32 & (SLOTS - 1)];
        r >>= 35;
        atomic_fetch_add(&steps, 1);
        if (m->at == NULL)
            map(m, r);
        else if (r & 0x3000000)
            (r & 0x1000000 ? protect : advise)(m, r);
        else if (r & 0x4000000)
            resize(m, r);
        else
            unmap(m);
        if (r & 0x8000000) continue;
        CHECK_EQ(write(fds[1], &out, sizeof out), sizeof out);
        if (r & 0x10000000) sched_yield();
        CHECK_EQ(read(fds[0], &in, sizeof in), sizeof in);
        CHECK_EQ(in, out);
    }
    for (int i = 0; i < SLOTS; i++)
        if (slots[i].at != NULL) unmap(&slots[i]);
    CHECK_OK(close(fds[0]) | close(fds[1]));
    return NULL;
}

static void on_signal(int sig) { atomic_fetch_add(&signals_taken, sig == SIGUSR1); }

static void *nothing(void *arg) { return arg; }

static void *many_threads(void *arg) {
    for (int i = 0; i < CREATIONS / 2; i++)
        CHECK(join(spawn(nothing, arg)) == arg);
    return NULL;
}

static void *many_mappings(void *arg) {
    for (uint64_t i = 0; i < MAPPINGS / 2; i++) {
        struct mapping m;
        map(&m, i % 4 + (uintptr_t)arg);
        unmap(&m);
    }
    return NULL;
}

static void many(void *(*work)(void *)) {
    pthread_t other = spawn(work, &stop);
    work(NULL);
    join(other);
}

static long used_kib(void) {
    struct sysinfo s;
    CHECK_OK(sysinfo(&s));
    return (long)((s.totalram - s.freeram) * s.mem_unit / 1024);
}

static void random_load(int seconds) {
    pthread_t workers[WORKERS];
    atomic_store(&stop, 0);
    for (uintptr_t i = 0; i < WORKERS; i++)
        workers[i] = spawn(worker, (void *)i);
    int64_t end = now_ns(CLOCK_MONOTONIC) + seconds * 1000000000LL;
    for (unsigned i = 0; now_ns(CLOCK_MONOTONIC) < end; i++) {
        CHECK_OK(pthread_kill(workers[i % WORKERS], SIGUSR1));
        atomic_fetch_add(&signals_sent, 1);
        sleep_ms(1);
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < WORKERS; i++)
        join(workers[i]);
}

int main(int argc, char **argv) {
    int seconds = argc > 1 ? atoi(argv[1]) : 3;
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    CHECK_OK(sigaction(SIGUSR1, &sa, NULL));
    random_load(1); /* what is made once and kept */
    /* On Linux the whole machine's memory is seen, with others at work: only shown. */
    long before = used_kib();
    many(many_threads);
    printf("ok %d threads\n", CREATIONS);
    many(many_mappings);
    printf("ok %d mappings\n", MAPPINGS);
    random_load(seconds);
    long after = used_kib();
    CHECK(atomic_load(&signals_taken) > 0 &&
          atomic_load(&signals_taken) <= atomic_load(&signals_sent));
    printf("ok %ld steps, %ld signals of %ld\n", atomic_load(&steps), atomic_load(&signals_taken),
           atomic_load(&signals_sent));
    printf("ok memory in use: %ld KiB before, %ld KiB after\n", before, after);
    struct utsname uts;
    CHECK_OK(uname(&uts));
    if (strstr(uts.release, "hermit") != NULL) CHECK(after <= before + SLACK_KIB);
    return 0;
}
