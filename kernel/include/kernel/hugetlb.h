/* SPDX-License-Identifier: MIT */
/* Huge pages that programs ask for by name (hugetlb): sizes exist, the pool of pages is empty. */
#ifndef KERNEL_HUGETLB_H
#define KERNEL_HUGETLB_H

#include <kernel/types.h>

struct file;

#define HUGETLB_LOG_DEFAULT 21 /* 2 MiB */
#define HUGETLB_LOG_1G 30

/* The page size in bytes with this logarithm (0: the default one), or 0 if there is none. */
uint64_t hugetlb_size(uint32_t log);
/* A new file of huge pages, empty.  Arguments as of shmem_create() (kernel/shmem.h). NULL without
 * memory. */
struct file *hugetlb_create(const char *path, uint64_t page_size, uint32_t mode, uint32_t seals);
/* The page size in bytes of a file of huge pages; 0: f is none. */
uint64_t hugetlb_page_size(const struct file *f);

#endif
