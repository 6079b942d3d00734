/* SPDX-License-Identifier: MIT */
/* endbr64, prefixed instructions and those that depend on where they are do not move. */
    .globl _start
    .type _start, @function
_start:
    nop
    endbr64
    nop
    syscall
    lock incl 0x10(%rdi)
    syscall
    rep movsb
    syscall
    call next
    syscall
    ret
    .size _start, . - _start
    .globl next
    .type next, @function
next:
    ret
    .size next, . - next
