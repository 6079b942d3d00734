/* SPDX-License-Identifier: MIT */
/* Waiting on a word of program memory. futex(2). */
#ifndef KERNEL_FUTEX_H
#define KERNEL_FUTEX_H

#include <kernel/process.h>

/* All return >= 0 or -errno.  shared: the word may lie in a MAP_SHARED mapping, where its frame
 * and not its address is what counts. */

/* Sleeps while *addr is value and nobody wakes a waiter with a bit of bitset: 0, -EAGAIN,
 * -ETIMEDOUT or -EINTR. */
int64_t futex_wait(gva_t addr, bool shared, uint32_t value, uint32_t bitset, int64_t deadline_ns);
/* Wakes up to count waiters: how many. */
int64_t futex_wake(gva_t addr, bool shared, uint32_t count, uint32_t bitset);
/* Wakes up to `wake` waiters and moves up to `move` to another word, if *addr is *expected. */
int64_t futex_requeue(gva_t addr, gva_t to, bool shared, uint32_t wake, uint32_t move,
                      const uint32_t *expected);
/* FUTEX_WAKE_OP. */
int64_t futex_wake_op(gva_t addr, gva_t addr2, bool shared, uint32_t count, uint32_t count2,
                      uint32_t op);
/* One entry of futex_waitv(2). */
struct futex_entry {
    gva_t addr;
    uint32_t value;
    bool shared;
};
/* The index of a word that was woken, or -errno. */
int64_t futex_wait_many(const struct futex_entry *entries, uint32_t count, int64_t deadline_ns);

/* Locks whose word holds the owner's number. */
int64_t futex_lock_pi(gva_t addr, bool shared, bool try, int64_t deadline_ns);
int64_t futex_unlock_pi(gva_t addr, bool shared);

/* The thread ends: its robust list is walked and its locks are passed on. */
void futex_thread_exit(struct thread *t);

#endif
