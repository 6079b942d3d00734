/* SPDX-License-Identifier: MIT */
/* Multicast groups of the interface: IGMP and MLD.  lwIP counts who is in one.  Its clock for
 * reports ticks ten times a second; here it does so only while one is due.  Owns whether it
 * ticks. */
#include <hermit/linux_abi.h>
#include <kernel/string.h>

#include "lwip_stack.h"

#include <lwip/igmp.h>
#include <lwip/mld6.h>
#include <lwip/netif.h>
#include <lwip/timeouts.h>

#define V4_PREFIX 0xffff0000u /* third word of a v4-mapped address */

static bool ticks;

static bool any_due(void) {
    const struct igmp_group *g = netif_igmp_data(stack_netif());
    for (; g != NULL; g = g->next)
        if (g->timer > 0) return true;
    for (const struct mld_group *m = netif_mld6_data(stack_netif()); m != NULL; m = m->next)
        if (m->timer > 0) return true;
    return false;
}

static void tick(void *arg) {
    ticks = false;
    igmp_tmr();
    mld6_tmr();
    stack_group_tick();
}

void stack_group_tick(void) {
    if (ticks || !any_due()) return;
    ticks = true;
    sys_timeout(MLD6_TMR_INTERVAL, tick, NULL);
}

void hostnet_group(const uint8_t group[16], bool join) {
    uint32_t w[4];
    if (hostnet_mode() != HOSTNET_TAP || stack_start() != 0) return;
    memcpy(w, group, sizeof(w));
    bool v4 = (w[0] | w[1]) == 0 && w[2] == V4_PREFIX;
    const ip4_addr_t ip4 = {w[3]};
    const ip6_addr_t ip6 = {{w[0], w[1], w[2], w[3]}};
    struct netif *n = stack_netif();
    if (v4)
        join ? igmp_joingroup_netif(n, &ip4) : igmp_leavegroup_netif(n, &ip4);
    else
        join ? mld6_joingroup_netif(n, &ip6) : mld6_leavegroup_netif(n, &ip6);
    stack_leave();
}
