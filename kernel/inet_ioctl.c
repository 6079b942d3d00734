/* SPDX-License-Identifier: MIT */
/* ioctl(2) of any socket, whatever its family: what the interfaces are. netdevice(7).  They cannot
 * be changed. */
#include <kernel/clock.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "inet.h"

#define NAME_MAX_BYTES 16u

/* struct ifreq of netdevice(7). */
struct request {
    char name[NAME_MAX_BYTES];
    union {
        struct sockaddr_in address;
        struct {
            uint16_t family;
            uint8_t data[14];
        } hardware;
        uint16_t flags;
        int32_t number;
        struct {
            uint64_t start, end;
            uint16_t base;
            uint8_t irq, dma, port, pad[3];
        } map;
    };
};
_Static_assert(sizeof(struct request) == 40, "struct ifreq");

struct list { /* struct ifconf */
    int32_t len, pad;
    uint64_t at;
};

static void set_address(struct request *q, uint32_t address) {
    memset(&q->address, 0, sizeof(q->address));
    q->address.sin_family = AF_INET;
    q->address.sin_addr.s_addr = address;
}

/* SIOCGIFCONF: as many as fit; without a place for them, the room that all need. */
static int64_t list_all(gva_t arg) {
    struct list l;
    int32_t done = 0;

    if (get_user(l, arg)) return -EFAULT;
    for (uint32_t n = 1; n <= inet_iface_count(); n++) {
        const struct inet_iface *i = inet_iface(n);
        struct request q;

        if (l.at != 0 && l.len - done < (int32_t)sizeof(q)) break;
        memset(&q, 0, sizeof(q));
        strlcpy(q.name, i->name, sizeof(q.name));
        set_address(&q, i->address);
        if (l.at != 0 && put_user(q, l.at + (uint64_t)done)) return -EFAULT;
        done += (int32_t)sizeof(q);
    }
    l.len = done;
    return put_user(l, arg);
}

static int answer(const struct inet_iface *i, uint32_t request, struct request *q) {
    switch (request) {
    case SIOCGIFFLAGS:
        q->flags = (uint16_t)i->flags;
        return 0;
    case SIOCGIFADDR:
        if (i->address == 0) return -EADDRNOTAVAIL;
        set_address(q, i->address);
        return 0;
    case SIOCGIFDSTADDR:
        set_address(q, i->address);
        return 0;
    case SIOCGIFBRDADDR:
        set_address(q, i->broadcast);
        return 0;
    case SIOCGIFNETMASK:
        set_address(q, inet_mask(i->prefix));
        return 0;
    case SIOCGIFMETRIC:
        q->number = 0;
        return 0;
    case SIOCGIFMTU:
        q->number = (int32_t)i->mtu;
        return 0;
    case SIOCGIFTXQLEN:
        q->number = 1000;
        return 0;
    case SIOCGIFINDEX:
        q->number = (int32_t)i->index;
        return 0;
    case SIOCGIFHWADDR:
        memset(&q->hardware, 0, sizeof(q->hardware));
        q->hardware.family = i->type;
        memcpy(q->hardware.data, i->mac, sizeof(i->mac));
        return 0;
    case SIOCGIFMAP:
        memset(&q->map, 0, sizeof(q->map));
        return 0;
    default:
        return -ENOTTY;
    }
}

static int64_t ask(uint32_t request, gva_t arg) {
    const struct inet_iface *i;
    struct request q;
    int r;

    if (get_user(q, arg)) return -EFAULT;
    q.name[sizeof(q.name) - 1] = '\0';
    i = inet_iface_named(q.name);
    if (i == NULL) return -ENODEV;
    r = answer(i, request, &q);
    return r ? r : put_user(q, arg);
}

/* SIOCGIFNAME: by index. */
static int64_t name_of(gva_t arg) {
    const struct inet_iface *i;
    struct request q;

    if (get_user(q, arg)) return -EFAULT;
    i = inet_iface((uint32_t)q.number);
    if (i == NULL) return -ENODEV;
    memset(q.name, 0, sizeof(q.name));
    strlcpy(q.name, i->name, sizeof(q.name));
    return put_user(q, arg);
}

int64_t socket_ioctl_interface(uint32_t request, gva_t arg) {
    switch (request) {
    case SIOCGIFCONF:
        return list_all(arg);
    case SIOCGIFNAME:
        return name_of(arg);
    case SIOCGIFFLAGS:
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
    case SIOCGIFBRDADDR:
    case SIOCGIFNETMASK:
    case SIOCGIFMETRIC:
    case SIOCGIFMTU:
    case SIOCGIFTXQLEN:
    case SIOCGIFINDEX:
    case SIOCGIFHWADDR:
    case SIOCGIFMAP:
        return ask(request, arg);
    case SIOCSIFFLAGS:
    case SIOCSIFADDR:
    case SIOCSIFNETMASK:
    case SIOCSIFBRDADDR:
    case SIOCSIFMTU:
    case SIOCSIFHWADDR:
    case SIOCSIFNAME:
    case SIOCADDRT:
    case SIOCDELRT:
        return -EPERM;
    default:
        return -ENOTTY;
    }
}
