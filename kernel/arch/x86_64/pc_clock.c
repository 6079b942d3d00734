/* SPDX-License-Identifier: MIT */
/* TSC frequency from the 8254 timer and the date from the CMOS clock.  Only a kernel that QEMU
 * starts without a loader comes here: a loader knows both. */
#include <kernel/arch.h>

#include "pc_clock.h"

#define PIT_HZ 1193182u
#define PIT_TICKS (PIT_HZ / 100) /* 10 ms */
#define PIT_CHANNEL0 0x40
#define PIT_COMMAND 0x43
#define SPIN_LIMIT 1000000u /* a machine without a timer */

static uint32_t pit_count(void) {
    arch_outb(PIT_COMMAND, 0x00); /* latch channel 0 */
    uint32_t low = arch_inb(PIT_CHANNEL0);
    return low | (uint32_t)arch_inb(PIT_CHANNEL0) << 8;
}

static uint64_t tsc_khz(void) {
    arch_outb(PIT_COMMAND, 0x34); /* channel 0, both bytes, rate generator */
    arch_outb(PIT_CHANNEL0, 0xff);
    arch_outb(PIT_CHANNEL0, 0xff);
    uint32_t first = pit_count(), passed = 0;
    uint64_t start = arch_tsc();
    for (uint32_t i = 0; passed < PIT_TICKS; i++) {
        if (i == SPIN_LIMIT) return 1000000; /* 1 GHz: time passes, if not at its rate */
        passed = (first - pit_count()) & 0xffff;
    }
    return (arch_tsc() - start) * PIT_HZ / passed / 1000;
}

static uint32_t cmos(uint8_t reg) {
    arch_outb(0x70, reg);
    return arch_inb(0x71);
}

static uint32_t cmos_number(uint8_t reg, bool binary) {
    uint32_t v = cmos(reg);
    return binary ? v : (v >> 4) * 10 + (v & 15);
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static int64_t days(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t realtime_ns(void) {
    if (cmos(0x0a) == 0xff) return 0; /* no such device */
    while (cmos(0x0a) & 0x80)
        arch_pause(); /* being updated */
    bool binary = cmos(0x0b) & 4;
    int64_t day =
        days(2000 + cmos_number(9, binary), cmos_number(8, binary), cmos_number(7, binary));
    int64_t seconds = day * 86400 + cmos_number(4, binary) * 3600 + cmos_number(2, binary) * 60 +
                      cmos_number(0, binary);
    return seconds * NSEC_PER_SEC;
}

void pc_clock_read(struct pc_clock *clock) {
    clock->tsc_khz = tsc_khz();
    clock->realtime_ns = realtime_ns();
    clock->tsc_base = arch_tsc();
}
