/* SPDX-License-Identifier: MIT */
/* Offsets of struct percpu and struct regs for assembly; trap.c asserts them. */
#ifndef KERNEL_ARCH_PERCPU_OFFSETS_H
#define KERNEL_ARCH_PERCPU_OFFSETS_H

#define PC_KSTACK_TOP 8
#define PC_USER_RSP 16
#define PC_SCRATCH 24
#define PC_SCRATCH2 32
#define PC_PENDING 40
#define PC_FULL_RESTORE 48
#define PC_CR2 56
#define PC_TRAP_RAX 64
#define PC_GATE 80
#define PC_TRAP_STACK_TOP 512
#define PC_IRQ_STACK_TOP 1024
#define PC_ID 1024
#define PC_ROOT 1032
#define PC_SIZE 1152

/* The rest of the frame that a further CPU's struct percpu is in: its task state segment and, under
 * QEMU, its GDT. */
#define AREA_TSS 2048
#define AREA_GDT 3072
#define AREA_GDT_DESCRIPTOR 3584

/* What the CPU and the monitor's stubs leave at the top of the trap stack. */
#define MB_VECTOR (PC_TRAP_STACK_TOP - 56)
#define MB_ERROR (PC_TRAP_STACK_TOP - 48)
#define MB_RIP (PC_TRAP_STACK_TOP - 40)
#define MB_CS (PC_TRAP_STACK_TOP - 32)
#define MB_RFLAGS (PC_TRAP_STACK_TOP - 24)
#define MB_RSP (PC_TRAP_STACK_TOP - 16)
#define MB_SS (PC_TRAP_STACK_TOP - 8)

#define REGS_SIZE 168
#define REGS_RFLAGS 144

/* Bytes of the monitor's code for a vector, from the start of kernel text on. */
#define MONITOR_STUB_SIZE 32

/* Below 1 MiB, where QEMU has RAM and the kernel nothing: a CPU's first code and three page tables.
 */
#define AP_START_GPA 0x8000
#define AP_TABLES_GPA 0x9000

/* The local APIC, mapped at the end of the image's page directory, for QEMU. */
#define APIC_EOI 0xb0
#define LOCAL_APIC_GPA 0xfee00000
#define LOCAL_APIC_GVA (HERMIT_KERNEL_GVA + 511 * 0x200000)

#endif
