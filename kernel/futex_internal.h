/* SPDX-License-Identifier: MIT */
/* Shared by the futex*.c files only. */
#ifndef FUTEX_INTERNAL_H
#define FUTEX_INTERNAL_H

#include <kernel/futex.h>

/* What makes two words the same: space is an address space, or NULL and at is guest-physical. */
struct futex_key {
    const void *space;
    uint64_t at;
};

/* A waiting thread; on its kernel stack. */
struct futex_waiter {
    TAILQ_ENTRY(futex_waiter) link;
    struct thread *thread;
    struct futex_key key;
    gva_t addr; /* of a lock with an owner */
    uint32_t bitset;
    bool owned; /* waits in futex_lock_pi() */
    bool woken; /* no longer queued */
};

int futex_key_of(gva_t addr, bool shared, struct futex_key *key);
/* The first waiter with this key, in order of arrival, or NULL. */
struct futex_waiter *futex_first(const struct futex_key *key, bool owned);
/* Some waiter of futex_lock_pi() whose word's owner is tid, or NULL. */
struct futex_waiter *futex_waiter_on(int32_t tid);
/* Takes a waiter off the queue and lets its thread run. */
void futex_release(struct futex_waiter *w);
/* Waits in the queue: 0 (woken), -ETIMEDOUT or -EINTR. */
int futex_sleep(struct futex_waiter *w, int64_t deadline_ns);
/* Gives a lock to the first waiter; `bits` are set in the word besides. */
int futex_pass_on(gva_t addr, const struct futex_key *key, uint32_t bits);

#endif
