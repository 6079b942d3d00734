/* SPDX-License-Identifier: MIT */
/* The doors into the kernel, in ring 3, and the way out.
 *
 * Every door switches to the thread's kernel stack through %gs before it touches memory at the
 * program's rsp (small stacks, red zone), builds a struct regs and calls C.  The way out may be
 * interrupted anywhere: until its last instruction the frame is intact and the monitor restarts
 * it from exit_to_user. */
#define __ASSEMBLER__ 1
#include <hermit/layout.h>
#include "percpu_offsets.h"

    .macro pop_general
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    .endm

    .text
/* Raw `syscall` (MSR_LSTAR): rcx = return address, r11 = rflags.  Software KVM arrives in ring 3,
 * hardware in ring 0. */
    .globl syscall_entry
    .balign 64
syscall_entry:
    movq %rsp, %gs:PC_USER_RSP
    movq %rcx, %gs:PC_SCRATCH
    movl %cs, %ecx
    testb $3, %cl
    jz from_ring0
syscall_common:
    movq %gs:PC_KSTACK_TOP, %rsp
    pushq $HERMIT_SS3
    pushq %gs:PC_USER_RSP
    pushq %r11
    pushq $HERMIT_CS3
    pushq %gs:PC_SCRATCH
    pushq %rax
    PUSH_GENERAL(%rax, %gs:PC_SCRATCH)
    movl $1, %esi /* a raw call */
    .globl syscall_call
syscall_call:
    movq $0, %gs:PC_FULL_RESTORE
    movq %rsp, %rdi
    xorl %ebp, %ebp
    call syscall_dispatch

    .globl exit_to_user, exit_to_user_end
exit_to_user:
    movq %gs:PC_KSTACK_TOP, %rsp
    subq $REGS_SIZE, %rsp
    cmpq $0, %gs:PC_PENDING
    jne exit_work_pending
    cmpq $0, %gs:PC_FULL_RESTORE
    jne exit_full
    /* What C functions preserve has not changed.  popfq would be slow. */
    movq REGS_RFLAGS(%rsp), %r11
    movl %r11d, %ecx
    andl $~STATUS_FLAGS, %ecx
    cmpl $0x202, %ecx
    jne exit_full /* TF would be felt before the program is reached */
    movzbl REGS_RFLAGS + 1(%rsp), %eax
    movb REGS_RFLAGS(%rsp), %ah
    addb $0x78, %al /* overflows if the frame's OF is set */
    sahf            /* the others */
    movq REGS_RBP(%rsp), %rbp
    movq REGS_R10(%rsp), %r10
    movq REGS_R9(%rsp), %r9
    movq REGS_R8(%rsp), %r8
    movq REGS_RAX(%rsp), %rax
    movq REGS_RDX(%rsp), %rdx
    movq REGS_RSI(%rsp), %rsi
    movq REGS_RDI(%rsp), %rdi
    movq REGS_RIP(%rsp), %rcx
    movq REGS_RSP(%rsp), %rsp
    jmp *%rcx
exit_full:
    pop_general
    leaq 8(%rsp), %rsp
    iretq
exit_to_user_end:
    .globl exit_to_user_size
    .set exit_to_user_size, exit_to_user_end - exit_to_user
    ud2

exit_work_pending:
    movq %rsp, %rdi
    xorl %ebp, %ebp
    call exit_work
    jmp exit_to_user

from_ring0:
    movq %r11, %gs:PC_SCRATCH2
    leaq 1f(%rip), %rcx
    movl $0x202, %r11d
    sysretq
1:  movq %gs:PC_SCRATCH2, %r11
    jmp syscall_common

/* A fault or interrupt, handed up by the monitor; rsp is meaningless.  For a page fault it has
 * left the vector to us, and rax in PC_TRAP_RAX. */
    .globl trap_entry, trap_entry_page_fault
    .balign 64
trap_entry_page_fault:
    movq $14, %gs:MB_VECTOR
    jmp 0f
trap_entry:
    movq %rax, %gs:PC_TRAP_RAX
0:  movq %gs:MB_RIP, %rax
    movabsq $kernel_code, %rsp
    subq %rsp, %rax
    cmpq $KERNEL_TEXT_SPAN, %rax
    jb 1f
    movq %gs:PC_KSTACK_TOP, %rsp
    movq $1, %gs:PC_FULL_RESTORE
    jmp 2f
1:  movq %gs:MB_RSP, %rsp
    andq $-16, %rsp
    subq $8, %rsp
2:  pushq %gs:MB_SS
    pushq %gs:MB_RSP
    pushq %gs:MB_RFLAGS
    pushq %gs:MB_CS
    pushq %gs:MB_RIP
    pushq $-1
    PUSH_GENERAL(%gs:PC_TRAP_RAX, %rcx)
    cld
    movq %rsp, %rdi
    movq %gs:MB_VECTOR, %rsi
    movq %gs:MB_ERROR, %rdx
    movq %gs:PC_CR2, %rcx
    call trap_dispatch
    leaq REGS_SIZE(%rsp), %rax
    cmpq %gs:PC_KSTACK_TOP, %rax
    je exit_to_user
    pop_general
    leaq 8(%rsp), %rsp
    iretq

/* Where a KVM virtual CPU starts: ring 3, rdi = gpa of the boot block, rsi = 0. */
    .globl kernel_start
kernel_start:
    movq %gs:PC_KSTACK_TOP, %rsp
    subq $REGS_SIZE, %rsp
    xorl %ebp, %ebp
    call kernel_main
    jmp exit_to_user

/* Where any further virtual CPU starts: ring 3. */
    .globl cpu_entry
cpu_entry:
    movq %gs:PC_KSTACK_TOP, %rsp
    xorl %ebp, %ebp
    call sched_cpu_main
    ud2

/* Copies that may fault: rdi dst, rsi src, rdx bytes; 0 or the number of bytes not copied. */
    .globl user_copy
user_copy:
    movq %rdx, %rcx
1:  rep movsb
2:  movq %rcx, %rax
    ret
    .globl user_clear
user_clear: /* rdi dst, rsi bytes */
    movq %rsi, %rcx
    xorl %eax, %eax
3:  rep stosb
4:  movq %rcx, %rax
    ret
    .globl user_load_byte
user_load_byte: /* rdi src: the byte, or -1 */
5:  movzbl (%rdi), %eax
    ret
6:  movl $-1, %eax
    ret
    .globl user_cmpxchg
user_cmpxchg: /* rdi at, rsi expected (receives what was there), edx new: 0, or -1 (fault) */
    movl (%rsi), %eax
7:  lock cmpxchgl %edx, (%rdi)
    movl %eax, (%rsi)
    xorl %eax, %eax
    ret
8:  movl $-1, %eax
    ret
    .section .extable, "a", @progbits
    .quad 1b, 2b
    .quad 3b, 4b
    .quad 5b, 6b
    .quad 7b, 8b
    .section .note.GNU-stack, "", @progbits
