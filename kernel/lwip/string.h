/* SPDX-License-Identifier: MIT */
/* lwIP includes <string.h>: the kernel's. */
#ifndef LWIP_PORT_STRING_H
#define LWIP_PORT_STRING_H

#include <kernel/string.h>

#endif
