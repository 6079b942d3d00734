/* SPDX-License-Identifier: MIT */
/* The network service, to the rest of the loader. */
#ifndef LOADER_NET_H
#define LOADER_NET_H

#include <stdbool.h>

#include <hermit/boot.h>
#include <loader/options.h>

/* Before the sandbox: binds the published ports and reads what the host's resolvers are.  Exits 125
 * with one line where a port cannot be had. */
void net_init(const struct options *o);
/* Fills what the boot block says of the network. */
void net_describe(struct hermit_boot *b);
/* A virtual CPU has nothing to run: moves data both ways.  True: the guest has news to look at. */
bool net_visit(void);
/* Sends what the guest has left, on the occasion of another call. */
void net_flush(void);
/* A file is about to be truncated: what was given to be sent of it is read before. */
void net_keep_files(void);
/* Handles are about to be closed: pieces of files that are still to be sent keep theirs open. */
void net_note_files(void);
/* Readable when net_visit() has something to do; -1: nothing ever. */
int net_fd(void);
/* Around the sleep of a virtual CPU that watches net_fd(). */
enum net_sleep {
    NET_OFF,   /* there is nothing to watch */
    NET_SLEEP, /* net_sleep_end() follows */
    NET_SOON,  /* likewise, and a look is due NET_SOON_NS later: something is to be tried again */
    NET_NEWS,  /* no sleep: there are news */
};
#define NET_SOON_NS 500000
enum net_sleep net_sleep_begin(void);
void net_sleep_end(void);
/* The program has ended: what it has written is sent, for some seconds where peers are slow. */
void net_finish(void);

#endif
