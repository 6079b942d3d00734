/* SPDX-License-Identifier: MIT */
/* System V IPC: semget(2), semop(2), semctl(2), msgget(2), msgop(2), msgctl(2). */
#include <kernel/heap.h>
#include <kernel/sysv_ipc.h>
#include <kernel/wait.h>
#include <syscall/protos.h>
#include <syscall/user.h>
#include <syscall/user_time.h>

/* semget(2) */
int64_t sys_semget(int key, int count, uint32_t flags) { return sysv_semget(key, count, flags); }

/* semtimedop(2) */
int64_t sys_semtimedop(int id, gva_t ops_at, uint64_t count, gva_t timeout) {
    struct sembuf few[8], *ops = few;
    int64_t deadline_ns = WAIT_FOREVER, ns, r = 0;
    count = (uint32_t)count;
    if (count > SEMOPM) return -E2BIG;
    if (count < 1 || id < 0) return -EINVAL;
    if (count > ARRAY_LEN(few)) ops = kmalloc(count * sizeof(ops[0]));
    if (ops == NULL) return -ENOMEM;
    if (timeout != 0) {
        r = user_timespec(timeout, &ns);
        if (r == 0) deadline_ns = deadline_after(ns);
    }
    if (r == 0 && copy_from_user(ops, ops_at, count * sizeof(ops[0])) != 0) r = -EFAULT;
    if (r == 0) r = sysv_semop(id, ops, (uint32_t)count, deadline_ns);
    if (ops != few) kfree(ops);
    return r;
}

/* semop(2) */
int64_t sys_semop(int id, gva_t ops, uint64_t count) { return sys_semtimedop(id, ops, count, 0); }

/* semctl(2) */
int64_t sys_semctl(int id, int index, int cmd, uint64_t arg) {
    return sysv_semctl(id, index, cmd, arg);
}

/* msgget(2) */
int64_t sys_msgget(int key, uint32_t flags) { return sysv_msgget(key, flags); }

/* msgsnd(2) */
int64_t sys_msgsnd(int id, gva_t msg, uint64_t size, uint32_t flags) {
    return sysv_msgsnd(id, msg, size, flags);
}

/* msgrcv(2) */
int64_t sys_msgrcv(int id, gva_t msg, uint64_t size, int64_t type, uint32_t flags) {
    return sysv_msgrcv(id, msg, size, type, flags);
}

/* msgctl(2) */
int64_t sys_msgctl(int id, int cmd, gva_t arg) { return sysv_msgctl(id, cmd, arg); }
