/* SPDX-License-Identifier: MIT */
/* Other code takes the address between the short instructions. */
    .globl _start
    .type _start, @function
_start:
    lea middle(%rip), %rcx
    jmp *%rcx
    .size _start, . - _start
    .globl other
    .type other, @function
other:
    xor %edi, %edi
    mov %r8d, %eax
middle:
    xor %esi, %esi
    syscall
    ret
    .size other, . - other
