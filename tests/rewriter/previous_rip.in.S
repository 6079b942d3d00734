/* SPDX-License-Identifier: MIT */
/* The instruction before the site has its operand by its own address; no number is proven. */
    .globl _start
    .type _start, @function
_start:
    xor %eax, %eax
    lea message(%rip), %rsi
    syscall
    mov number(%rip), %eax
    syscall
    cmpl $5, message(%rip)
    syscall
    ret
    .size _start, . - _start
    .data
message: .long 5
number: .long 39
