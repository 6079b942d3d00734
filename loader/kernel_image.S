/* SPDX-License-Identifier: MIT */
/* See kernel_image.h. */
    .section .rodata
    .balign 4096
    .globl kernel_image, kernel_image_end
kernel_image:
    .incbin "hermit-kernel.stripped"
kernel_image_end:
    .section .note.GNU-stack, "", @progbits
