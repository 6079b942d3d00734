/* SPDX-License-Identifier: MIT */
/* What uname(2) and /proc say of the kernel: the Linux whose behaviour it has. */
#ifndef KERNEL_VERSION_H
#define KERNEL_VERSION_H

#define KERNEL_SYSNAME "Linux"
#define KERNEL_RELEASE "6.1.0-hermit"
#define KERNEL_VERSION "#1 Hermit"

#endif
