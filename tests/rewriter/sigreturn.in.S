/* SPDX-License-Identifier: MIT */
/* Unwinders and debuggers recognise rt_sigreturn by its bytes, in both ways of writing it. */
    .globl _start
    .type _start, @function
_start:
    mov $15, %eax
    syscall
    .size _start, . - _start
    .globl restore
    .type restore, @function
restore:
    mov $15, %rax
    syscall
    .size restore, . - restore
