/* SPDX-License-Identifier: MIT */
/* The interface of --net tap: frames between lwIP and the device, its address, lwIP's clock.  Owns
 * the interface and the timer. */
#include <hermit/boot.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/ktimer.h>
#include <kernel/log.h>
#include <kernel/string.h>

#include "lwip_stack.h"
#include "virtio_net.h"

#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/init.h>
#include <lwip/ip4.h>
#include <lwip/nd6.h>
#include <lwip/sys.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#define MTU 1500
#define DHCP_PATIENCE_NS (10 * NSEC_PER_SEC)
#define DHCP_LOOK_NS 10000000LL
#define FINISH_NS (5 * NSEC_PER_SEC)
#define NS_PER_MS 1000000LL
#define CHECKS (NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP)

static struct netif eth;
static uint32_t features;
static bool started, inside; /* inside: lwIP is at work */
static uint32_t resolvers[HC_TAP_RESOLVERS];
static ip6_addr_t gateway6;
static bool gateway_set;

_Static_assert(LWIP_IPV6_NUM_ADDRESSES <= HOSTNET_ADDRESSES6, "room");

static void on_timer(struct ktimer *t);
static struct ktimer timer = {.fire = on_timer};

u32_t sys_now(void) { return (u32_t)(clock_monotonic_ns() / NS_PER_MS); }

void dns_setserver(unsigned char number, const struct ip_addr *server) {
    if (number < HC_TAP_RESOLVERS && boot_info()->tap.resolvers[0] == 0)
        resolvers[number] = ip_2_ip4(server)->addr;
}

const uint32_t *hostnet_resolvers(void) { return resolvers; }

static err_t output(struct netif *n, struct pbuf *p) {
    struct virtio_net_header *h = virtio_net_buffer();
    uint8_t *frame = (uint8_t *)(h + 1);
    if (h == NULL || p->tot_len > HC_TAP_TX_BYTES - sizeof(*h)) return ERR_BUF;
    memset(h, 0, sizeof(*h));
    pbuf_copy_partial(p, frame, p->tot_len, 0);
    stack_send_frame(h, p->tot_len, features);
    return ERR_OK;
}

static err_t set_up(struct netif *n) {
    static char host[64];
    strlcpy(host, boot_string(boot_info()->hostname), sizeof(host));
    n->name[0] = 'e';
    n->name[1] = 't';
    n->mtu = MTU;
    n->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(n->hwaddr, boot_info()->tap.mac, ETH_HWADDR_LEN);
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP |
               NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    n->output = etharp_output;
    n->output_ip6 = ethip6_output;
    n->linkoutput = output;
    n->hostname = host;
    return ERR_OK;
}

struct netif *stack_netif(void) {
    return &eth;
}

const struct ip6_addr *stack_gateway6(void) { return gateway_set ? &gateway6 : NULL; }

static const ip6_addr_t *read6(const uint8_t bytes[16], ip6_addr_t *out) {
    memcpy(out->addr, bytes, sizeof(out->addr));
    return out;
}

/* The address that the Ethernet address makes, one that was given, and what routers announce: they
 * are asked at once. */
static void start_v6(const struct hc_tap_config *c) {
    ip6_addr_t own;
    s8_t at = -1;
    gateway_set = !ip6_addr_isany(read6(c->gateway6, &gateway6));
    netif_create_ip6_linklocal_address(&eth, 1);
    netif_ip6_addr_set_state(&eth, 0, IP6_ADDR_PREFERRED);
    if (!ip6_addr_isany(read6(c->address6, &own)) &&
        netif_add_ip6_address(&eth, &own, &at) == ERR_OK)
        netif_ip6_addr_set_state(&eth, at, IP6_ADDR_PREFERRED);
    netif_set_ip6_autoconfig_enabled(stack_netif(), 1);
    nd6_tmr();
}

int stack_start(void) {
    const struct hc_tap_config *c = &boot_info()->tap;
    ip4_addr_t address = {c->address}, gateway = {c->gateway}, mask;
    if (started) return 0;
    int r = virtio_net_start();
    if (r < 0) return r;
    features = (uint32_t)r;
    memcpy(resolvers, c->resolvers, sizeof(resolvers));
    mask.addr = c->prefix > 0 ? lwip_htonl(~0u << (32 - c->prefix)) : 0;
    lwip_init();
    if (netif_add(&eth, &address, &mask, &gateway, NULL, set_up, ethernet_input) == NULL)
        return -ENOMEM;
    if (features & HC_TAP_CSUM) eth.chksum_flags &= (u16_t)~NETIF_CHECKSUM_GEN_TCP;
    netif_set_default(&eth);
    netif_set_up(&eth);
    started = true;
    start_v6(c);
    if (c->dhcp) dhcp_start(&eth);
    stack_leave();
    return 0;
}

