/* SPDX-License-Identifier: MIT */
/* A change of one page, and of several, is seen at once, by the thread that makes it and by one on
 * another CPU: no access goes by what the page was before. */
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>

#define ROUNDS 100
#define RW (PROT_READ | PROT_WRITE)

static __thread sigjmp_buf back;
static __thread volatile sig_atomic_t armed;
static __thread volatile int code;

static void on_segv(int sig, siginfo_t *info, void *context) {
    if (!armed) _exit(99); /* not one that is expected */
    code = info->si_code;
    siglongjmp(back, 1);
}

/* The si_code of the fault that the access causes, or 0. */
static int fault_of(volatile char *at, int write) {
    code = 0;
    armed = 1;
    if (sigsetjmp(back, 1) == 0) {
        if (write)
            *at = 7;
        else
            (void)*at;
    }
    armed = 0;
    return code;
}

static char *map(void *at, size_t pages, int prot) {
    int fixed = at != NULL ? MAP_FIXED : 0;
    char *p = mmap(at, pages * CHECK_PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0);
    CHECK(p != MAP_FAILED);
    return p;
}

static void unmapped(size_t pages) {
    for (int i = 0; i < ROUNDS; i++) {
        char *p = map(NULL, pages, RW);
        for (size_t k = 0; k < pages; k++) {
            CHECK_EQ(p[k * CHECK_PAGE], 0);
            p[k * CHECK_PAGE] = 1;
        }
        CHECK_OK(munmap(p, pages * CHECK_PAGE));
        for (size_t k = 0; k < pages; k++)
            CHECK_EQ(fault_of(p + k * CHECK_PAGE, (int)k % 2), SEGV_MAPERR);
        CHECK(map(p, pages, RW) == p);
        CHECK_EQ(p[0], 0);
        CHECK_OK(munmap(p, pages * CHECK_PAGE));
    }
}

static void protect(size_t pages) {
    char *p = map(NULL, pages, RW), *last = p + (pages - 1) * CHECK_PAGE;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQ(fault_of(p, 1), 0);
        CHECK_EQ(fault_of(last, 1), 0);
        CHECK_OK(mprotect(p, pages * CHECK_PAGE, PROT_READ));
        CHECK_EQ(fault_of(last, 1), SEGV_ACCERR);
        CHECK_EQ(fault_of(p, 0), 0);
        CHECK_OK(mprotect(p, pages * CHECK_PAGE, PROT_NONE));
        CHECK_EQ(fault_of(p, 0), SEGV_ACCERR);
        CHECK_OK(mprotect(p, pages * CHECK_PAGE, RW));
        CHECK_EQ(last[0], 7);
    }
    CHECK_OK(munmap(p, pages * CHECK_PAGE));
}

/* Reserved, then opened, as threads' stacks are: all of it is there, zeroed, and goes again. */
static void opened(void) {
    for (int i = 0; i < ROUNDS; i++) {
        char *p = map(NULL, 34, PROT_NONE), *stack = p + CHECK_PAGE, *top = p + 34 * CHECK_PAGE;
        CHECK_OK(mprotect(stack, 33 * CHECK_PAGE, RW));
        CHECK_EQ(fault_of(p, 0), SEGV_ACCERR);
        for (int k = 1; k <= i % 5; k++) {
            CHECK_EQ(top[-k * (long)CHECK_PAGE], 0);
            memset(top - k * CHECK_PAGE, 1, CHECK_PAGE);
        }
        CHECK_EQ(stack[0], 0);
        CHECK_OK(munmap(p, 34 * CHECK_PAGE));
        for (int k = 1; k < 5; k++)
            CHECK_EQ(fault_of(top - k * CHECK_PAGE, k % 2), SEGV_MAPERR);
    }
}

static void dropped(void) {
    char *p = map(NULL, 3, RW);
    for (int i = 0; i < ROUNDS; i++) {
        size_t n = i % 3 + 1;
        memset(p, 1, 3 * CHECK_PAGE);
        CHECK_OK(madvise(p, n * CHECK_PAGE, MADV_DONTNEED));
        for (size_t k = 0; k < 3; k++)
            CHECK_EQ(p[k * CHECK_PAGE], k >= n);
    }
    CHECK_OK(munmap(p, 3 * CHECK_PAGE));
}

/* Another thread reads the page all the time: once the change is made, it must fault. */
static char *volatile shared;
static int gone, faults; /* how many pages so far */
static volatile int wrong;

static void *reader(void *arg) {
    for (volatile char *volatile p; (p = shared) != NULL;) {
        int mine = __atomic_load_n(&faults, __ATOMIC_SEQ_CST) + 1;
        armed = 1;
        if (sigsetjmp(back, 1) == 0) {
            for (;;) {
                int was_gone = __atomic_load_n(&gone, __ATOMIC_SEQ_CST) == mine;
                (void)*p;
                if (was_gone) wrong = 1;
            }
        }
        armed = 0;
        __atomic_add_fetch(&faults, 1, __ATOMIC_SEQ_CST);
        while (shared == p)
            sched_yield();
    }
    return NULL;
}

static void seen_by_others(void) {
    pthread_t t;
    char *pages = map(NULL, ROUNDS, RW);
    shared = pages;
    CHECK_EQ(pthread_create(&t, NULL, reader, NULL), 0);
    for (int i = 1; i <= ROUNDS; i++) {
        char *p = shared;
        *p = 1;
        if (i % 2)
            CHECK_OK(munmap(p, CHECK_PAGE));
        else
            CHECK_OK(mprotect(p, CHECK_PAGE, PROT_NONE));
        __atomic_store_n(&gone, i, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&faults, __ATOMIC_SEQ_CST) != i)
            sched_yield();
        shared = i < ROUNDS ? p + CHECK_PAGE : NULL;
    }
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_EQ(wrong, 0);
    CHECK_OK(munmap(pages, ROUNDS * CHECK_PAGE));
}

int main(void) {
    struct sigaction sa = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO};
    CHECK_OK(sigaction(SIGSEGV, &sa, NULL));
    for (size_t pages = 1; pages <= 4; pages++) {
        unmapped(pages);
        protect(pages);
    }
    unmapped(520); /* with a table of its own */
    opened();
    dropped();
    seen_by_others();
    puts("ok stale_pages");
    return 0;
}
