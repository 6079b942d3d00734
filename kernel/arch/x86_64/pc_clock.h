/* SPDX-License-Identifier: MIT */
/* Clocks of a PC without a loader; ring 0. */
#ifndef KERNEL_ARCH_PC_CLOCK_H
#define KERNEL_ARCH_PC_CLOCK_H

#include <kernel/types.h>

struct pc_clock {
    uint64_t tsc_khz; /* against the 8254 */
    uint64_t tsc_base;
    int64_t realtime_ns; /* of the CMOS clock (UTC) at tsc_base */
};

void pc_clock_read(struct pc_clock *clock);

#endif
