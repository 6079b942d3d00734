/* SPDX-License-Identifier: MIT */
/* What is moved proves the number, or something else in it changes eax: any call then. */
    .globl _start
    .type _start, @function
_start:
    mov $39, %eax
    mov %rbx, %rdi
    syscall
    mov $39, %eax
    or %ecx, %eax
    syscall
    mov $39, %eax
    mov $1, %edi
    syscall
    mov $0x1000, %eax
    syscall
    xor %eax, %eax
    mov %rbx, %rdi
    syscall
    ret
    .size _start, . - _start
