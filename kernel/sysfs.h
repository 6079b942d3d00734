/* SPDX-License-Identifier: MIT */
/* Private to sysfs*.c: directories of /sys that have a file of their own. */
#ifndef SYSFS_H
#define SYSFS_H

#include "procfs.h"

extern const struct tree_dir sysfs_cpu_dir, sysfs_node_dir; /* sysfs_cpu.c */

#endif
