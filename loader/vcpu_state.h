/* SPDX-License-Identifier: MIT */
/* Registers of a virtual CPU at its start. */
#ifndef LOADER_VCPU_STATE_H
#define LOADER_VCPU_STATE_H

#include <stdbool.h>

#include <loader/vcpu.h>

/* Sets everything but CPUID.  NULL, or the name of the KVM request that failed (errno is set). */
const char *vcpu_set_state(int vcpu_fd, const struct vcpu_start *start);

#endif
