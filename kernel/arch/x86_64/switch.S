/* SPDX-License-Identifier: MIT */
/* From one kernel stack to another.  What a C function need not preserve is saved by the caller,
 * the rest here. */
    .text
    .globl switch_stacks
switch_stacks: /* void switch_stacks(uint64_t *save_rsp, uint64_t rsp) */
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret

/* Where a new thread's stack returns to: its frame lies above. */
    .globl thread_first_run
thread_first_run:
    call sched_first_run
    jmp exit_to_user
    .section .note.GNU-stack, "", @progbits
