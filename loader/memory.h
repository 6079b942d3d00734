/* SPDX-License-Identifier: MIT */
/* Guest RAM: reserved on the host, committed by the guest's touching it. */
#ifndef LOADER_MEMORY_H
#define LOADER_MEMORY_H

#include <stdint.h>

#include <hermit/boot.h>

/* Reserves the first RAM (and, under KVM, the first file window behind it), maps the kernel image
 * at its start and leaves room for the communication page and a boot block of block_bytes.
 * The size of the program's file tells how much there will be to map.
 * Fills the memory fields of a boot block: see memory_describe. Exits 125 on failure. */
void memory_init(enum hermit_engine engine, uint64_t limit_bytes, uint64_t block_bytes,
                 uint64_t program_bytes);
/* Guest-physical address of the boot block, and the block itself. */
gpa_t memory_boot_gpa(void);
struct hermit_boot *memory_boot_block(void);
/* Writes comm, ram_gpa, ram_bytes, free_gpa and ram_limit. */
void memory_describe(struct hermit_boot *b);
/* KVM: tells the VM of the first slot. */
void memory_attach(void);
/* QEMU: descriptor of the shared memory that is its RAM. */
int memory_fd(void);

#endif
