/* SPDX-License-Identifier: MIT */
/* System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2). */
#ifndef KERNEL_SHM_H
#define KERNEL_SHM_H

#include <kernel/types.h>

/* Each returns what the call of that name does, or -errno. */
int shm_get(int32_t key, uint64_t size, uint32_t flags);
int64_t shm_attach(int id, gva_t addr, uint32_t flags);
int shm_detach(gva_t addr);
int shm_control(int id, int cmd, gva_t buf);

#endif
