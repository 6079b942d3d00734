/* SPDX-License-Identifier: MIT */
/* futex(2): waiting, waking, requeueing.  Owns the hash table of waiters. */
#include <kernel/heap.h>
#include <kernel/mm.h>
#include <kernel/sched.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>

#include "futex_internal.h"

#define BUCKETS 256u /* a power of two */
#define WAITV_MAX 128

TAILQ_HEAD(waiter_list, futex_waiter);

static struct waiter_list buckets[BUCKETS];
static uint32_t owned_waiters;

static struct waiter_list *bucket_of(const struct futex_key *key) {
    uint64_t h = (key->at >> 2) * 0x9e3779b97f4a7c15ULL;
    struct waiter_list *b = &buckets[h >> 56 & (BUCKETS - 1)];
    if (b->tqh_last == NULL) TAILQ_INIT(b);
    return b;
}

static bool same_key(const struct futex_key *a, const struct futex_key *b) {
    return a->space == b->space && a->at == b->at;
}

int futex_key_of(gva_t addr, bool shared, struct futex_key *key) {
    struct mm *mm = current_mm();
    if (addr % sizeof(uint32_t) != 0) return -EINVAL;
    if (addr >= HERMIT_USER_TOP) return -EFAULT;
    *key = (struct futex_key){mm, addr};
    if (!shared) return 0;
    const struct vma *v = mm_find(mm, addr);
    if (v == NULL) return -EFAULT;
    if (!(v->flags & MAP_SHARED)) return 0;
    key->space = NULL;
    return mm_translate(mm, addr, MM_READ, &key->at) == 0 ? 0 : -EFAULT;
}

static void enqueue(struct futex_waiter *w) {
    w->thread = current_thread();
    w->woken = false;
    if (w->owned) owned_waiters++;
    TAILQ_INSERT_TAIL(bucket_of(&w->key), w, link);
}

/* Nothing if it was woken. */
static void dequeue(struct futex_waiter *w) {
    if (w->woken) return;
    if (w->owned) owned_waiters--;
    TAILQ_REMOVE(bucket_of(&w->key), w, link);
}

void futex_release(struct futex_waiter *w) {
    dequeue(w);
    w->woken = true;
    sched_wake(w->thread);
}

static bool is_woken(void *waiter) {
    const struct futex_waiter *w = waiter;
    return w->woken;
}

int futex_sleep(struct futex_waiter *w, int64_t deadline_ns) {
    enqueue(w);
    int r = wait_until_woken(is_woken, w, deadline_ns);
    dequeue(w);
    return r;
}

struct futex_waiter *futex_first(const struct futex_key *key, bool owned) {
    struct futex_waiter *w;
    TAILQ_FOREACH(w, bucket_of(key), link) {
        if (w->owned == owned && same_key(&w->key, key)) return w;
    }
    return NULL;
}

struct futex_waiter *futex_waiter_on(int32_t tid) {
    for (uint32_t i = 0; i < BUCKETS && owned_waiters > 0; i++) {
        struct futex_waiter *w;
        TAILQ_FOREACH(w, &buckets[i], link) {
            uint32_t word;
            if (!w->owned || get_user(word, w->addr) != 0) continue;
            if ((word & FUTEX_TID_MASK) == (uint32_t)tid) return w;
        }
    }
    return NULL;
}

int64_t futex_wait(gva_t addr, bool shared, uint32_t value, uint32_t bitset, int64_t deadline_ns) {
    struct futex_waiter w = {.bitset = bitset};
    uint32_t now;
    int r = futex_key_of(addr, shared, &w.key);
    if (r != 0) return r;
    if (get_user(now, addr) != 0) return -EFAULT;
    if (now != value) return -EAGAIN;
    return futex_sleep(&w, deadline_ns);
}

static uint32_t wake_key(const struct futex_key *key, uint32_t count, uint32_t bitset) {
    struct futex_waiter *w, *next;
    uint32_t woken = 0;
    TAILQ_FOREACH_SAFE(w, bucket_of(key), link, next) {
        if (woken == count) break;
        if (w->owned || !same_key(&w->key, key) || !(w->bitset & bitset)) continue;
        futex_release(w);
        woken++;
    }
    return woken;
}

int64_t futex_wake(gva_t addr, bool shared, uint32_t count, uint32_t bitset) {
    struct futex_key key;
    int r = futex_key_of(addr, shared, &key);
    if (r != 0) return r;
    return wake_key(&key, count, bitset);
}

static uint32_t move_waiters(const struct futex_key *from, const struct futex_key *to,
                             uint32_t count) {
    struct futex_waiter *w, *next;
    struct waiter_list moved = TAILQ_HEAD_INITIALIZER(moved);
    uint32_t n = 0;
    TAILQ_FOREACH_SAFE(w, bucket_of(from), link, next) {
        if (n == count) break;
        if (w->owned || !same_key(&w->key, from)) continue;
        TAILQ_REMOVE(bucket_of(from), w, link);
        w->key = *to;
        TAILQ_INSERT_TAIL(&moved, w, link); /* both keys may share a bucket */
        n++;
    }
    TAILQ_CONCAT(bucket_of(to), &moved, link);
    return n;
}

