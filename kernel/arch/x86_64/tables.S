/* SPDX-License-Identifier: MIT */
/* Page tables, descriptor tables and the first CPU's state, complete at link time: a virtual CPU
 * that starts on them needs no set-up code (Intel SDM vol. 3, 4.5 and 5.8). */
#define __ASSEMBLER__ 1
#include <hermit/layout.h>
#include <hermit/rewrite.h>
#include <kernel/leaf.h>
#include "percpu_offsets.h"

#define P 1
#define W 2
#define U 4
#define PCD 0x10
#define PS 0x80
#define A 0x20
#define D 0x40
#define NX (1 << 63)
/* Guest-physical address of a data symbol. */
#define GPA(sym) (sym - KERNEL_DATA_GVA + KERNEL_DATA_GPA)

    .section .data.tables, "aw", @progbits
    .balign 4096
    .globl boot_pml4
boot_pml4: /* the first program's own: its two usual ends are linked already (writes to a table in
            * use are slow on software KVM) */
    .quad GPA(low_pdpt) + P + W + U + A
    .fill 253, 8, 0
    .quad GPA(high_pdpt) + P + W + U + A
    .quad GPA(kernel_pdpt) + P + W + U
    .fill 256, 8, 0

    .globl low_pdpt, image_pd
low_pdpt:
    .fill 512, 8, 0
high_pdpt:
    .fill 512, 8, 0

    .globl kernel_pdpt
kernel_pdpt:
    .quad GPA(image_pd) + P + W + U
    .fill 63, 8, 0
    .quad GPA(direct_pd) + P + W + U /* HERMIT_DIRECT_GVA, first GiB */
    .fill 447, 8, 0

    .globl image_pd
image_pd:
    .quad GPA(image_pt_text) + P + W + U
    .quad GPA(image_pt_data) + P + W + U
    .fill 508, 8, 0
    .quad NX + VIRTIO_MMIO_GPA + P + W + U + PS + PCD /* plain QEMU only */
    .quad NX + LOCAL_APIC_GPA + P + W + PS + PCD /* QEMU only; apic.c may open it to ring 3 */

image_pt_text: /* read and execute */
    .set i, 0
    .rept KERNEL_TEXT_GPA_SPAN / 4096
    .quad HERMIT_RAM_GPA + i * 4096 + P + U + A
    .set i, i + 1
    .endr
    .fill 256 - KERNEL_TEXT_GPA_SPAN / 4096, 8, 0
    /* Again, where they are in guest-physical memory if this table is seen from address 0, as the
     * data are in the next one: the PVH entry runs there while it enables paging. */
    .set i, 0
    .rept 256
    .quad HERMIT_RAM_GPA + i * 4096 + P + A
    .set i, i + 1
    .endr
    .if KERNEL_DATA_GPA != 0x200000
    .error "the tables do not map the data one to one"
    .endif

image_pt_data: /* read and write */
    .set i, 0
    .rept 512
    .quad NX + KERNEL_DATA_GPA + i * 4096 + P + W + U + A + D
    .set i, i + 1
    .endr

direct_pd: /* 2 MiB pages */
    .set i, 0
    .rept 512
    .quad NX + i * 0x200000 + P + W + U + PS + A + D
    .set i, i + 1
    .endr

/* The first CPU's frames are laid out as the others', but for the tables in the first. */
    .balign 4096
    .globl percpu0
percpu0:
    .quad percpu0
    .quad boot_stack_top
    .fill PC_GATE / 8 - 2, 8, 0
    .quad 1
    .fill (PC_LEAF_STACK - PC_GATE) / 8 - 1, 8, 0
    .quad percpu0 + PC_LEAF_STACK
    .org percpu0 + PC_SIZE

    .globl boot_gdt, boot_gdt_end, tss_descriptor, boot_tss, boot_tss_end, boot_idt, boot_idt_end
    .balign 16
boot_gdt: /* selectors of layout.h; 0x20 is the 32-bit code segment of the PVH path */
    .quad 0, 0
    .quad 0x00af9b000000ffff /* 0x10: ring 0 code, 64-bit */
    .quad 0x00cf93000000ffff /* 0x18: ring 0 data */
    .quad 0x00cf9b000000ffff /* 0x20: ring 0 code, 32-bit */
    .quad 0x00cff3000000ffff /* 0x28: ring 3 data */
    .quad 0x00affb000000ffff /* 0x30: ring 3 code, 64-bit */
    .quad 0
tss_descriptor: /* 0x40; KERNEL_DATA_GVA is 2 MiB aligned, so its low 16 bits are the offset's */
    .word boot_tss_end - boot_tss - 1
    .word boot_tss - boot_pml4
    .byte (KERNEL_DATA_GVA >> 16) & 0xff
    .byte 0x89 /* available; the CPU marks it busy */
    .byte 0
    .byte (KERNEL_DATA_GVA >> 24) & 0xff
    .long KERNEL_DATA_GVA >> 32
    .long 0
boot_gdt_end:

    .balign 16
boot_tss:
    .long 0
    .quad percpu0 + PC_TRAP_STACK_TOP, 0, 0 /* RSP0-2 */
    .quad 0
    .quad percpu0 + PC_IRQ_STACK_TOP, 0, 0, 0, 0, 0, 0 /* IST1-7 */
    .quad 0
    .word 0
    .word io_bitmap - boot_tss
io_bitmap: /* a clear bit opens a port to ring 3 (SDM vol. 1, 19.5.2) */
    .set i, 0
    .rept (HERMIT_PORT_DOORBELL + 8) / 8
    .if i == HERMIT_PORT_SERIAL / 8
    .byte 0
    .elseif i == HERMIT_PORT_DOORBELL / 8
    .byte 0
    .elseif i == HERMIT_PORT_QEMU_EXIT / 8
    .byte 0
    .else
    .byte 0xff
    .endif
    .set i, i + 1
    .endr
    .byte 0xff
boot_tss_end:

    .balign 16
boot_idt: /* vector n's stub lies at n * MONITOR_STUB_SIZE from the monitor's start; interrupts use
           * IST1 */
    .set i, 0
    .rept HERMIT_VEC_COUNT
    .word MONITOR_OFFSET + i * MONITOR_STUB_SIZE
    .word HERMIT_CS0
    .if i < 32
    .byte 0
    .else
    .byte 1
    .endif
    .if i == 3
    .byte 0xee
    .elseif i == 4
    .byte 0xee
    .else
    .byte 0x8e
    .endif
    .word (HERMIT_KERNEL_GVA >> 16) & 0xffff
    .long HERMIT_KERNEL_GVA >> 32
    .long 0
    .set i, i + 1
    .endr
boot_idt_end:

    .org percpu0 + HERMIT_GS_CALLS
#define LEAF_SLOT(nr, name)                                                                        \
    .if i == nr;                                                                                   \
    .quad leaf_##name;                                                                             \
    .set other, 0;                                                                                 \
    .endif;
    .set i, 0
    .rept HERMIT_GS_CALLS_COUNT + 1
    .set other, 1
    LEAF_CALLS(LEAF_SLOT)
    .if other
    .quad syscall_door
    .endif
    .set i, i + 1
    .endr

    .section .bss
    .balign 4096
boot_stack:
    .skip 0x8000 - 8 /* the frame of 21 words then ends 16-byte aligned */
boot_stack_top:
    .skip 8
    .section .note.GNU-stack, "", @progbits
