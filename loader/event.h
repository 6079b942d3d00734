/* SPDX-License-Identifier: MIT */
/* Signals to hermit-run, the guest's timer and --timeout: what interrupts the guest. */
#ifndef LOADER_EVENT_H
#define LOADER_EVENT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* Installs the handlers.  kick: makes a virtual CPU look at event_pending(); called from signal
 * handlers.  link_fd: a descriptor whose end ends the VM (QEMU's link), or -1. */
void event_init(void (*kick)(uint32_t cpu), int link_fd);
/* Owes virtual CPU `cpu` an interrupt and kicks it; async-signal-safe. */
void event_raise(uint32_t cpu);
/* event_raise() since the last event_injected(). */
bool event_pending(uint32_t cpu);
void event_injected(uint32_t cpu);
/* Sleeps until one is owed. */
void event_wait(uint32_t cpu);
/* Signals that must not interrupt any thread but the main one. */
const sigset_t *event_signals(void);
/* The signal that ends a system call of a virtual CPU's thread. */
int event_kick_signal(void);
/* Arms --timeout.  It, and a repeated signal that the guest does not take, end hermit-run. */
void event_set_timeout(uint64_t timeout_ns);

#define EXIT_TIMEOUT 124 /* as timeout(1) */

#endif
