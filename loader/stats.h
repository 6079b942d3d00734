/* SPDX-License-Identifier: MIT */
/* --stats: where the time went, VM exits, memory, system calls. */
#ifndef LOADER_STATS_H
#define LOADER_STATS_H

#include <stdint.h>

#include <hermit/boot.h>

enum stats_mark {
    STATS_START,
    STATS_VIEW,
    STATS_MEMORY,
    STATS_VM,
    STATS_ENTER,
    STATS_END,
    STATS_MARKS
};

/* Notes that hermit-run has come to this point. */
void stats_mark(enum stats_mark mark);
/* The guest's TSC is the host's plus offset. */
void stats_tsc(uint64_t khz, uint64_t offset);
/* Calls by time, as strace -c; to where --strace goes. */
void stats_print_summary(void);
void stats_print(enum hermit_engine engine);

#endif
