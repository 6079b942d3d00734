/* SPDX-License-Identifier: MIT */
/* The kernel, embedded in this executable as an ELF file whose segments are page-aligned: its text
 * (first) and its data (second) are mapped from here; QEMU gets the whole. */
#ifndef LOADER_KERNEL_IMAGE_H
#define LOADER_KERNEL_IMAGE_H

extern const char kernel_image[], kernel_image_end[];

#endif
