/* SPDX-License-Identifier: MIT */
/* The doors of rewritten sites (hermit/rewrite.h): rcx = return address, eax = number, all else is
 * the program's, flags included.
 *
 * Up to kernel_code the code counts as the program's: an interrupt is handed up as from there, and
 * leaf_finish() brings the call to its end.  From kernel_code on it is the kernel's.  */
#define __ASSEMBLER__ 1
#include <hermit/layout.h>
#include <kernel/leaf.h>
#include "percpu_offsets.h"

    .section .text.door, "ax", @progbits
/* Leaf calls: r11 keeps the stack pointer while the flags are pushed to percpu.leaf_flags. */
    .set leaf_word, PC_LEAF
#define LEAF_CODE(nr, name)                                                                        \
    .balign LEAF_CODE_SIZE, 0xcc;                                                                  \
    .globl leaf_##name;                                                                            \
    leaf_##name:;                                                                                  \
    movl %gs:leaf_word, %eax;                                                                      \
    movq %rsp, %r11;                                                                               \
    movq %gs:PC_LEAF_STACK, %rsp;                                                                  \
    .if . - leaf_##name != LEAF_MOVED;                                                             \
    .error "LEAF_MOVED";                                                                           \
    .endif;                                                                                        \
    pushfq;                                                                                        \
    movq %r11, %rsp;                                                                               \
    .if . - leaf_##name != LEAF_MOVED_END;                                                         \
    .error "LEAF_MOVED_END";                                                                       \
    .endif;                                                                                        \
    movq %gs:PC_LEAF_STACK - 8, %r11;                                                              \
    jmp *%rcx;                                                                                     \
    .set leaf_word, leaf_word + 4;
    .globl leaf_code, leaf_code_end
leaf_code:
    LEAF_CALLS(LEAF_CODE)
    .balign LEAF_CODE_SIZE, 0xcc
leaf_code_end:

/* Any call. */
    .globl syscall_door, kernel_code
syscall_door:
    movq %rsp, %gs:PC_USER_RSP
    movq %gs:PC_KSTACK_TOP, %rsp
kernel_code:
    pushq $HERMIT_SS3
    pushq %gs:PC_USER_RSP
    pushfq
    movq (%rsp), %r11
    pushq $HERMIT_CS3
    pushq %rcx
    pushq %rax
    PUSH_GENERAL(%rax, %rcx)
    xorl %esi, %esi /* not a raw call */
    testl $DOOR_FLAGS, REGS_RFLAGS(%rsp)
    jz syscall_call
    pushq $0x202
    popfq
    jmp syscall_call
    .section .note.GNU-stack, "", @progbits
