/* SPDX-License-Identifier: MIT */
/* --net tap: attaching to the interface.  Owns its descriptor and what the boot block says. */
#include <loader/tap.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <loader/diag.h>

static int fd = -1;
static struct hc_tap_config config;

int tap_fd(void) { return fd; }

_Noreturn static void fail(const char *name, const char *why) {
    die(EXIT_HERMIT, "--net tap:%s: %s", name, why);
}

static const char *attach_error(int error) {
    switch (error) {
    case EPERM:
        return "no permission (the interface must be yours: ip tuntap add IF mode tap user USER)";
    case EBUSY:
        return "another program has the interface";
    case EINVAL:
        return "not a tap interface";
    default:
        return strerror(error);
    }
}

static const char *device_error(int error) {
    switch (error) {
    case ENOENT:
    case ENODEV:
        return "there is no /dev/net/tun (modprobe tun)";
    case EACCES:
    case EPERM:
        return "no permission for /dev/net/tun";
    default:
        return strerror(error);
    }
}

/* A tap interface would be made if there were none of that name. */
static void check_interface(const char *name, struct ifreq *request) {
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0 || ioctl(s, SIOCGIFFLAGS, request) != 0)
        fail(name, errno == ENODEV ? "no such interface (ip tuntap add IF mode tap makes one)"
                                   : strerror(errno));
    if (!(request->ifr_flags & IFF_UP)) fail(name, "the interface is down (ip link set IF up)");
    close(s);
}

static void attach(const char *name) {
    struct ifreq request = {0};
    int header = HC_TAP_HEADER;
    memcpy(request.ifr_name, name, strlen(name));
    check_interface(name, &request);
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) fail(name, device_error(errno));
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    if (ioctl(fd, TUNSETIFF, &request) != 0) fail(name, attach_error(errno));
    if (ioctl(fd, TUNSETVNETHDRSZ, &header) != 0 ||
        ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) != 0)
        fail(name, strerror(errno));
}

/* The same address for the same interface of the same host, so that a lease is found again. */
static void make_mac(const char *name, uint8_t mac[6]) {
    char host[64] = "";
    uint32_t hash = 2166136261u; /* FNV-1a */
    gethostname(host, sizeof(host) - 1);
    for (const char *p = name; *p != '\0'; p++)
        hash = (hash ^ (uint8_t)*p) * 16777619u;
    for (const char *p = host; *p != '\0'; p++)
        hash = (hash ^ (uint8_t)*p) * 16777619u;
    mac[0] = 0x52;
    mac[1] = 0x54;
    mac[2] = 0;
    for (int i = 3; i < 6; i++, hash >>= 8)
        mac[i] = (uint8_t)hash;
}

void tap_open(const struct options *o) {
    attach(o->tap);
    config = o->tap_config;
    static const uint8_t none[6];
    if (memcmp(config.mac, none, sizeof(none)) == 0) make_mac(o->tap, config.mac);
    /* Who gives an address of IPv6 alone wants no IPv4. */
    static const uint8_t none6[16];
    config.dhcp = config.address == 0 && memcmp(config.address6, none6, sizeof(none6)) == 0;
}

void tap_describe(struct hermit_boot *b) { b->tap = config; }
