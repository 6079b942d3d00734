/* SPDX-License-Identifier: MIT */
/* Memory as a file without a name: memfd_create(2), shared anonymous mappings, System V segments.
 */
#ifndef KERNEL_SHMEM_H
#define KERNEL_SHMEM_H

#include <kernel/types.h>

struct file;
struct file_ops;

/* A new in-memory file of size bytes, all zeroes, open for reading and writing.  path: what /proc
 * shows of it.  mode: permission bits.  seals: F_SEAL_*, F_SEAL_SEAL: none can be added.  NULL
 * without memory. */
struct file *shmem_create(const char *path, uint64_t size, uint32_t mode, uint32_t seals);
/* F_GET_SEALS: the seals, or -EINVAL for a file that can have none. */
int shmem_seals(const struct file *f);
/* F_ADD_SEALS: 0, -EINVAL (unknown seals or file), -EPERM (sealed, or not open for writing), or
 * -EBUSY (F_SEAL_WRITE with a writable shared mapping). */
int shmem_add_seals(struct file *f, uint32_t seals);
/* mmap(2) of f with MAP_SHARED: 0 or -EPERM if a seal forbids prot; *read_only: the mapping can
 * never become writable. */
int shmem_may_share(const struct file *f, uint32_t prot, bool *read_only);

#endif
