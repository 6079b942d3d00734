/* SPDX-License-Identifier: MIT */
/* Counters that the loader prints with --stats. */
#ifndef KERNEL_STATS_H
#define KERNEL_STATS_H

#include <hermit/boot.h>

extern struct hermit_stats hermit_stats;

#endif
