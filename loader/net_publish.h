/* SPDX-License-Identifier: MIT */
/* Published ports. */
#ifndef LOADER_NET_PUBLISH_H
#define LOADER_NET_PUBLISH_H

#include <loader/options.h>

/* Binds all of them; exits 125 with one line if one cannot be had.  The options stay. */
void net_publish(const struct publish_option *options, size_t n);

#endif
