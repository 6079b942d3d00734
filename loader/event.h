/* SPDX-License-Identifier: MIT */
/* Signals to hermit-run, the guest's timer and --timeout: what interrupts the guest. */
#ifndef LOADER_EVENT_H
#define LOADER_EVENT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* Installs the handlers.  kick: makes the running engine look at event_pending(); called from
 * signal handlers.  link_fd: a descriptor whose end ends the VM (QEMU's link), or -1. */
void event_init(void (*kick)(void), int link_fd);
/* An event was posted since the last event_injected(). */
bool event_pending(void);
void event_injected(void);
/* Sleeps until an event is posted. */
void event_wait(void);
/* Signals that must not interrupt any thread but the engine's. */
const sigset_t *event_signals(void);
/* Arms --timeout.  It, and a repeated signal that the guest does not take, end hermit-run. */
void event_set_timeout(uint64_t timeout_ns);

#define EXIT_TIMEOUT 124 /* as timeout(1) */

#endif
