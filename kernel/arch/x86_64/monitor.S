/* SPDX-License-Identifier: MIT */
/* The monitor: all code that runs in ring 0 after boot.
 *
 * Exceptions arrive on TSS.RSP0, always at the same address, so the frame itself is a mailbox:
 * the stub adds error code and vector and returns into trap_entry in ring 3, which reads it.
 * Interrupts arrive on IST1 so that they cannot overwrite a mailbox that is being read.  The
 * kernel's own ways in are three: a division by percpu.gate, which loads CR3, `int $4`, which
 * forgets a page's translation and would do a program neither good nor harm, and `ud2` at
 * monitor_gate, which halts.  %gs is the kernel's in both rings.  Every instruction here is
 * emulated on software KVM (0.5 us each): keep it short. */
#define __ASSEMBLER__ 1
#include <hermit/layout.h>
#include "percpu_offsets.h"

    .section .text.monitor, "ax", @progbits
    .globl monitor_vectors
monitor_vectors:
    .set vec, 0
    .rept HERMIT_VEC_COUNT
    .balign MONITOR_STUB_SIZE
    .if vec == HERMIT_VEC_IPI || vec == HERMIT_VEC_EVENT
    pushq $vec
    cmpl $HERMIT_KERNEL_GVA >> 32, 12(%rsp) /* of rip: the kernel, or its leaf calls? */
    je interrupt
    jmp interrupt_of_program
    .elseif vec >= 32
    pushq $vec
    jmp interrupt
    .elseif vec == 0
    btsl $0, %gs:PC_GATE /* was it the kernel's 0?  The division, run again, is by 1 */
    jc divide_error
    movq %rdi, %cr3
    iretq
    .elseif vec == 4
    invlpg (%rdi)
    iretq
    .elseif vec == 6
    jmp invalid_opcode
    .elseif vec == 14
    movq %rax, %gs:PC_TRAP_RAX
    movq %cr2, %rax
    movq %rax, %gs:PC_CR2
    leaq to_page_fault(%rip), %rsp
    iretq
    .elseif vec == 8 || (vec >= 10 && vec <= 13) || vec == 17 || vec == 21
    pushq $vec
    jmp hand_over
    .else
    pushq $0
    pushq $vec
    jmp hand_over
    .endif
    .set vec, vec + 1
    .endr

    .balign 16
divide_error: /* the program's */
    pushq $0
    pushq $0
hand_over: /* to ring 3 with all registers as they were, except rsp and rflags */
    leaq to_trap(%rip), %rsp
    iretq

invalid_opcode:
    cmpl $GATE_LOW, (%rsp)
    jne not_gate
    cmpl $HERMIT_KERNEL_GVA >> 32, 4(%rsp)
    jne not_gate
    addl $2, (%rsp)
    /* An interrupt that came before sets pending: sti's shadow covers only the hlt. */
    cmpq $0, %gs:PC_PENDING
    jne 1f
    sti
    hlt
    cli
1:  iretq
not_gate:
    pushq $0
    pushq $6
    jmp hand_over

interrupt: /* (rsp): vector, rip, cs, rflags, rsp, ss */
    movq $1, %gs:PC_PENDING
    pushq %rax
    pushq %rcx
    cmpq $HERMIT_VEC_EVENT, 16(%rsp)
    jne interrupt_of_qemu
1:  movq 24(%rsp), %rax
    subq kernel_code_start(%rip), %rax
    cmpq $KERNEL_TEXT_SPAN, %rax
    jae interrupt_from_user
    /* In the kernel: the exit path looks at pending.  If it already has, run it again. */
    movq 24(%rsp), %rax
    leaq exit_to_user(%rip), %rcx
    subq %rcx, %rax
    cmpq $exit_to_user_size, %rax
    jae 2f
    movq %rcx, 24(%rsp)
2:  popq %rcx
    popq %rax
    addq $8, %rsp
    iretq

interrupt_of_qemu: /* these want to know the end of the interrupt */
    cmpq $HERMIT_VEC_IPI, 16(%rsp)
    je 3f
    movb $0x20, %al /* 8259A */
    outb %al, $0x20
    jmp 1b
3:  movabsq $LOCAL_APIC_GVA + APIC_EOI, %rax
    movl $0, (%rax)
    jmp 1b

interrupt_of_program: /* the common case, in few instructions */
    movq $1, %gs:PC_PENDING
    cmpb $HERMIT_VEC_IPI, (%rsp)
    jne 4f
    movl $0, apic_eoi(%rip)
    jmp 4f

interrupt_from_user: /* move the frame to the mailbox: no trap is on its way */
    popq %rcx
    popq %rax
4:  popq %gs:MB_VECTOR
    popq %gs:MB_RIP
    popq %gs:MB_CS
    popq %gs:MB_RFLAGS
    popq %gs:MB_RSP
    popq %gs:MB_SS
    jmp hand_over

    .balign 16
to_trap: /* what iretq pops */
    .quad trap_entry, HERMIT_CS3, 0x202, 0, HERMIT_SS3
to_page_fault:
    .quad trap_entry_page_fault, HERMIT_CS3, 0x202, 0, HERMIT_SS3
kernel_code_start:
    .quad kernel_code

    .text
    .globl monitor_set_cr3
monitor_set_cr3: /* void monitor_set_cr3(gpa_t root) */
    xorl %edx, %edx
    movl $0, %gs:PC_GATE
    divl %gs:PC_GATE
    ret

    .globl monitor_flush_page
monitor_flush_page: /* void monitor_flush_page(gva_t page) */
    int $4
    ret

    .globl monitor_halt
monitor_halt: /* void monitor_halt(void) */
monitor_gate:
    ud2
    ret
    .globl GATE_LOW
    .set GATE_LOW, monitor_gate - HERMIT_KERNEL_GVA /* the low half of KERNEL_GVA is 0 */
    .section .note.GNU-stack, "", @progbits
