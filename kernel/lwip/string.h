/* SPDX-License-Identifier: MIT */
/* lwIP includes <string.h>: the kernel's. */
#include <kernel/string.h>
