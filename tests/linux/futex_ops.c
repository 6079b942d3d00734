/* SPDX-License-Identifier: MIT */
/* Every operation of futex(2), its errors and timeouts. */
#include "thread.h"

static _Atomic uint32_t word, other;
static _Atomic int tids[4];

struct sleeper {
    int index, op;
    void *addr;
    uint32_t bitset;
    long result;
    int error;
};

static void *sleep_on(void *arg) {
    struct sleeper *s = arg;
    tids[s->index] = gettid_();
    s->result = futex(s->addr, s->op, 0, NULL, NULL, s->bitset);
    s->error = errno;
    return NULL;
}

static pthread_t start(struct sleeper *s, int index, int op, void *addr, uint32_t bitset) {
    *s = (struct sleeper){.index = index, .op = op, .addr = addr, .bitset = bitset};
    tids[index] = 0;
    pthread_t t = spawn(sleep_on, s);
    wait_until_asleep(&tids[index]);
    return t;
}

static void errors(void) {
    char *odd = (char *)&word + 1;
    struct timespec bad = {.tv_nsec = 1000000000}, negative = {.tv_sec = -1};
    word = 7;
    CHECK_ERR(futex(&word, F_WAIT, 8, NULL, NULL, 0), EAGAIN);
    CHECK_ERR(futex(&word, F_WAIT | F_PRIVATE, 8, NULL, NULL, 0), EAGAIN);
    CHECK_ERR(futex(odd, F_WAIT, 7, NULL, NULL, 0), EINVAL);
    CHECK_ERR(futex(odd, F_WAKE, 1, NULL, NULL, 0), EINVAL);
    CHECK_ERR(futex(bad_pointer(), F_WAIT, 0, NULL, NULL, 0), EFAULT);
    CHECK_ERR(futex(&word, F_WAIT, 7, &bad, NULL, 0), EINVAL);
    CHECK_ERR(futex(&word, F_WAIT, 7, &negative, NULL, 0), EINVAL);
    CHECK_ERR(futex(&word, F_WAIT, 7, bad_pointer(), NULL, 0), EFAULT);
    CHECK_ERR(futex(&word, F_WAIT_BITSET, 7, NULL, NULL, 0), EINVAL);
    CHECK_ERR(futex(&word, F_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
    CHECK_ERR(futex(&word, F_CMP_REQUEUE, 1, (void *)1, &other, 8), EAGAIN);
    CHECK_ERR(futex(&word, 99, 1, NULL, NULL, 0), ENOSYS);
    CHECK_ERR(futex(&word, F_WAKE | F_REALTIME, 1, NULL, NULL, 0), ENOSYS);
    CHECK_EQ(futex(&word, F_WAKE, 1, NULL, NULL, 0), 0);
    ok("errors");
}

static void timeouts(void) {
    const int64_t ms20 = 20000000;
    word = 0;
    int64_t start_ns = now_ns(CLOCK_MONOTONIC);
    struct timespec t = timespec_of(ms20);
    CHECK_ERR(futex(&word, F_WAIT, 0, &t, NULL, 0), ETIMEDOUT);
    CHECK(now_ns(CLOCK_MONOTONIC) - start_ns >= ms20);
    t = timespec_of(now_ns(CLOCK_MONOTONIC) + ms20);
    CHECK_ERR(futex(&word, F_WAIT_BITSET, 0, &t, NULL, 1), ETIMEDOUT);
    t = timespec_of(now_ns(CLOCK_REALTIME) + ms20);
    CHECK_ERR(futex(&word, F_WAIT_BITSET | F_REALTIME, 0, &t, NULL, 1), ETIMEDOUT);
    CHECK(now_ns(CLOCK_MONOTONIC) - start_ns >= 3 * ms20 - 1000000);
    t = timespec_of(1);
    CHECK_ERR(futex(&word, F_WAIT_BITSET, 0, &t, NULL, 1), ETIMEDOUT);
    t = timespec_of(0);
    CHECK_ERR(futex(&word, F_WAIT, 0, &t, NULL, 0), ETIMEDOUT);
    CHECK(now_ns(CLOCK_MONOTONIC) - start_ns < 2000000000);
    ok("timeouts");
}

static void wake(void) {
    struct sleeper s[3];
    pthread_t t[3];
    word = 0;
    for (int i = 0; i < 3; i++)
        t[i] = start(&s[i], i, F_WAIT | F_PRIVATE, &word, 0);
    CHECK_EQ(futex(&word, F_WAKE | F_PRIVATE, 1, NULL, NULL, 0), 1);
    join(t[0]); /* in order of arrival */
    CHECK_EQ(futex(&word, F_WAKE | F_PRIVATE, 10, NULL, NULL, 0), 2);
    join(t[1]);
    join(t[2]);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(s[i].result, 0);
    ok("wake");
}

static void bitsets(void) {
    struct sleeper a, b;
    word = 0;
    pthread_t ta = start(&a, 0, F_WAIT_BITSET | F_PRIVATE, &word, 1);
    pthread_t tb = start(&b, 1, F_WAIT_BITSET | F_PRIVATE, &word, 2);
    CHECK_EQ(futex(&word, F_WAKE_BITSET | F_PRIVATE, 10, NULL, NULL, 4), 0);
    CHECK_EQ(futex(&word, F_WAKE_BITSET | F_PRIVATE, 10, NULL, NULL, 2), 1);
    join(tb);
    CHECK_EQ(futex(&word, F_WAKE | F_PRIVATE, 10, NULL, NULL, 0), 1);
    join(ta);
    ok("bitsets");
}

static void requeue(void) {
    struct sleeper s[3];
    pthread_t t[3];
    word = other = 0;
    for (int i = 0; i < 3; i++)
        t[i] = start(&s[i], i, F_WAIT | F_PRIVATE, &word, 0);
    CHECK_EQ(futex(&word, F_CMP_REQUEUE | F_PRIVATE, 1, (void *)1, &other, 0), 2);
    join(t[0]);
    CHECK_EQ(futex(&other, F_WAKE | F_PRIVATE, 10, NULL, NULL, 0), 1);
    join(t[1]);
    CHECK_EQ(futex(&word, F_REQUEUE | F_PRIVATE, 0, (void *)10, &other, 0), 1);
    CHECK_EQ(futex(&word, F_WAKE | F_PRIVATE, 10, NULL, NULL, 0), 0);
    CHECK_EQ(futex(&other, F_WAKE | F_PRIVATE, 10, NULL, NULL, 0), 1);
    join(t[2]);
    ok("requeue");
}

/* (old + 1) is stored, then the second word's waiters are woken if old == 5. */
static void wake_op(void) {
    const uint32_t add_one_if_five = 1u << 28 | 0u << 24 | 1u << 12 | 5;
    struct sleeper a, b;
    word = other = 0;
    pthread_t ta = start(&a, 0, F_WAIT | F_PRIVATE, &word, 0);
    pthread_t tb = start(&b, 1, F_WAIT | F_PRIVATE, &other, 0);
    other = 5;
    CHECK_EQ(futex(&word, F_WAKE_OP | F_PRIVATE, 1, (void *)1, &other, add_one_if_five), 2);
    CHECK_EQ(other, 6);
    join(ta);
    join(tb);
    CHECK_EQ(futex(&word, F_WAKE_OP | F_PRIVATE, 1, (void *)1, &other, add_one_if_five), 0);
    CHECK_EQ(other, 7);
    ok("wake op");
}

/* One frame at two addresses. */
static void shared(void) {
    char path[64] = "/tmp/hermit-futex-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_OK(unlink(path));
    CHECK_OK(ftruncate(fd, CHECK_PAGE));
    _Atomic uint32_t *a = mmap(NULL, CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    _Atomic uint32_t *b = mmap(NULL, CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(a != MAP_FAILED && b != MAP_FAILED && a != b);
    struct sleeper s;
    *a = 0;
    pthread_t t = start(&s, 0, F_WAIT, a, 0);
    CHECK_EQ(futex(b, F_WAKE, 1, NULL, NULL, 0), 1);
    join(t);
    CHECK_OK(close(fd));
    ok("shared words");
}

static void *lock_and_unlock(void *arg) {
    tids[0] = gettid_();
    CHECK_OK(futex(&word, F_LOCK_PI | F_PRIVATE, 0, NULL, NULL, 0));
    CHECK_EQ(word & F_TID_MASK, gettid_());
    CHECK_OK(futex(&word, F_UNLOCK_PI | F_PRIVATE, 0, NULL, NULL, 0));
    return NULL;
}

static void *lock_and_die(void *arg) {
    CHECK_OK(futex(&word, F_LOCK_PI | F_PRIVATE, 0, NULL, NULL, 0));
    return NULL;
}

static void *try_lock(void *arg) {
    CHECK_ERR(futex(&word, F_TRYLOCK_PI | F_PRIVATE, 0, NULL, NULL, 0), EAGAIN);
    CHECK_ERR(futex(&word, F_UNLOCK_PI | F_PRIVATE, 0, NULL, NULL, 0), EPERM);
    struct timespec t = timespec_of(now_ns(CLOCK_REALTIME) + 10000000);
    CHECK_ERR(futex(&word, F_LOCK_PI | F_PRIVATE, 0, &t, NULL, 0), ETIMEDOUT);
    return NULL;
}

static void pi(void) {
    word = 0;
    CHECK_OK(futex(&word, F_LOCK_PI | F_PRIVATE, 0, NULL, NULL, 0));
    CHECK_EQ(word, gettid_());
    CHECK_ERR(futex(&word, F_LOCK_PI | F_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
    join(spawn(try_lock, NULL));
    tids[0] = 0;
    pthread_t t = spawn(lock_and_unlock, NULL);
    wait_until_asleep(&tids[0]);
    CHECK_EQ(word, (uint32_t)gettid_() | F_WAITERS);
    CHECK_OK(futex(&word, F_UNLOCK_PI | F_PRIVATE, 0, NULL, NULL, 0));
    join(t);
    CHECK_EQ(word, 0);
    CHECK_OK(futex(&word, F_TRYLOCK_PI | F_PRIVATE, 0, NULL, NULL, 0));
    CHECK_OK(futex(&word, F_UNLOCK_PI | F_PRIVATE, 0, NULL, NULL, 0));
    word = F_TID_MASK; /* nobody has this number */
    CHECK_ERR(futex(&word, F_LOCK_PI | F_PRIVATE, 0, NULL, NULL, 0), ESRCH);
    word = 0;
    join(spawn(lock_and_die, NULL));
    CHECK(word != 0);
    ok("locks with an owner");
}

int main(void) {
    errors();
    timeouts();
    wake();
    bitsets();
    requeue();
    wake_op();
    shared();
    pi();
    return 0;
}
