/* SPDX-License-Identifier: MIT */
/* Classic BPF as seccomp(2) uses it: 32-bit words of one block of data. */
#ifndef KERNEL_BPF_H
#define KERNEL_BPF_H

#include <hermit/linux_abi.h>
#include <kernel/types.h>

/* Does the program end, jump forward within itself, read only what it wrote and words of `size`
 * bytes of data, and use only instructions that a filter may? */
bool bpf_valid(const struct sock_filter *code, uint32_t count, uint32_t size);
/* What a valid program returns. */
uint32_t bpf_run(const struct sock_filter *code, const void *data, uint32_t size);

#endif
