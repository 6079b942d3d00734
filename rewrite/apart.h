/* SPDX-License-Identifier: MIT */
/* Work on what strangers wrote, in a process that can do nothing but compute. */
#ifndef REWRITE_APART_H
#define REWRITE_APART_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct apart {
    uint8_t *bytes; /* what the work has written; malloc'ed, 8-byte aligned */
    size_t size;
};

/* Calls work(arg, out) in a process of its own that may use memory, and write to `out` no more
 * than `most` bytes.  0; an errno if there can be no such process; ECANCELED if it has not ended
 * well, whatever the reason.  Then `a` holds nothing. */
int apart_run(void (*work)(void *arg, FILE *out), void *arg, size_t most, struct apart *a);

#endif
