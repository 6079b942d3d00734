/* SPDX-License-Identifier: MIT */
/* The service thread that answers hypercalls without a VM exit. */
#ifndef LOADER_POLLER_H
#define LOADER_POLLER_H

#include <stdint.h>

/* The engine thread took a doorbell: frequent ones start or wake the thread. */
void poller_note_doorbell(void);

#endif
