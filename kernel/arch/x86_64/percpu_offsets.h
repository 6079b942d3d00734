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
#define PC_LEAF_STACK 1048 /* its one word lies before */
#define PC_LEAF 1056
#define PC_SIZE 1280

/* The rest of the two frames that a further CPU's struct percpu is in: its task state segment,
 * under QEMU its GDT, and the words of hermit/rewrite.h, which the first CPU has there, too. */
#define AREA_ORDER 1 /* of frames */
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
#define REGS_RBP 32
#define REGS_R10 56
#define REGS_R9 64
#define REGS_R8 72
#define REGS_RAX 80
#define REGS_RDX 96
#define REGS_RSI 104
#define REGS_RDI 112
#define REGS_RIP 128
#define REGS_RFLAGS 144
#define REGS_RSP 152

/* Flags that a call changes in the kernel and gets back: OF SF ZF AF PF CF. */
#define STATUS_FLAGS 0x8d5
/* What the kernel must not run with, as HERMIT_FMASK: AC NT DF TF. */
#define DOOR_FLAGS 0x44500

/* The image begins with the doors of rewritten sites; the monitor follows. */
#define LEAF_CODE_SIZE 64
#define LEAF_MOVED 20 /* into a leaf call: rsp is not the program's, r11 holds it */
#define LEAF_MOVED_END 24
#define MONITOR_OFFSET 0x400

/* The rest of a frame, below orig_rax. */
#define PUSH_GENERAL(rax, rcx)                                                                     \
    pushq % rdi;                                                                                   \
    pushq % rsi;                                                                                   \
    pushq % rdx;                                                                                   \
    pushq rcx;                                                                                     \
    pushq rax;                                                                                     \
    pushq % r8;                                                                                    \
    pushq % r9;                                                                                    \
    pushq % r10;                                                                                   \
    pushq % r11;                                                                                   \
    pushq % rbx;                                                                                   \
    pushq % rbp;                                                                                   \
    pushq % r12;                                                                                   \
    pushq % r13;                                                                                   \
    pushq % r14;                                                                                   \
    pushq % r15

/* Bytes of the monitor's code for a vector, from the start of kernel text on. */
#define MONITOR_STUB_SIZE 32

/* Below 1 MiB, where QEMU has RAM and the kernel nothing: a CPU's first code and three page tables.
 */
#define AP_START_GPA 0x8000
#define AP_TABLES_GPA 0x9000
#define AP_TAKEN 1 /* ap_cpu: its CPU has it */

/* The local APIC, mapped at the end of the image's page directory, for QEMU. */
#define APIC_EOI 0xb0
#define LOCAL_APIC_GPA 0xfee00000
#define VIRTIO_MMIO_GPA 0xfea00000 /* of the 2 MiB with QEMU's devices in them */
#define VIRTIO_MMIO_GVA (HERMIT_KERNEL_GVA + 510 * 0x200000)
#define LOCAL_APIC_GVA (HERMIT_KERNEL_GVA + 511 * 0x200000)

#endif
