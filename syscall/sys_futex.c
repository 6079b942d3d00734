/* SPDX-License-Identifier: MIT */
/* futex(2), futex_waitv(2): decoding; the work is kernel/futex.c's. */
#include <kernel/clock.h>
#include <kernel/futex.h>
#include <kernel/heap.h>
#include <kernel/wait.h>
#include <syscall/protos.h>
#include <syscall/user.h>
#include <syscall/user_time.h>

#define WAITV_MAX 128
#define WAITV_FLAGS ((uint32_t)(FUTEX_32 | FUTEX_PRIVATE_FLAG))

/* restart_arg[]: what a wait that a signal stopped goes on with. */
enum { RESTART_ADDR, RESTART_VALUE, RESTART_DEADLINE, RESTART_SHARED_BITSET };

static int64_t wait_restart(struct thread *t) {
    uint64_t both = t->restart_arg[RESTART_SHARED_BITSET];
    int64_t r = futex_wait(t->restart_arg[RESTART_ADDR], both >> 32 != 0,
                           (uint32_t)t->restart_arg[RESTART_VALUE], (uint32_t)both,
                           (int64_t)t->restart_arg[RESTART_DEADLINE]);
    if (r != -EINTR) return r;
    t->restart = wait_restart;
    return -ERESTART_RESTARTBLOCK;
}

/* A relative timeout must not start anew when the call is restarted. */
static int64_t wait_for(gva_t addr, bool shared, uint32_t value, uint32_t bitset,
                        int64_t deadline_ns) {
    struct thread *t = current_thread();
    if (bitset == 0) return -EINVAL;
    if (deadline_ns < 0) {
        int64_t r = futex_wait(addr, shared, value, bitset, deadline_ns);
        return r == -EINTR ? -ERESTARTSYS : r;
    }
    t->restart_arg[RESTART_ADDR] = addr;
    t->restart_arg[RESTART_VALUE] = value;
    t->restart_arg[RESTART_DEADLINE] = (uint64_t)deadline_ns;
    t->restart_arg[RESTART_SHARED_BITSET] = (uint64_t)shared << 32 | bitset;
    return wait_restart(t);
}

/* A time as a CLOCK_MONOTONIC deadline. */
static int64_t deadline_of(int64_t ns, bool absolute, bool realtime) {
    if (!absolute) return deadline_after(ns);
    if (realtime) return deadline_after(max(ns - clock_realtime_ns(), 0));
    return ns;
}

static int get_deadline(int cmd, bool realtime, gva_t at, int64_t *deadline_ns) {
    int64_t ns;
    bool timed = cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI ||
                 cmd == FUTEX_LOCK_PI2;
    *deadline_ns = WAIT_FOREVER;
    if (!timed || at == 0) return 0;
    int err = user_timespec(at, &ns);
    if (err != 0) return err;
    /* FUTEX_LOCK_PI has always meant CLOCK_REALTIME. */
    *deadline_ns = deadline_of(ns, cmd != FUTEX_WAIT, realtime || cmd == FUTEX_LOCK_PI);
    return 0;
}

static int64_t lock_pi(gva_t addr, bool shared, int64_t deadline_ns) {
    int64_t r = futex_lock_pi(addr, shared, false, deadline_ns);
    return r == -EINTR ? -ERESTARTNOINTR : r;
}

static int64_t requeue(gva_t addr, gva_t to, bool shared, uint32_t wake, uint32_t move,
                       const uint32_t *expected) {
    if ((int32_t)wake < 0 || (int32_t)move < 0) return -EINVAL;
    return futex_requeue(addr, to, shared, wake, move, expected);
}

/* futex(2) */
int64_t sys_futex(gva_t addr, int op, uint32_t value, gva_t timeout, gva_t addr2, uint32_t value3) {
    int cmd = op & FUTEX_CMD_MASK;
    bool shared = !(op & FUTEX_PRIVATE_FLAG), realtime = (op & FUTEX_CLOCK_REALTIME) != 0;
    int64_t deadline_ns;
    if (realtime && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_LOCK_PI2) return -ENOSYS;
    int err = get_deadline(cmd, realtime, timeout, &deadline_ns);
    if (err != 0) return err;
    switch (cmd) {
    case FUTEX_WAIT:
        return wait_for(addr, shared, value, FUTEX_BITSET_MATCH_ANY, deadline_ns);
    case FUTEX_WAIT_BITSET:
        return wait_for(addr, shared, value, value3, deadline_ns);
    case FUTEX_WAKE: /* the least that it wakes is one, as in Linux */
        return futex_wake(addr, shared, max(value, 1u), FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET:
        return value3 == 0 ? -EINVAL : futex_wake(addr, shared, max(value, 1u), value3);
    case FUTEX_REQUEUE:
        return requeue(addr, addr2, shared, value, (uint32_t)timeout, NULL);
    case FUTEX_CMP_REQUEUE:
        return requeue(addr, addr2, shared, value, (uint32_t)timeout, &value3);
    case FUTEX_WAKE_OP:
        return futex_wake_op(addr, addr2, shared, value, (uint32_t)timeout, value3);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        return lock_pi(addr, shared, deadline_ns);
    case FUTEX_TRYLOCK_PI:
        return futex_lock_pi(addr, shared, true, WAIT_FOREVER);
    case FUTEX_UNLOCK_PI:
        return futex_unlock_pi(addr, shared);
    default:
        return -ENOSYS;
    }
}

static int load_entries(struct futex_entry *entries, gva_t at, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        struct futex_waitv v;
        if (get_user(v, at + i * sizeof(v)) != 0) return -EFAULT;
        if ((v.flags & ~WAITV_FLAGS) || v.__reserved || !(v.flags & FUTEX_32)) return -EINVAL;
        entries[i] = (struct futex_entry){
            .addr = v.uaddr, .value = (uint32_t)v.val, .shared = !(v.flags & FUTEX_PRIVATE_FLAG)};
    }
    return 0;
}

/* futex_waitv(2) */
int64_t sys_futex_waitv(gva_t at, uint32_t count, uint32_t flags, gva_t timeout, int clock) {
    int64_t ns, deadline_ns = WAIT_FOREVER;
    if (flags != 0 || count == 0 || count > WAITV_MAX || at == 0) return -EINVAL;
    if (timeout != 0) {
        if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME) return -EINVAL;
        int err = user_timespec(timeout, &ns);
        if (err != 0) return err;
        deadline_ns = deadline_of(ns, true, clock == CLOCK_REALTIME);
    }
    struct futex_entry *entries = kmalloc(count * sizeof(*entries));
    if (entries == NULL) return -ENOMEM;
    int64_t r = load_entries(entries, at, count);
    if (r == 0) r = futex_wait_many(entries, count, deadline_ns);
    kfree(entries);
    return r == -EINTR ? -ERESTARTSYS : r;
}
