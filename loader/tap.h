/* SPDX-License-Identifier: MIT */
/* The guest's own network device: frames between a tap interface and the queues of
 * hermit/tap.h.  All but tap_open() and tap_describe() under net_lock(). */
#ifndef LOADER_TAP_H
#define LOADER_TAP_H

#include <stdbool.h>

#include <hermit/boot.h>
#include <loader/options.h>

/* Before the sandbox: attaches to the interface.  Exits 125 with one line if that cannot be. */
void tap_open(const struct options *o);
void tap_describe(struct hermit_boot *b);
int tap_fd(void);
/* Sends what the guest has queued; true if there was anything. */
bool tap_send(void);
/* Frames have arrived at the interface. */
void tap_readable(void);
/* Receives as far as there are buffers. */
void tap_receive(void);
/* Frames wait to be sent; were received, and the guest has not looked. */
bool tap_has_frames(void);
bool tap_has_news(void);
/* How far the guest has come. */
uint32_t tap_news_taken(void);

#endif
