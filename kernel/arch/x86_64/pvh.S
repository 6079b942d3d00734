/* SPDX-License-Identifier: MIT */
/* The PVH door (Xen's x86/HVM direct boot ABI): 32-bit protected mode, no paging, ebx = start
 * info.  Does in ring 0 what the KVM loader does with KVM_SET_SREGS, then joins kernel_start. */
#define __ASSEMBLER__ 1
#include <hermit/layout.h>
#include "percpu_offsets.h"

#define TEXT_GPA(sym) (sym - HERMIT_KERNEL_GVA + HERMIT_RAM_GPA)
#define DATA_GPA(sym) (sym - KERNEL_DATA_GVA + KERNEL_DATA_GPA)
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_FMASK 0xc0000084
#define MSR_GS_BASE 0xc0000101
#define CPUID_XSAVE (1 << 26)

    .section .note.hermit, "a", @note
    .balign 4
    .long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long TEXT_GPA(pvh_start)

    .macro set_msr nr, value
    movl $\nr, %ecx
    movq \value, %rdx
    movl %edx, %eax
    shrq $32, %rdx
    wrmsr
    .endm

    .macro enable_paging tables /* and long mode, from 32-bit code that they map one to one */
    movl \tables, %eax
    movl %eax, %cr3
    movl $HERMIT_CR4, %eax
    movl %eax, %cr4
    movl $MSR_EFER, %ecx
    movl $HERMIT_EFER, %eax
    xorl %edx, %edx
    wrmsr
    movl $HERMIT_CR0, %eax
    movl %eax, %cr0
    .endm

    .section .text.pvh, "ax", @progbits
    .code32
    .globl pvh_start
pvh_start:
    cld
    movl %ebx, %ebp /* kept through cpuid and C */
    /* The image where it is; pvh_boot_block ends this. */
    movl $DATA_GPA(image_pd) + 3, DATA_GPA(low_pdpt)
    enable_paging $DATA_GPA(boot_pml4)
    lgdt TEXT_GPA(gdt_low)
    ljmp $0x10, $TEXT_GPA(1f)
gdt_low:
    .word 0x7f
    .long DATA_GPA(boot_gdt)

    .code64
1:  movabsq $2f, %rax
    jmp *%rax
2:  lgdt gdt_descriptor(%rip)
    leaq percpu0(%rip), %rbx
    leaq PC_IRQ_STACK_TOP(%rbx), %rsp
    call cpu_set_state
    movl %ebp, %edi
    call pvh_devices

    /* Into ring 3; interrupts are enabled from here on. */
    leaq percpu0(%rip), %rax
    pushq $HERMIT_SS3
    pushq PC_KSTACK_TOP(%rax)
    pushq $0x202
    pushq $HERMIT_CS3
    leaq kernel_start(%rip), %rax
    pushq %rax
    xorl %edi, %edi
    movl %ebp, %esi
    iretq

/* The state of a KVM virtual CPU at its start, but for ring, CR3 and registers.  Ring 0, 64-bit
 * mode, rbx = struct percpu, its GDT is loaded. */
    .globl cpu_set_state
cpu_set_state:
    lidt idt_descriptor(%rip)
    movw $HERMIT_TSS_SEL, %ax
    ltr %ax
    movl $HERMIT_SS0, %eax
    movl %eax, %ss
    movl $HERMIT_SS3, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    set_msr MSR_GS_BASE, %rbx
    leaq syscall_entry(%rip), %rax
    set_msr MSR_LSTAR, %rax
    movabsq $HERMIT_STAR_HI << 48 | HERMIT_CS0 << 32, %rax
    set_msr MSR_STAR, %rax
    movl $HERMIT_FMASK, %eax
    set_msr MSR_FMASK, %rax

    pushq %rbx
    movl $1, %eax
    cpuid
    testl $CPUID_XSAVE, %ecx
    jz 3f
    movq %cr4, %rax
    orl $HERMIT_CR4_OSXSAVE, %eax
    movq %rax, %cr4
    movl $0xd, %eax /* every state component that the CPU has */
    xorl %ecx, %ecx
    cpuid
    andl $0xe7, %eax /* x87 SSE AVX AVX-512 */
    xorl %edx, %edx
    xorl %ecx, %ecx
    xsetbv
3:  fninit
    popq %rbx
    ret

/* Another CPU, woken by a start-up IPI: real mode at AP_START_GPA, where apic.c has put a copy of
 * this and, behind it, page tables that map it one to one (Intel SDM vol. 3, 9.4.4). */
    .globl ap_start, ap_start_end
    .code16
ap_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl ap_gdt_low - ap_start + AP_START_GPA
    movl $0x11, %eax /* PE ET */
    movl %eax, %cr0
    ljmpl $0x20, $(1f - ap_start + AP_START_GPA)
    .code32
1:  movl $HERMIT_SS0, %eax
    movl %eax, %ds
    movl %eax, %ss
    enable_paging $AP_TABLES_GPA
    ljmp $0x10, $(2f - ap_start + AP_START_GPA)
    .code64
2:  movabsq $ap_in_kernel, %rax
    jmp *%rax
ap_gdt_low:
    .word 0x7f
    .long DATA_GPA(boot_gdt)
ap_start_end:

ap_in_kernel:
    movl $AP_TAKEN, %ebx
    xchgq %rbx, ap_cpu(%rip)
    testq %rbx, %rbx
    jz too_late
    leaq PC_IRQ_STACK_TOP(%rbx), %rsp
    lgdt AREA_GDT_DESCRIPTOR(%rbx)
    call cpu_set_state
    movq PC_ROOT(%rbx), %rax
    movq %rax, %cr3
    call ap_wire_apic
    pushq $HERMIT_SS3
    pushq PC_KSTACK_TOP(%rbx)
    pushq $0x202
    pushq $HERMIT_CS3
    leaq cpu_entry(%rip), %rax
    pushq %rax
    movq $0, ap_cpu(%rip) /* cpu_boot may go on */
    iretq
too_late:
    movq $0, ap_cpu(%rip)
1:  cli
    hlt
    jmp 1b

    .section .text.pvh_data, "a", @progbits
    .balign 8
gdt_descriptor:
    .word 0x7f
    .quad boot_gdt
idt_descriptor:
    .word HERMIT_VEC_COUNT * 16 - 1
    .quad boot_idt
    .section .note.GNU-stack, "", @progbits
