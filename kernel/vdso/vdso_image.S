/* SPDX-License-Identifier: MIT */
/* The linked vDSO as whole pages of the kernel image.  Owns vdso_image_start and its end. */
    .section .rodata.vdso, "a", @progbits
    .globl vdso_image_start, vdso_image_end
    .balign 4096
vdso_image_start:
    .incbin VDSO_FILE
    .balign 4096
vdso_image_end:
    .section .note.GNU-stack, "", @progbits
