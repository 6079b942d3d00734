/* SPDX-License-Identifier: MIT */
/* Several short instructions move together; a branch to the site itself does no harm. */
    .globl _start
    .type _start, @function
_start:
    test %edi, %edi
    je 1f
    xor %edi, %edi
    mov %r8d, %eax
    xor %esi, %esi
1:  syscall
    ret
    .size _start, . - _start
