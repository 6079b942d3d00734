/* SPDX-License-Identifier: MIT */
/* /etc/resolv.conf of --net tap: the name servers of --dns or of DHCP. resolv.conf(5). */
#include <hermit/tap.h>
#include <kernel/hostnet.h>

#include "treefs.h"

static void show(struct tree_text *t) {
    const uint32_t *list = hostnet_resolvers();

    for (uint32_t i = 0; i < HC_TAP_RESOLVERS && list[i] != 0; i++) {
        const uint8_t *b = (const uint8_t *)&list[i];

        text_printf(t, "nameserver %u.%u.%u.%u\n", b[0], b[1], b[2], b[3]);
    }
}

const struct tree resolv_tree = {
    .root = {.name = "resolv.conf", .mode = TREE_FILE, .show = show},
    .magic = 0x01021994, /* TMPFS_MAGIC */
};
