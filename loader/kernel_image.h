/* SPDX-License-Identifier: MIT */
/* The kernel, embedded in this executable: flat images of its two segments, page-aligned. */
#ifndef LOADER_KERNEL_IMAGE_H
#define LOADER_KERNEL_IMAGE_H

extern const char kernel_image_text[], kernel_image_text_end[];
extern const char kernel_image_data[], kernel_image_data_end[];
/* The whole ELF file, for QEMU's -kernel. */
extern const char kernel_image_elf[], kernel_image_elf_end[];

#endif
