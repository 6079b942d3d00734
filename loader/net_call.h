/* SPDX-License-Identifier: MIT */
/* NET_* calls that name a socket: each runs with its socket, under the network's lock. */
#ifndef LOADER_NET_CALL_H
#define LOADER_NET_CALL_H

#include <loader/net_socket.h>

enum hc_net_mode net_call_mode(void);
int64_t net_call_bind(struct net_socket *s, struct hc_net_name *a);
int64_t net_call_listen(struct net_socket *s, struct hc_net_name *a);
int64_t net_call_connect(struct net_socket *s, struct hc_net_name *a);
int64_t net_call_name(struct net_socket *s, struct hc_net_name *a);
int64_t net_call_setopt(struct net_socket *s, struct hc_net_option *a);
int64_t net_call_getopt(struct net_socket *s, struct hc_net_option *a);
int64_t net_call_send(struct net_socket *s, struct hc_net_message *a);
int64_t net_call_recv(struct net_socket *s, struct hc_net_message *a);

#endif
