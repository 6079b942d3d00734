/* SPDX-License-Identifier: MIT */
/* Private to netlink_*.c: sockets that ask about the network's configuration. netlink(7),
 * rtnetlink(7). */
#ifndef NETLINK_H
#define NETLINK_H

#include <kernel/socket.h>

/* Messages being written; `failed`: there was no memory for all. */
struct netlink_text {
    uint8_t *data; /* owned */
    uint32_t len, size;
    bool failed;
};

/* Who asks. */
struct netlink_asker {
    uint32_t port, sequence;
};

/* Begins a message and returns where it starts; `end` writes its length. */
uint32_t netlink_begin(struct netlink_text *t, const struct netlink_asker *who, uint16_t type,
                       uint16_t flags);
void netlink_end(struct netlink_text *t, uint32_t start);
/* Appends bytes, padded to 4. */
void netlink_put(struct netlink_text *t, const void *data, uint32_t len);
void netlink_attribute(struct netlink_text *t, uint16_t type, const void *data, uint32_t len);
void netlink_attribute32(struct netlink_text *t, uint16_t type, uint32_t value);

/* Answers one request of NETLINK_ROUTE: 0 or -errno, which the asker is told. */
int netlink_route(struct netlink_text *t, const struct netlink_asker *who,
                  const struct nlmsghdr *request);

#endif
