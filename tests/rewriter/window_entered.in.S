/* SPDX-License-Identifier: MIT */
/* A branch leads between the short instructions, into bytes that a jump would cover. */
    .globl _start
    .type _start, @function
_start:
    test %edi, %edi
    je 1f
    xor %edi, %edi
    mov %r8d, %eax
1:  xor %esi, %esi
    syscall
    test %eax, %eax
    ret
    .size _start, . - _start
