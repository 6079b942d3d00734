/* SPDX-License-Identifier: MIT */
/* Random numbers: ChaCha20 keyed by the loader's entropy. */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include <stddef.h>

/* Fills buf with n unpredictable bytes.  Earlier output cannot be computed from later state. */
void random_bytes(void *buf, size_t n);
/* Stirs n bytes of the program's own into the key; never lowers its entropy. */
void random_mix(const void *buf, size_t n);

#endif
