/* SPDX-License-Identifier: MIT */
/* futex(2) of a program with one thread: nobody waits, so nobody is ever woken. */
#include <kernel/clock.h>
#include <kernel/wait.h>
#include <syscall/protos.h>
#include <syscall/user.h>
#include <syscall/user_time.h>

/* restart_arg[]: what a wait that a signal stopped goes on with. */
enum { RESTART_ADDR, RESTART_VALUE, RESTART_DEADLINE };

/* Sleeps while *addr is value; only the deadline or a signal ends it. */
static int64_t futex_wait(gva_t addr, uint32_t value, int64_t deadline_ns) {
    uint32_t now;
    if (get_user(now, addr) != 0) return -EFAULT;
    if (now != value) return -EAGAIN;
    int err = wait_until(NULL, NULL, NULL, 0, deadline_ns);
    return err == -EINTR ? -ERESTARTSYS : err;
}

static int64_t futex_wait_restart(struct thread *t) {
    int64_t deadline_ns = (int64_t)t->restart_arg[RESTART_DEADLINE];
    int64_t err = futex_wait(t->restart_arg[RESTART_ADDR], (uint32_t)t->restart_arg[RESTART_VALUE],
                             deadline_ns);
    if (err != -ERESTARTSYS) return err;
    t->restart = futex_wait_restart;
    return -ERESTART_RESTARTBLOCK;
}

/* A relative timeout must not start anew when the call is restarted. */
static int64_t futex_wait_for(gva_t addr, uint32_t value, int64_t deadline_ns) {
    struct thread *t = current_thread();
    t->restart_arg[RESTART_ADDR] = addr;
    t->restart_arg[RESTART_VALUE] = value;
    t->restart_arg[RESTART_DEADLINE] = (uint64_t)deadline_ns;
    return futex_wait_restart(t);
}

/* The timeout argument as a CLOCK_MONOTONIC deadline. */
static int futex_deadline(gva_t at, bool absolute, bool realtime, int64_t *deadline_ns) {
    int64_t ns;
    int err = user_timespec(at, &ns);
    if (err != 0) return err;
    if (!absolute)
        *deadline_ns = deadline_after(ns);
    else if (realtime)
        *deadline_ns = deadline_after(max(ns - clock_realtime_ns(), 0));
    else
        *deadline_ns = ns;
    return 0;
}

static int64_t futex_requeue(gva_t addr, gva_t to, int wake, uint64_t move, const uint32_t *want) {
    if (to % sizeof(uint32_t) != 0 || wake < 0 || (int)move < 0) return -EINVAL;
    uint32_t now;
    if (get_user(now, to) != 0 || get_user(now, addr) != 0) return -EFAULT;
    return want != NULL && now != *want ? -EAGAIN : 0;
}

/* futex(2) */
int64_t sys_futex(gva_t addr, int op, uint32_t value, gva_t timeout, gva_t addr2, uint32_t value3) {
    int cmd = op & FUTEX_CMD_MASK;
    bool realtime = (op & FUTEX_CLOCK_REALTIME) != 0;
    if (realtime && cmd != FUTEX_WAIT_BITSET) return -ENOSYS;
    if (addr % sizeof(uint32_t) != 0) return -EINVAL;
    if (addr >= HERMIT_USER_TOP) return -EFAULT;
    int64_t deadline_ns = WAIT_FOREVER;
    switch (cmd) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        if (timeout != 0) {
            int err = futex_deadline(timeout, cmd == FUTEX_WAIT_BITSET, realtime, &deadline_ns);
            if (err != 0) return err;
        }
        if (cmd == FUTEX_WAIT_BITSET && value3 == 0) return -EINVAL;
        if (timeout == 0) return futex_wait(addr, value, deadline_ns);
        return futex_wait_for(addr, value, deadline_ns);
    case FUTEX_WAKE:
        return 0;
    case FUTEX_WAKE_BITSET:
        return value3 == 0 ? -EINVAL : 0;
    case FUTEX_REQUEUE:
        return futex_requeue(addr, addr2, (int)value, timeout, NULL);
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(addr, addr2, (int)value, timeout, &value3);
    default:
        return -ENOSYS;
    }
}
