/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4): contents of files must not be mistaken for each other, even on purpose. */
#ifndef REWRITE_SHA256_H
#define REWRITE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

void sha256(const uint8_t *bytes, size_t size, uint8_t out[SHA256_BYTES]);

#endif