static void set_timer(void) {
    u32_t ms = sys_timeouts_sleeptime();
    int64_t at = clock_monotonic_ns() + ms * NS_PER_MS;
    if (ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE)
        ktimer_cancel(&timer);
    else if (!timer.set || timer.deadline_ns > at || timer.deadline_ns < at - NS_PER_MS)
        ktimer_set(&timer, at);
}

void stack_leave(void) {
    if (inside) return;
    stack_group_tick();
    virtio_net_kick();
    set_timer();
    stack_wake_all();
}

static void receive(const struct virtio_net_frame *f) {
    if (f->bytes > UINT16_MAX) return;
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)f->bytes, PBUF_POOL);
    u16_t at = 0;
    if (p == NULL) return; /* the sender repeats it */
    for (uint32_t i = 0; i < f->count; i++) {
        pbuf_take_at(p, f->pieces[i].data, (u16_t)f->pieces[i].len, at);
        at = (u16_t)(at + f->pieces[i].len);
    }
    bool checked = f->header->flags & (VIRTIO_NET_NEEDS_CSUM | VIRTIO_NET_DATA_VALID);
    eth.chksum_flags = (u16_t)((eth.chksum_flags & ~CHECKS) | (checked ? 0 : CHECKS));
    if (eth.input(p, &eth) != ERR_OK) pbuf_free(p);
}

void stack_look(void) {
    struct virtio_net_frame f;
    if (!started || inside) return;
    inside = true;
    while (virtio_net_receive(&f)) {
        receive(&f);
        virtio_net_done(&f);
    }
    sys_check_timeouts();
    inside = false;
    stack_leave();
}

static void on_timer(struct ktimer *t) { stack_look(); }

/* Lets the loader sleep until a frame comes, for a moment at most. */
static void sleep_a_moment(void) {
    static struct hc_wait_fd none;
    union hc_args args = {.wait = {.fds = frame_gpa(&none), .timeout_ns = DHCP_LOOK_NS}};
    if (hypercall_available()) hypercall(HC_WAIT, &args);
    stack_look();
}

void hostnet_up(void) {
    if (hostnet_mode() != HOSTNET_TAP) return;
    int r = stack_start();
    if (r != 0) panic("the network device cannot be started: error %d", -r);
    if (!boot_info()->tap.dhcp) return;
    int64_t end = clock_monotonic_ns() + DHCP_PATIENCE_NS;
    while (netif_ip4_addr(&eth)->addr == 0 && clock_monotonic_ns() < end)
        sleep_a_moment();
    if (netif_ip4_addr(&eth)->addr == 0)
        kprint("hermit-run: no answer of DHCP: the program starts without an address (--ip gives "
               "one)\n");
}

void hostnet_finish(void) {
    if (!started) return;
    int64_t end = clock_monotonic_ns() + FINISH_NS;
    stack_tcp_close_all();
    stack_look();
    while ((stack_tcp_busy() || virtio_net_busy()) && clock_monotonic_ns() < end)
        sleep_a_moment();
}

const struct hostnet_interface *hostnet_interface(void) {
    static struct hostnet_interface own = {.mac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56},
                                           .prefix = 24,
                                           .address = 0x0f02000au,  /* 10.0.2.15 */
                                           .gateway = 0x0202000au}; /* 10.0.2.2 */
    if (!started) return &own;
    memcpy(own.mac, eth.hwaddr, sizeof(own.mac));
    own.address = netif_ip4_addr(&eth)->addr;
    own.gateway = netif_ip4_gw(&eth)->addr;
    own.count6 = 0;
    for (uint32_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        struct hostnet_address6 *a = &own.addresses6[own.count6];
        if (!ip6_addr_isvalid(netif_ip6_addr_state(&eth, i))) continue;
        memcpy(a->bytes, netif_ip6_addr(&eth, i)->addr, sizeof(a->bytes));
        a->announced = !netif_ip6_addr_isstatic(&eth, i);
        own.count6++;
    }
    memcpy(own.gateway6, boot_info()->tap.gateway6, sizeof(own.gateway6));
    own.prefix = (uint8_t)__builtin_popcount(netif_ip4_netmask(&eth)->addr);
    return &own;
}
