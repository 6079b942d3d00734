/* SPDX-License-Identifier: MIT */
/* System V IPC: what semaphores, message queues and shared memory have in common - keys,
 * identifiers, permissions - and the calls of each kind.  sysvipc(7). */
#ifndef KERNEL_SYSV_IPC_H
#define KERNEL_SYSV_IPC_H

#include <hermit/linux_abi.h>
#include <kernel/types.h>

struct process;

/* The head of an object. */
struct sysv_object {
    int32_t key, id;
    uint32_t uid, gid, cuid, cgid, mode;
    uint16_t seq;
    bool removed; /* IPC_RMID: waiters fail with EIDRM; freed by the last of them */
    uint32_t refs;
};

/* All objects of one kind. */
struct sysv_table {
    struct sysv_object **slots; /* owned */
    uint32_t size, used;
    uint32_t limit; /* objects: SEMMNI and the like, at most 32768 */
    uint16_t seq;
};

/* xxxget(2) up to the object's own checks: the object of the key with 0, 1 if one is to be made
 * (*out is NULL), or -errno (EEXIST, ENOENT, EACCES, ENOSPC). */
int sysv_get(struct sysv_table *t, int32_t key, uint32_t flags, struct sysv_object **out);
/* Enters a new object with the permissions of `flags`: its identifier, -ENOMEM or -ENOSPC. */
int sysv_add(struct sysv_table *t, struct sysv_object *o, int32_t key, uint32_t flags);
/* The object of an identifier: 0, -EINVAL or -EIDRM. */
int sysv_find(struct sysv_table *t, int32_t id, struct sysv_object **out);
/* As sysv_find, by place in the table (SEM_STAT and the like). */
int sysv_find_index(struct sysv_table *t, int32_t index, struct sysv_object **out);
/* Takes it out of the table; the caller wakes who waits for it. */
void sysv_remove(struct sysv_table *t, struct sysv_object *o);
/* -1, or the highest place that is in use. */
int32_t sysv_max_index(const struct sysv_table *t);
/* 0 or -EACCES for `want`: 4 to read, 2 to change. */
int sysv_permission(const struct sysv_object *o, uint32_t want);
/* 0 or -EPERM: IPC_SET, IPC_RMID. */
int sysv_owner(const struct sysv_object *o);
void sysv_perm_out(const struct sysv_object *o, struct ipc64_perm *out);
int sysv_perm_set(struct sysv_object *o, const struct ipc64_perm *in);

/* semget(2), semop(2), semctl(2).  ops: a kernel copy; deadline_ns: CLOCK_MONOTONIC. */
int64_t sysv_semget(int32_t key, int32_t count, uint32_t flags);
int64_t sysv_semop(int32_t id, const struct sembuf *ops, uint32_t count, int64_t deadline_ns);
int64_t sysv_semctl(int32_t id, int32_t index, int32_t cmd, uint64_t arg);
/* SEM_UNDO: the process ends. */
void sysv_sem_exit(const struct process *p);

/* msgget(2), msgsnd(2), msgrcv(2), msgctl(2). */
int64_t sysv_msgget(int32_t key, uint32_t flags);
int64_t sysv_msgsnd(int32_t id, gva_t msg, uint64_t size, uint32_t flags);
int64_t sysv_msgrcv(int32_t id, gva_t msg, uint64_t size, int64_t type, uint32_t flags);
int64_t sysv_msgctl(int32_t id, int32_t cmd, gva_t arg);

#endif
