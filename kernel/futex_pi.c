/* SPDX-License-Identifier: MIT */
/* Futexes with an owner: FUTEX_LOCK_PI and its relatives, and the end of a thread that owns some.
 * Nobody inherits a priority: all threads have the same. */
#include <kernel/sched.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>

#include "futex_internal.h"

#define ROBUST_LIST_LIMIT 2048 /* entries, as Linux */

/* Takes the lock or marks it as waited for: 0, -EBUSY or -errno. */
static int try_lock(gva_t addr, uint32_t tid, bool mark, struct thread **owner) {
    uint32_t word;
    if (get_user(word, addr) != 0) return -EFAULT;
    for (;;) {
        uint32_t seen = word, holder = word & FUTEX_TID_MASK;
        if (holder == tid) return -EDEADLK;
        *owner = holder != 0 ? thread_find((int32_t)holder) : NULL;
        if (holder != 0 && *owner == NULL) return -ESRCH;
        uint32_t new = holder == 0 ? tid | (word & ~(uint32_t)FUTEX_TID_MASK) : word;
        if (holder != 0 && mark) new |= FUTEX_WAITERS;
        if (new == word) return -EBUSY;
        if (cmpxchg_user(addr, &word, new) != 0) return -EFAULT;
        if (word == seen) return holder == 0 ? 0 : -EBUSY;
    }
}

int64_t futex_lock_pi(gva_t addr, bool shared, bool try, int64_t deadline_ns) {
    struct futex_waiter w = {.addr = addr, .owned = true};
    struct thread *owner;
    int r = futex_key_of(addr, shared, &w.key);
    if (r != 0) return r;
    uint32_t tid = (uint32_t)current_thread()->tid;
    r = try_lock(addr, tid, !try, &owner);
    if (r != -EBUSY) return r;
    if (try) return -EAGAIN;
    return futex_sleep(&w, deadline_ns); /* woken: the word is ours */
}

int futex_pass_on(gva_t addr, const struct futex_key *key, uint32_t bits) {
    struct futex_waiter *w = futex_first(key, true);
    uint32_t word, next = bits;
    if (get_user(word, addr) != 0) return -EFAULT;
    if (w != NULL) {
        futex_release(w);
        next |= (uint32_t)w->thread->tid;
        if (futex_first(key, true) != NULL) next |= FUTEX_WAITERS;
    }
    for (uint32_t seen = word; cmpxchg_user(addr, &word, next) == 0; seen = word)
        if (word == seen) return 0;
    return -EFAULT;
}

int64_t futex_unlock_pi(gva_t addr, bool shared) {
    struct futex_key key;
    uint32_t word;
    int r = futex_key_of(addr, shared, &key);
    if (r != 0) return r;
    if (get_user(word, addr) != 0) return -EFAULT;
    if ((word & FUTEX_TID_MASK) != (uint32_t)current_thread()->tid) return -EPERM;
    return futex_pass_on(addr, &key, 0);
}

/* The owner of the lock at addr ends: handle_futex_death() in Linux. */
static int owner_died(gva_t addr, bool pi, bool pending) {
    uint32_t tid = (uint32_t)current_thread()->tid, word;
    if (addr % sizeof(word) != 0 || get_user(word, addr) != 0) return -EFAULT;
    /* It may have unlocked and not yet woken anybody. */
    if (pending && !pi && (word & FUTEX_TID_MASK) == 0) {
        futex_wake(addr, true, 1, FUTEX_BITSET_MATCH_ANY);
        return 0;
    }
    while ((word & FUTEX_TID_MASK) == tid) {
        uint32_t seen = word;
        if (cmpxchg_user(addr, &word, (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED) != 0)
            return -EFAULT;
        if (word != seen) continue;
        struct futex_key key;
        if (!(word & FUTEX_WAITERS)) return 0;
        if (!pi) futex_wake(addr, true, 1, FUTEX_BITSET_MATCH_ANY);
        if (pi && futex_key_of(addr, true, &key) == 0) futex_pass_on(addr, &key, FUTEX_OWNER_DIED);
        return 0;
    }
    return 0;
}

/* An entry's address with the PI flag in bit 0. */
static int fetch_entry(gva_t from, gva_t *entry, bool *pi) {
    uint64_t value;
    if (get_user(value, from) != 0) return -EFAULT;
    *entry = value & ~1ULL;
    *pi = value & 1;
    return 0;
}

static void walk_robust_list(gva_t head_at) {
    struct robust_list_head head;
    gva_t entry, next, pending;
    bool pi, next_pi, pending_pi;
    if (get_user(head, head_at) != 0) return;
    entry = (gva_t)head.list.next & ~1ULL;
    pi = (gva_t)head.list.next & 1;
    pending = (gva_t)head.list_op_pending & ~1ULL;
    pending_pi = (gva_t)head.list_op_pending & 1;
    for (int i = 0; entry != head_at && i < ROBUST_LIST_LIMIT; i++) {
        /* The entry is the waiter's as soon as it is unlocked. */
        int r = fetch_entry(entry, &next, &next_pi);
        if (entry != pending && owner_died(entry + (uint64_t)head.futex_offset, pi, false) != 0)
            return;
        if (r != 0) return;
        entry = next;
        pi = next_pi;
    }
    if (pending != 0) owner_died(pending + (uint64_t)head.futex_offset, pending_pi, true);
}

void futex_thread_exit(struct thread *t) {
    struct futex_waiter *w;
    if (t->robust_list != 0) walk_robust_list(t->robust_list);
    t->robust_list = 0;
    while ((w = futex_waiter_on(t->tid)) != NULL) {
        if (futex_pass_on(w->addr, &w->key, FUTEX_OWNER_DIED) != 0) return;
    }
}
