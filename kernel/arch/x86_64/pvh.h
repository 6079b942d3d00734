/* SPDX-License-Identifier: MIT */
/* What the PVH entry hands over (Xen public/arch-x86/hvm/start_info.h). */
#ifndef KERNEL_ARCH_PVH_H
#define KERNEL_ARCH_PVH_H

#include <kernel/types.h>

/* Packed: firmware puts them at any address. */
#define PVH_PACKED __attribute__((packed))

struct PVH_PACKED pvh_start_info {
    uint32_t magic, version, flags, nr_modules;
    uint64_t modlist, cmdline, rsdp, memmap;
    uint32_t memmap_entries, reserved;
};

struct PVH_PACKED pvh_module {
    uint64_t address, size, cmdline, reserved;
};

struct PVH_PACKED pvh_memmap {
    uint64_t address, size;
    uint32_t type, reserved; /* type 1: RAM */
};

struct hermit_boot;

/* The boot block: the loader's, if the first module is one, or one made up from the command line,
 * the memory map and an initial RAM disk. */
const struct hermit_boot *pvh_boot_block(gpa_t info);
/* Ring 0: interrupt controller, serial port and, without a loader, the clocks. */
void pvh_devices(gpa_t info);
/* The loader's boot block among the modules, or NULL. */
const struct hermit_boot *pvh_loader_block(const struct pvh_start_info *start);

#endif
