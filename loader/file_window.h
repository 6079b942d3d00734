/* SPDX-License-Identifier: MIT */
/* Host files in guest-physical space; window_map and window_unmap are in vm.h. */
#ifndef LOADER_FILE_WINDOW_H
#define LOADER_FILE_WINDOW_H

#include <stdint.h>

#include <hermit/hypercall.h>

/* The first window: reserved host memory that a memory slot already covers. */
void window_init(gpa_t gpa, uint64_t bytes, void *host);

#endif
