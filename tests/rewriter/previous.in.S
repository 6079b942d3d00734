/* SPDX-License-Identifier: MIT */
/* One instruction of five bytes before the site: it moves, and tells the call's number. */
    .globl _start
    .type _start, @function
_start:
    mov $39, %eax
    syscall
    ret
    .size _start, . - _start
