/* SPDX-License-Identifier: MIT */
/* What lwIP asks of its compiler and platform: the kernel's types, memory and panic. */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include <kernel/log.h>
#include <kernel/random.h>
#include <stdint.h>

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_CTYPE_H 1
#define LWIP_NO_LIMITS_H 1
#define INT_MAX __INT_MAX__
#define BYTE_ORDER LITTLE_ENDIAN

#define X8_F "02x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "lu"

#define LWIP_PLATFORM_DIAG(x) ((void)0)
#define LWIP_PLATFORM_ASSERT(x) panic("lwIP: %s", x)

static inline uint32_t lwip_port_random(void) {
    uint32_t r;
    random_bytes(&r, sizeof(r));
    return r;
}
#define LWIP_RAND() lwip_port_random()

#endif
