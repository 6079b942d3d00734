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
#define PC_TRAP_STACK_TOP 512
#define PC_IRQ_STACK_TOP 1024
#define PC_ID 1024
#define PC_SIZE 1152

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

/* Operations behind the gate (esi), argument in rdi. */
#define GATE_SET_CR3 0
#define GATE_HALT 1

/* The local APIC, mapped for the PVH entry at the end of the image's page directory. */
#define LOCAL_APIC_GPA 0xfee00000
#define LOCAL_APIC_GVA (HERMIT_KERNEL_GVA + 511 * 0x200000)

#endif
