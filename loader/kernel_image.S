/* SPDX-License-Identifier: MIT */
/* See kernel_image.h. */
    .section .rodata
    .macro image name, file
    .balign 4096
    .globl kernel_image_\name, kernel_image_\name\()_end
kernel_image_\name:
    .incbin "\file"
kernel_image_\name\()_end:
    .endm
    image text, "hermit-kernel.elf.text"
    image data, "hermit-kernel.elf.data"
    .balign 4096
    image elf, "hermit-kernel.elf"
    .section .note.GNU-stack, "", @progbits
