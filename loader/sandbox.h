/* SPDX-License-Identifier: MIT */
/* hermit-run gives up what it no longer needs before the guest runs. */
#ifndef LOADER_SANDBOX_H
#define LOADER_SANDBOX_H

#include <stdbool.h>

/* From here on this process and its threads gain no privileges and make only the system calls of
 * sandbox_filter.c; any other ends the process.  Set-up is over, QEMU (if any) is started. */
void sandbox_enter(bool network);

#endif
