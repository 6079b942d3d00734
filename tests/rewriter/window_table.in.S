/* SPDX-License-Identifier: MIT */
/* A table of offsets leads between the short instructions. */
    .globl _start
    .type _start, @function
_start:
    lea table(%rip), %rcx
    movslq (%rcx, %rdi, 4), %rdx
    add %rcx, %rdx
    jmp *%rdx
1:  xor %edi, %edi
    mov %r8d, %eax
2:  xor %esi, %esi
    syscall
    ret
    .size _start, . - _start
    .section .rodata
    .p2align 2
table: .long 1b - table, 2b - table
