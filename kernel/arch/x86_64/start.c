/* SPDX-License-Identifier: MIT */
/* The first C code of both engines: finds the boot block. */
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/main.h>

#include "cpu.h"
#include "pvh.h"

void kernel_main(gpa_t boot, gpa_t pvh_info) {
    uint64_t tsc = arch_tsc();
    const struct hermit_boot *block = pvh_info != 0 ? pvh_boot_block(pvh_info) : frame_ptr(boot);
    kernel_boot(block, tsc);
}