int64_t futex_requeue(gva_t addr, gva_t to, bool shared, uint32_t wake, uint32_t move,
                      const uint32_t *expected) {
    struct futex_key from_key, to_key;
    int r = futex_key_of(addr, shared, &from_key);
    if (r == 0) r = futex_key_of(to, shared, &to_key);
    if (r != 0) return r;
    uint32_t now;
    if (expected != NULL) {
        if (get_user(now, addr) != 0) return -EFAULT;
        if (now != *expected) return -EAGAIN;
    }
    uint32_t woken = wake_key(&from_key, wake, FUTEX_BITSET_MATCH_ANY);
    if (same_key(&from_key, &to_key)) return woken;
    return woken + move_waiters(&from_key, &to_key, move);
}

/* The new value of FUTEX_WAKE_OP's word; false: no such operation. */
static bool apply_op(uint32_t op, uint32_t old, uint32_t *new) {
    uint32_t arg = (uint32_t)((int32_t)(op << 8) >> 20);
    if (op & (uint32_t)FUTEX_OP_OPARG_SHIFT << 28) arg = 1u << (arg & 31);
    switch (op >> 28 & 7) {
    case FUTEX_OP_SET:
        *new = arg;
        return true;
    case FUTEX_OP_ADD:
        *new = old + arg;
        return true;
    case FUTEX_OP_OR:
        *new = old | arg;
        return true;
    case FUTEX_OP_ANDN:
        *new = old & ~arg;
        return true;
    case FUTEX_OP_XOR:
        *new = old ^ arg;
        return true;
    default:
        return false;
    }
}

/* 1 or 0: does the old value fulfil the condition?  -ENOSYS: no such condition. */
static int compare_op(uint32_t op, uint32_t old) {
    int32_t value = (int32_t)old, arg = (int32_t)(op << 20) >> 20;
    switch (op >> 24 & 15) {
    case FUTEX_OP_CMP_EQ:
        return value == arg;
    case FUTEX_OP_CMP_NE:
        return value != arg;
    case FUTEX_OP_CMP_LT:
        return value < arg;
    case FUTEX_OP_CMP_LE:
        return value <= arg;
    case FUTEX_OP_CMP_GT:
        return value > arg;
    case FUTEX_OP_CMP_GE:
        return value >= arg;
    default:
        return -ENOSYS;
    }
}

int64_t futex_wake_op(gva_t addr, gva_t addr2, bool shared, uint32_t count, uint32_t count2,
                      uint32_t op) {
    struct futex_key key, key2;
    int r = futex_key_of(addr, shared, &key);
    if (r == 0) r = futex_key_of(addr2, shared, &key2);
    if (r != 0) return r;
    uint32_t old, seen, new;
    if (get_user(old, addr2) != 0) return -EFAULT;
    do {
        seen = old;
        if (!apply_op(op, old, &new)) return -ENOSYS;
        if (cmpxchg_user(addr2, &old, new) != 0) return -EFAULT;
    } while (old != seen);
    int fulfilled = compare_op(op, old);
    if (fulfilled < 0) return fulfilled;
    uint32_t woken = wake_key(&key, count, FUTEX_BITSET_MATCH_ANY);
    if (fulfilled) woken += wake_key(&key2, count2, FUTEX_BITSET_MATCH_ANY);
    return woken;
}

struct many {
    struct futex_waiter *waiters;
    uint32_t count, woken;
};

static bool any_woken(void *arg) {
    struct many *m = arg;
    for (m->woken = 0; m->woken < m->count; m->woken++)
        if (m->waiters[m->woken].woken) return true;
    return false;
}

int64_t futex_wait_many(const struct futex_entry *entries, uint32_t count, int64_t deadline_ns) {
    if (count == 0 || count > WAITV_MAX) return -EINVAL;
    struct many m = {.waiters = kzalloc(count * sizeof(*m.waiters))};
    if (m.waiters == NULL) return -ENOMEM;
    int64_t r = 0;
    while (r == 0 && m.count < count) {
        const struct futex_entry *e = &entries[m.count];
        struct futex_waiter *w = &m.waiters[m.count];
        uint32_t now;
        w->bitset = FUTEX_BITSET_MATCH_ANY;
        r = futex_key_of(e->addr, e->shared, &w->key);
        if (r == 0 && get_user(now, e->addr) != 0) r = -EFAULT;
        if (r == 0 && now != e->value) r = -EAGAIN;
        if (r != 0) break;
        enqueue(w);
        m.count++;
    }
    if (r == 0) r = wait_until_woken(any_woken, &m, deadline_ns);
    for (uint32_t i = 0; i < m.count; i++)
        dequeue(&m.waiters[i]);
    if (r == 0) r = m.woken;
    kfree(m.waiters);
    return r;
}
