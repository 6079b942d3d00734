/* SPDX-License-Identifier: MIT */
/* Included ahead of every source of the kernel image: the image is linked as one, so no symbol is
 * ever looked up through a global offset table, which the image does not have. */
#ifndef KERNEL_HIDDEN_H
#define KERNEL_HIDDEN_H
#pragma GCC visibility push(hidden)
#endif
