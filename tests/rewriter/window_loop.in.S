/* SPDX-License-Identifier: MIT */
/* loop and jrcxz are branches, too: what they lead to is not overwritten. */
.globl _start
_start:
    add %ebx, %ebx
1:  xor %edi, %edi
    xor %eax, %eax
    syscall
    loop 1b
    add %ebx, %ebx
2:  xor %edi, %edi
    xor %eax, %eax
    syscall
    jrcxz 2b
    hlt
