/* SPDX-License-Identifier: MIT */
/* Hermit's musl enters the kernel itself; its `syscall` is for other systems and stays. */
    .globl _start
    .type _start, @function
_start:
    mov $39, %eax
    cmpb $0, flag(%rip)
    je 10f
    lea 11f(%rip), %rcx
    jmp *%gs:0x1138
10: syscall
11: ret
    .balign 16
    .size _start, . - _start

    .data
flag:
    .byte 0
