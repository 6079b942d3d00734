/* SPDX-License-Identifier: MIT */
/* Sites in a row: each uses the bytes between it and the one before. */
    .globl _start
    .type _start, @function
_start:
    mov $39, %eax
    syscall
    mov $110, %eax
    syscall
    syscall
    xor %edi, %edi
    mov %r8, %rax
    syscall
    ret
    .size _start, . - _start
