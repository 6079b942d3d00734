/* SPDX-License-Identifier: MIT */
/* The network as a guest sees it, for the tests: the shared memory, sockets by number, and peers at
 * the host's loopback. */
#ifndef TESTS_NET_FIXTURE_H
#define TESTS_NET_FIXTURE_H

#include "hc_fixture.h"

#include <hermit/net.h>

#define AT_NET (RAM_GPA + 0x20000)
#define AT_SLOTS (RAM_GPA + 0x30000)
#define AT_RX (RAM_GPA + 0x40000)
#define AT_TX (RAM_GPA + 0x200000)
#define RX_RINGS 3
#define TX_RINGS 2
#define RING HC_NET_RING

extern struct hc_net *net_shared_page;
extern struct hc_net_slot *slots;

/* Before all else, once there is RAM. */
void net_fixture_init(void);
void serve(void);
/* Serves until the slot says `state`. */
void await(uint32_t number, uint32_t state);
/* The calls and commands of hermit/net.h; name_call: an address of 127.0.0.1. */
void command(uint32_t number, uint32_t op, uint32_t a, uint32_t b);
int64_t open_socket(uint32_t family, uint32_t type, uint32_t protocol);
int64_t name_call(enum hc_nr nr, int64_t number, uint16_t *port, uint32_t flags);
/* A socket of the test's own that listens. */
int listener(uint16_t *port);
int64_t give(uint32_t kind, gpa_t gpa, uint32_t count);
/* A connection of the guest; *peer: the other end. */
uint32_t connect_out(int *peer);
/* The guest writes text to the ring; the guest, or the peer, gets it. */
void put(uint32_t n, uint32_t ring, const char *text);
void expect(uint32_t n, const char *text);
void expect_peer(int peer, const char *text);

#endif
